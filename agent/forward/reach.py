"""Whether sinks are there and would take rows, for `sprue check --connect`."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from agent.console import print_json, print_table
from agent.forward.kinds import opener_of
from agent.forward.settings import AnySink
from agent.forward.sink import SinkError

NOBODY = ""
"""Whose rows are sent where none are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What came of one empty write to a sink."""

    sink: str
    place: str
    error: str | None
    """Why it would take nothing, in its own words; None where it would."""


async def reach_all(sinks: Sequence[AnySink]) -> list[Reached]:
    """Write nothing to every sink, by the very call that rows go by; all at the same time."""
    return list(await asyncio.gather(*(_reach(each) for each in sinks)))


async def _reach(settings: AnySink) -> Reached:
    error = None
    try:
        async with opener_of(settings, NOBODY, {})() as sink:
            await sink.reach()
    except SinkError as refused:
        error = str(refused)
    return Reached(sink=settings.name, place=settings.place, error=error)


def show(found: Sequence[Reached], *, json: bool) -> None:
    """Print a row a sink, where there are any."""
    if json:
        print_json(asdict(each) for each in found)
    elif found:
        rows = ([each.sink, each.place, each.error or "takes rows"] for each in found)
        print_table(["sink", "place", "answer"], rows)
