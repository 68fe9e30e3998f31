"""Certificates that will expire: said early enough that a person can act before a press is dark."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NoReturn

from agent.config import Loaded
from drivers import MachineError
from drivers.certificate import day
from drivers.credentials import known_certificates
from drivers.settings import MachineSettings

log = logging.getLogger(__name__)

AHEAD = timedelta(days=60)
LOOK_S = 24 * 3600.0


def expiring(loaded: Loaded, now: datetime) -> dict[str, list[str]]:
    """What expires within 60 days, or has, by machine.

    Files that can't be used are left out: connecting says so.
    """
    told = {
        machine.name: [said for each in (machine, *machine.tcd) for said in _of_machine(each, now)]
        for machine in loaded.config.machine
    }
    return {name: sentences for name, sentences in told.items() if sentences}


def _of_machine(settings: MachineSettings, now: datetime) -> Iterator[str]:
    if settings.credentials is None:
        return
    try:
        for what, certificate in known_certificates(settings.name, settings.credentials):
            end = certificate.not_valid_after_utc
            if end < now:
                yield f"{what} expired on {day(end)}"
            elif end < now + AHEAD:
                yield f"{what} expires on {day(end)}, in {(end - now).days} days"
    except MachineError:
        return


async def watch_certificates(loaded: Loaded, clock: Callable[[], datetime]) -> NoReturn:
    """Log once a day what expires."""
    while True:
        for machine, sentences in expiring(loaded, clock()).items():
            for sentence in sentences:
                log.warning("%s: %s", machine, sentence)
        await asyncio.sleep(LOOK_S)
