"""Where a machine's ledger stands: all that it goes by, and what the record keeps of it."""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from agent.entry import Mount, Run, Segment
from agent.pace import Pace
from agent.rows import from_ns, to_ns

STAGE = "ledger"
"""Under which name the record keeps it."""

REMEMBERED = 64
"""Cycles that are told from their duplicates one by one; more than a control sends again."""

SEGMENTS_KEPT = 3
"""Segments before the present one in which a late report may still find its place."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Closings that no cycle came for: a range of counters of one segment."""

    segment: int
    first: int
    last: int
    since: datetime
    until: datetime
    width: int = 0
    """What was taken from the raw values of numbers from before a wrap."""
    doubt: int = 0
    """How many closings of the gap's row may have been none, or no shots."""
    dry: int = 0
    """How many of them are booked as closings without plastic."""

    def is_beside(self, other: "Gap") -> bool:
        """Whether both are of one row of the ledger: what is between them came late."""
        return (self.segment, self.since, self.until) == (other.segment, other.since, other.until)

    def number(self, counter: int) -> int:
        """The number in the gap's segment that a raw value stands for."""
        return counter - self.width if counter > self.last else counter


@dataclass(frozen=True, slots=True)
class Earlier:
    """A segment that has ended; what came late may belong to it."""

    segment: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Where the counter was before it went elsewhere, or stood; it may go on from there."""

    counter: int
    since: int
    """Closings booked since."""
    ended: datetime
    stood: bool = False
    """It stood still while closings came."""
    doubt: Run | None = None
    """The row that says what may have been besides, should it turn out not to have been."""


@dataclass(slots=True)
class Standing:
    """Where a machine's ledger stands; what the record gives back after a restart."""

    segment: Segment | None = None
    counter: int = 0
    """The last one booked in that segment."""
    at: datetime | None = None
    """When we learned of that one, by our clock."""
    ended: datetime | None = None
    """When the last closing ended, by our clock; where only a counter showed it, when that was."""
    started: bool = False
    """The last closing ended just at `ended`, so that the next one takes a whole interval."""
    early_s: float = 0.0
    """It may have ended as much earlier as that."""
    skew_s: float = 0.0
    """Our clock less the one that stamps the machine's cycles."""
    mount: Mount | None = None
    said: str | None = None
    """The mold that the machine itself named last; what a person said holds until it names another
    one than that."""
    resin: str | None = None
    cavities: int | None = None
    job: str | None = None
    per_job: bool | None = None
    """Whether jobs set the counter to 0; None where it was not seen yet."""
    run: Run | None = None
    """The run that the next seen closing may extend."""
    run_off_s: float = 0.0
    """Our clock less the one that stamps that run's cycles."""
    gaps: list[Gap] = field(default_factory=list)
    earlier: list[Earlier] = field(default_factory=list)
    track: Track | None = None
    others: Mapping[str, int] = field(default_factory=dict)
    """The machine's other counters at the last closing, by signal."""
    made: tuple[int, ...] = ()
    """By how much its counter of parts rose at the last shots seen."""
    bare: bool = False
    """No shot was seen since the mold came on, or the job began: it may be set up unseen."""
    rolls: bool = False
    """Its counter has fallen back before, as after a power failure; so it may again, unseen."""
    shown: tuple[int, int] | None = None
    """What the machine last showed of a cycle, and under which names, as checksums."""
    pulses: tuple[tuple[datetime, int], ...] = ()
    """Double pulses since the last closing, with the doubt of each; if they come evenly, they are
    a new pace."""
    stale: tuple[int, datetime, int] | None = None
    """The last cycle that was too old to be new: counter, when it came, how many in a row."""
    pace: Pace = field(default_factory=Pace, compare=False)
    fastest_s: Mapping[str, float] = field(default_factory=dict)
    """The fastest interval of molds that were here before."""
    times: deque[tuple[int, datetime]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """Counter and end of the last cycles kept, by the clock that stamps them."""

    def copy(self) -> "Standing":
        """As it is now, whatever follows; made for every entry, so not by `replace`."""
        new = Standing(*_values(self))
        new.gaps, new.earlier = list(self.gaps), list(self.earlier)
        new.pace = self.pace.copy()
        return new


_values = attrgetter(*(each.name for each in fields(Standing)))


def to_body(standing: Standing) -> bytes:
    """What is kept of a standing; the cycles that it remembers are in the record anyway."""
    body: dict[str, Any] = {
        "counter": standing.counter,
        "at": _ns(standing.at),
        "ended": _ns(standing.ended),
        "started": standing.started,
        "early_s": standing.early_s,
        "skew_s": standing.skew_s,
        "said": standing.said,
        "resin": standing.resin,
        "cavities": standing.cavities,
        "job": standing.job,
        "per_job": standing.per_job,
        "run": _row(standing.run),
        "run_off_s": standing.run_off_s,
        "gaps": [
            (
                each.segment,
                each.first,
                each.last,
                to_ns(each.since),
                to_ns(each.until),
                each.width,
                each.doubt,
                each.dry,
            )
            for each in standing.gaps
        ],
        "earlier": [(each.segment, each.first, each.last) for each in standing.earlier],
        "others": standing.others,
        "made": standing.made,
        "bare": standing.bare,
        "rolls": standing.rolls,
        "shown": standing.shown,
        "pulses": [(to_ns(when), most) for when, most in standing.pulses],
        "steps_s": list(standing.pace.steps_s),
        "floor_s": standing.pace.floor_s,
        "fastest_s": standing.fastest_s,
    }
    if standing.stale:
        counter, at, often = standing.stale
        body["stale"] = (counter, to_ns(at), often)
    if track := standing.track:
        body["track"] = (
            track.counter, track.since, to_ns(track.ended), track.stood, _row(track.doubt)
        )  # fmt: skip
    return json.dumps(body, separators=(",", ":")).encode()


def from_body(body: bytes, segment: Segment, mount: Mount | None) -> Standing:
    """The standing behind `to_body`, without the cycles that it remembers."""
    kept = json.loads(body)
    stale = kept.get("stale")
    track = kept.get("track")
    return Standing(
        segment=segment,
        mount=mount,
        counter=kept["counter"],
        at=_from(kept["at"]),
        ended=_from(kept["ended"]),
        started=kept["started"],
        early_s=kept.get("early_s", 0.0),
        skew_s=kept["skew_s"],
        said=kept["said"],
        resin=kept["resin"],
        cavities=kept["cavities"],
        job=kept["job"],
        per_job=kept["per_job"],
        run=_run(kept["run"]),
        run_off_s=kept.get("run_off_s", 0.0),
        gaps=[
            Gap(number, first, last, from_ns(since), from_ns(until), *rest)
            for number, first, last, since, until, *rest in kept["gaps"]
        ],
        earlier=[Earlier(*each) for each in kept["earlier"]],
        track=Track(
            counter=track[0],
            since=track[1],
            ended=from_ns(track[2]),
            stood=track[3],
            doubt=_run(track[4]),
        )
        if track
        else None,
        others=kept["others"],
        made=tuple(kept["made"]),
        bare=kept.get("bare", False),
        rolls=kept.get("rolls", False),
        shown=tuple(kept["shown"]) if kept["shown"] else None,
        pulses=tuple((from_ns(when), most) for when, most in kept["pulses"]),
        stale=(stale[0], from_ns(stale[1]), stale[2]) if stale else None,
        pace=Pace(kept["steps_s"], kept["floor_s"]),
        fastest_s=kept["fastest_s"],
    )


def _ns(at: datetime | None) -> int | None:
    return None if at is None else to_ns(at)


def _from(ns: int | None) -> datetime | None:
    return None if ns is None else from_ns(ns)


def _row(run: Run | None) -> dict[str, Any] | None:
    if run is None:
        return None
    row = {name: getattr(run, name) for name in _OF_RUN}
    return row | {"since": to_ns(run.since), "until": to_ns(run.until)}


_OF_RUN = tuple(each.name for each in fields(Run))


def _run(row: Mapping[str, Any] | None) -> Run | None:
    if row is None:
        return None
    times = {"since": from_ns(row["since"]), "until": from_ns(row["until"])}
    return Run(**(dict(row) | times))
