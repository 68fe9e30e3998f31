"""What the watch costs: processor time a cycle, and how fast a file is walked."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent.assembly import Assembly
from agent.cycle import Booked
from agent.ledger import Ledger, Standing
from agent.replay import Replay, replay_file
from agent.watch import Watch
from bench.watch import drawn, molded
from bench.watch.stream import Stream
from bench.watch.written import write_csv
from drivers import Observation, Report

TURNS = 3
"""The best counts: whatever else runs on the computer only makes it slower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one stream."""

    stream: str
    signals: int
    cycles: int
    watch_us: float
    """Processor time of the watch alone, for a cycle."""
    walk_us: float
    """Processor time of everything from a line of CSV to the anomaly, for a cycle."""


FIVE = (
    "cycle_time_s", "cooling_time_s", "hold_time_s", "fill_time_s", "injection_pressure_peak_bar",
)  # fmt: skip
FOURTEEN = (
    *FIVE, "mold_close_time_s", "mold_open_time_s", "ejection_time_s", "pause_time_s",
    "recovery_time_s", "cushion_mm", "hold_pressure_bar", "mold_temp_c", "melt_temp_c",
)  # fmt: skip


def costs(cycles: int = 20_000) -> list[Cost]:
    """Streams of 5, 14 and about 20 signals, and of more than 30, by default and `together`."""
    return [
        _cost(_showing(drawn.clean(drawn.MOLDS[0], 1, cycles), FIVE)),
        _cost(_showing(drawn.clean(drawn.MOLDS[0], 1, cycles), FOURTEEN)),
        _cost(drawn.clean(drawn.MOLDS[0], 1, cycles)),
        _cost(molded.clean(molded.MOLDS[0], 1, cycles)),
        _cost(molded.clean(molded.MOLDS[0], 1, cycles), together=True),
    ]


def _showing(stream: Stream, names: Sequence[str]) -> Stream:
    """The same of a machine that shows only some signals."""

    def observations() -> Iterator[Observation]:
        for each in stream.observations():
            if isinstance(each, Report):
                kept = {name: each.values[name] for name in names if name in each.values}
                yield replace(each, values=kept)
            else:
                yield each

    return replace(stream, name=f"{stream.name}, {len(names)} signals", observations=observations)


def _cost(stream: Stream, *, together: bool = False) -> Cost:
    reports = [each for each in stream.observations() if isinstance(each, Report)]
    assembly = Assembly("IMM-01")
    ledger = Ledger("IMM-01", Standing(), lambda mold: stream.revisions.get(mold, "A"))
    entries = [ledger.take(item) for report in reports for item in assembly.take(report)]
    booked = [entry.booked for entry in entries if entry.booked is not None]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "past.csv"
        write_csv(stream, path)
        walk_s = min(_timed(lambda: _walk(path, together)) for _ in range(TURNS))
    watch_s = min(_timed(lambda: _watch(booked, together)) for _ in range(TURNS))
    return Cost(
        stream=f"{stream.name}, all signals together" if together else stream.name,
        signals=len(booked[-1].cycle.values),
        cycles=len(booked),
        watch_us=watch_s / len(booked) * 1e6,
        walk_us=walk_s / len(booked) * 1e6,
    )


def _timed(work: Callable[[], None]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _walk(path: Path, together: bool) -> None:
    for _outcome in replay_file(path, Replay(together=together), complain=print):
        pass


def _watch(booked: list[Booked], together: bool) -> None:
    watch = Watch("IMM-01", together=together)
    for each in booked:
        watch.take(each)
