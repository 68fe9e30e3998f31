"""When a press stood still between shots of an export, and what was told just before or meanwhile.

Stops are found by the walk that finds warm-up shots, so that the two agree.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.export.coverage import Coverage
from agent.export.events import Event
from agent.rows import from_ns, to_ns

REASONS = ("message", "mode", "production", "mold", "job", "user")
"""Kinds of events that say why; in this order of how much they do."""
SAID_MOST = 3
UNKNOWN = "nobody told why"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A stretch of a minute or more in which a press made nothing, before a shot."""

    machine: str
    before: tuple[int, int]
    """Segment and counter of the shot that came then."""
    after_ns: int
    """End of the shot before."""
    pace_s: float
    """Of the shots before."""
    stood_s: float


def stops_as_events(
    stops: Iterable[Stop], covered: Sequence[Coverage], events: Sequence[Event]
) -> list[Event]:
    """Stops within a selection, each with its reason.

    Args:
        stops: All that were found, in any order.
        covered: The selection, by machine.
        events: What happened in it, in order of time.
    """
    told: dict[str, list[Event]] = {}
    for event in events:
        if event.kind in REASONS:
            told.setdefault(event.machine, []).append(event)
    times = {name: [to_ns(each.at) for each in mine] for name, mine in told.items()}
    found = []
    for stop in dict.fromkeys(stops):
        mine = [each for each in covered if each.machine == stop.machine]
        until_ns = stop.after_ns + round(stop.stood_s * 1e9)
        if not any(_overlap(each, stop.after_ns, until_ns) for each in mine):
            continue
        lasts = times.get(stop.machine, [])
        # What ends a shot's cycle early, an alarm say, is told before its end.
        first = bisect_left(lasts, stop.after_ns - round(stop.pace_s * 1e9))
        said = told.get(stop.machine, [])[first : bisect_right(lasts, until_ns)]
        segment, counter = stop.before
        found.append(
            Event(
                at=from_ns(stop.after_ns), machine=stop.machine, kind="stop",
                name=f"before shot {segment}/{counter}", new=f"{stop.stood_s / 60:.1f} min",
                words=_reason(said, stop.after_ns, until_ns, mine),
            )
        )  # fmt: skip
    return found


def _overlap(covered: Coverage, since_ns: int, until_ns: int) -> bool:
    return since_ns < to_ns(covered.until) and until_ns > to_ns(covered.since)


def _reason(said: Sequence[Event], since: int, until: int, covered: Iterable[Coverage]) -> str:
    in_order = sorted(said, key=lambda each: REASONS.index(each.kind))
    words = list(dict.fromkeys(map(_told, in_order)))
    if len(words) > SAID_MOST:
        words = [*words[:SAID_MOST], f"{len(words) - SAID_MOST} more events"]
    if any(
        since < to_ns(ends) and until > to_ns(begins)
        for each in covered
        for begins, ends in each.blind
    ):
        words.append("the press could not be seen for a part of it")
    return "; ".join(words) or UNKNOWN


def _told(event: Event) -> str:
    who = f" (by {event.who})" if event.who else ""
    if event.kind == "message":
        return f"{event.words or event.new or event.name}{who}"
    if event.old and not event.new:
        change = f"{event.old} ended"
    else:
        change = " to ".join(word for word in (event.old, event.new) if word)
    if event.kind == "mold" and event.name != event.kind:  # mounted, entered, or withdrawn
        change = f"{event.name} {change}".rstrip()
    return f"{event.kind}: {change or event.name}{who}"
