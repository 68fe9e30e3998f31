"""What the watch says of a stream, beside what is true."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.anomaly import Anomaly
from agent.replay import Replay
from bench.watch.stream import Cause, Stream

Judged = Literal["right", "unexplained", "wrong", "missed", "silent"]
"""`silent` is right where nothing should be said."""

BESIDE: frozenset[Cause] = frozenset(
    ("shot_count", cause) for cause in ("mold_unknown", "shots_unobserved", "dry_cycles")
)
"""True where the streams have such, said of the counting, and no verdict on the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An anomaly as it opened."""

    cycle: int
    """The closing after which it did, counted from 1; those that nobody saw count."""
    anomaly: Anomaly

    @property
    def cause(self) -> Cause:
        """Kind and cause."""
        return self.anomaly.kind, self.anomaly.cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """One stream from end to end."""

    cycles: Counter[str | None]
    """Closings with a record, by mold."""
    raised: Sequence[Raised]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How the watch did on one stream with a trouble."""

    stream: str
    judged: Judged
    said: Cause | None
    """What decided it."""
    delay: int | None
    """Cycles from the first that is touched, which counts as 1, to the first anomaly; None where
    there was none within the trouble's time."""
    to_say: bool
    """Whether something should be said at all."""
    early: int
    """Anomalies before there was anything; false ones."""


def walked(stream: Stream, *, together: bool = False) -> Walked:
    """Walk a stream through the agent's stages; with `together`, the second opinion too."""
    replay = Replay(stream.revisions, together=together)
    cycles: Counter[str | None] = Counter()
    raised: list[Raised] = []
    known: set[str] = set()
    n = 0
    for observation in stream.observations():
        outcome = replay.observe(observation)
        for entry in outcome.entries:
            if entry.booked:
                n = entry.booked.cycle.counter  # from 1, those that nobody saw included
                cycles[entry.booked.mold] += 1
        for anomaly in outcome.anomalies:
            if anomaly.id not in known and (anomaly.kind, anomaly.cause) not in BESIDE:
                known.add(anomaly.id)
                raised.append(Raised(cycle=n, anomaly=anomaly))
    return Walked(cycles=cycles, raised=raised)


def judge(stream: Stream, found: Walked) -> Verdict:
    """Judge what was said of a stream with a trouble.

    One wrong name makes it wrong, whatever else was said; a consequence that is linked to its cause
    is no name.
    """
    trouble = stream.trouble
    assert trouble is not None
    early = [each for each in found.raised if each.cycle < trouble.first]
    after = [each for each in found.raised if each.cycle >= trouble.first]
    first = next(iter(after), None)
    delay = first.cycle - trouble.first + 1 if first else None
    if delay is not None and delay > trouble.within and trouble.right:
        delay = None
    judged, said = _judged(after, trouble.right, trouble.also)
    if delay is None and judged in ("right", "unexplained"):
        judged = "missed"
    return Verdict(
        stream=stream.name,
        judged=judged,
        said=said,
        delay=delay,
        to_say=bool(trouble.right),
        early=len(early),
    )


def _judged(
    after: Sequence[Raised], right: frozenset[Cause], also: frozenset[Cause]
) -> tuple[Judged, Cause | None]:
    causes = [each.cause for each in after if each.anomaly.follows is None]
    for cause in causes:
        if cause not in right | also and (cause[1] != "unexplained" or not right):
            return "wrong", cause
    for cause in causes:
        if cause in right:
            return "right", cause
    if causes and right:
        return "unexplained", causes[0]
    return ("missed", None) if right else ("silent", None)


def poisson_interval(events: int, level: float = 0.95) -> tuple[float, float]:
    """Exact two-sided interval for the mean of a Poisson count.

    >>> [[round(bound, 2) for bound in poisson_interval(n)] for n in (0, 5)]
    [[0.0, 3.69], [1.62, 11.67]]
    """
    tail = (1 - level) / 2
    low = _mean_where(events - 1, 1 - tail) if events else 0.0
    return low, _mean_where(events, tail)


def _mean_where(events: int, share: float) -> float:
    """The mean at which at most so many events have a share of the probability."""
    low, high = 0.0, 10.0 + 4.0 * events
    for _ in range(80):
        mean = (low + high) / 2
        if _at_most(events, mean) > share:
            low = mean
        else:
            high = mean
    return (low + high) / 2


def _at_most(events: int, mean: float) -> float:
    if mean == 0:
        return 1.0
    return sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(events + 1))


def quantile(values: Iterable[int], share: float) -> int | None:
    """The value below or at which a share of them lies; None of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None
