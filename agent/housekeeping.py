"""What the agent does once a day where the configuration says so, each in a process of its own.

So that neither its memory nor its turns are lent to it: moving a month's cycles takes both.
"""

import asyncio
import logging
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from agent.place import Place

log = logging.getLogger(__name__)

FIRST_S = 600.0
"""After the start, when all machines are followed."""

EVERY_S = 24 * 3600.0


def due(place: Place) -> list[str]:
    """The commands that a configuration has done daily."""
    daily = []
    if place.history.daily and place.history.move_after_days is not None:
        daily.append("compact")
    if place.retention.daily:
        daily.append("retention --apply")
    return daily


async def keep_house(
    place: Place, config: Path, *, first_s: float = FIRST_S, every_s: float = EVERY_S
) -> None:
    """Do what is due, day after day, until cancelled; ends at once where nothing is.

    Args:
        place: What the configuration says.
        config: Its file.
        first_s: When, after the start.
        every_s: How often after that.
    """
    wait_s = first_s
    while commands := due(place):
        await asyncio.sleep(wait_s)
        for command in commands:
            await _done([*command.split(), "--config", str(config)])
        wait_s = every_s


async def _done(words: Sequence[str]) -> None:
    """Run a command of Sprue's, and log what it says; that it fails must not stop the agent."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", *words,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        said, _ = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.terminate()  # at whatever moment: it is safe against that
        await process.wait()
        raise
    level = logging.INFO if process.returncode == 0 else logging.ERROR
    for line in said.decode("utf-8", "replace").splitlines():
        log.log(level, "sprue %s: %s", words[0], line.removeprefix("sprue: "))
