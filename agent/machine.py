"""One machine followed through every outage: the one place that connects, waits and tries again."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from agent.attached import with_devices
from agent.backoff import backoff
from agent.canary import Canary, proven
from agent.config import Loaded
from agent.devices import Attaching
from agent.line import Line
from agent.standing import Standing
from drivers import Link, MachineError, euromap77, modbus, opcua, tcd
from drivers.euromap77 import Euromap77Settings
from drivers.knownnodes import KnownNodes
from drivers.memory import Memory
from drivers.modbus import ModbusSettings
from drivers.nodes import NodeMap
from drivers.opcua import OpcUaSettings
from drivers.press import Press
from drivers.registers import RegisterMap
from drivers.settings import MachineSettings
from drivers.tcd import TcdSettings

log = logging.getLogger(__name__)

LEAST_S = 0.2
"""Between two attempts, however long the first one took."""
QUIET_AFTER = 3
"""Failures in a row that are logged; then only the record and the page say it."""


def opener(
    settings: MachineSettings,
    loaded: Loaded,
    *,
    remember: bool = False,
    memory: Memory | None = None,
) -> Callable[[], AbstractAsyncContextManager[Press]]:
    """What connects to a machine, and to no other than the one that was there before.

    Args:
        settings: The machine.
        loaded: The configuration.
        remember: Keep what the machine and its nodes are known by.
        memory: Its last cycle, from which on a gap is filled where the machine keeps its past;
            None: no gap is filled.
    """
    connect = direct_opener(settings, loaded, memory, remember=remember)
    canary = Canary(loaded.pki, settings.name)

    def alone() -> AbstractAsyncContextManager[Press]:
        return proven(connect, canary, remember=remember)

    if not isinstance(settings, Attaching) or not settings.tcd:
        return alone
    devices = [(each, opener(each, loaded, remember=remember)) for each in settings.tcd]
    return lambda: with_devices(settings.name, alone, devices)


def direct_opener(
    settings: MachineSettings,
    loaded: Loaded,
    memory: Memory | None = None,
    *,
    remember: bool = False,
) -> Callable[[], AbstractAsyncContextManager[Press]]:
    """What connects to a machine, by its driver."""
    found = loaded.maps.get(settings.name)
    match settings, found:
        case ModbusSettings(), RegisterMap():
            line = modbus.line_of(settings)
            return lambda: modbus.open_press(settings, found, line)
        case OpcUaSettings(), NodeMap():
            known = KnownNodes(settings.name, nodes_file(loaded, settings.name), keep=remember)
            return lambda: opcua.open_press(settings, found, known)
        case Euromap77Settings(), None:
            return lambda: euromap77.open_press(settings, memory)
        case TcdSettings(), None:
            return lambda: tcd.open_device(settings)
    raise ValueError(f"{settings.name}: no driver for {type(settings).__name__}")


def nodes_file(loaded: Loaded, machine: str) -> Path:
    """Where it is kept what a machine's nodes are called."""
    return loaded.pki / "nodes" / f"{quote(machine, safe=' ')}.json"


def remembered(standing: Standing) -> Memory:
    """The last cycle of a machine as the record has it, by the machine's clock."""
    if standing.ended is None:
        return Memory()
    mold = {"mold": standing.mount.mold} if standing.mount else {}
    return Memory(until=standing.ended - timedelta(seconds=standing.skew_s), states=mold)


async def follow_from(
    settings: MachineSettings,
    loaded: Loaded,
    standing: Standing,
    line: Line,
    clock: Callable[[], datetime],
) -> NoReturn:
    """Follow a machine from where its ledger stands, until cancelled."""
    connect = opener(settings, loaded, remember=True, memory=remembered(standing))
    await follow(settings, connect, line, clock)


async def follow(
    settings: MachineSettings,
    connect: Callable[[], AbstractAsyncContextManager[Press]],
    line: Line,
    clock: Callable[[], datetime],
) -> NoReturn:
    """Walk everything that one machine says along its line, until cancelled."""
    waits, failures = backoff(), 0
    loop = asyncio.get_running_loop()
    while True:
        began_at, connected = loop.time(), False
        try:
            async with connect() as press:
                connected = True
                line.connected(press)
                async for observation in press.observations():
                    _leave_if_cancelled()
                    if failures:
                        log.info("%s: seen again", settings.name)
                    waits, failures = backoff(), 0
                    await line.take(observation)
            raise_ended(settings.name)
        except MachineError as error:
            _leave_if_cancelled()
            failures += 1
            wait_s = next(waits)
            if failures <= QUIET_AFTER:
                more = "" if failures < QUIET_AFTER else "; trying on without saying so each time"
                log.warning("%s; trying again in %.1f s%s", error, wait_s, more)
            link = Link(
                machine=settings.name, up=False, at=clock(), cause=error.cause, why=error.what
            )
            await line.take(link)
            # An attempt that nobody answered was a wait already.
            waited_s = 0.0 if connected else loop.time() - began_at
            await asyncio.sleep(max(LEAST_S, wait_s - waited_s))


def _leave_if_cancelled() -> None:
    """Go through with a cancellation that something below has swallowed.

    Python 3.11's `asyncio.wait_for`, which the protocol libraries use, loses one that comes in the
    instant in which the answer does; the machine's task would then go on for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def raise_ended(machine: str) -> NoReturn:
    """A stream of observations that simply ends is a lost link."""
    raise MachineError(machine, "the connection ended")
