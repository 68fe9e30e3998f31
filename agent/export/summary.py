"""What the good shots of an export were like, and how able they were to keep their limits."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agent.export.limits import INCOMPLETE, INSIDE, OUTSIDE
from agent.export.quality import BAD, UNCERTAIN
from agent.export.tally import Group, Sums, Tally
from agent.rows import from_ns
from agent.watch.facts import Facts, Limit
from drivers.signals import SIGNALS, Kind

LEAST = 30
"""Shots below which a deviation says too little for a Cpk."""
ALIKE = 0.25
"""Lag-1 correlation above which neighbors are too much alike for one; by chance alone it is within
2 / sqrt(n)."""

INSIDE_COUNT, OUTSIDE_COUNT = "shots inside all limits", "shots outside a limit"
INCOMPLETE_COUNT = "shots of which a limited value is missing"
WITHOUT_COUNT = "shots without limits in force"
METHOD = (
    "Cpk = min(mean - low, high - mean) / 3 s, s of all n shots together; "
    "shots of production after warm-up, by machine, mold and revision"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One signal of one machine, mold and revision."""

    machine: str
    mold: str | None
    revision: str | None
    signal: str
    unit: str
    n: int
    mean: float
    s: float | None
    """Standard deviation, n - 1; None of a single shot."""
    least: float
    most: float
    alike: float | None
    """Correlation of each shot with the next; None where they don't vary."""
    low: float | None
    high: float | None
    """Limits of the set-up sheet that were in force."""
    cpk: float | None
    note: str
    """Why there is no Cpk."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def summarize(tally: Tally, facts: Mapping[tuple[str, str], Facts]) -> list[Line]:
    """Every signal of every group, in order of machine, mold, revision, and of the vocabulary.

    Args:
        tally: After all rows.
        facts: Limits of set-up sheets, by mold and revision.
    """
    found = []
    for group in sorted(tally.groups, key=lambda each: tuple(word or "" for word in each)):
        for n, name in enumerate(tally.signals):
            if SIGNALS[name].kind in (Kind.CYCLE, Kind.LEVEL) and tally.groups[group].n[n]:
                known = facts.get((group[1] or "", group[2] or ""))
                found.append(_line(group, tally.groups[group], n, name, known))
    return found


def _line(group: Group, sums: Sums, at: int, name: str, facts: Facts | None) -> Line:
    n = int(sums.n[at])
    shifted = float(sums.total[at]) / n
    spread = max(0.0, float(sums.squares[at]) - n * shifted * shifted)
    mean = float(sums.zero[at]) + shifted
    s = math.sqrt(spread / (n - 1)) if n > 1 else None
    alike = None
    if spread > 1e-12 * max(1.0, mean * mean) and sums.pairs[at]:
        product = float(sums.products[at]) - shifted * float(sums.firsts[at] + sums.seconds[at])
        alike = (product + float(sums.pairs[at]) * shifted * shifted) / spread
    limit, changed = _limit(name, sums, facts)
    low = limit.low if limit and limit.low != -math.inf else None
    high = limit.high if limit else None
    cpk, note = None, ""
    if low is None and high is None:
        note = "" if not changed else "its limits changed within these shots"
    elif changed:
        note = "its limits changed within these shots"
    elif n < LEAST:
        note = f"{n} shots are too few"
    elif not s or alike is None:
        note = "its values do not vary"
    elif alike > max(ALIKE, 2 / math.sqrt(n)):
        note = f"neighboring shots are alike (r = {alike:.2f})"
    else:
        sides = [mean - low] if low is not None else []
        sides += [high - mean] if high is not None else []
        cpk = min(sides) / (3 * s)
    return Line(
        machine=group[0], mold=group[1], revision=group[2], signal=name, unit=SIGNALS[name].unit,
        n=n, mean=mean, s=s, least=float(sums.low[at]), most=float(sums.high[at]), alike=alike,
        low=low, high=high, cpk=cpk, note=note,
    )  # fmt: skip


def _limit(name: str, sums: Sums, facts: Facts | None) -> tuple[Limit | None, bool]:
    """The limit at the last shot, and whether it is not the one of all shots."""
    if facts is None:
        return None, False
    first, last = from_ns(sums.first_ns), from_ns(sums.last_ns)
    changed = any(each.signal == name and first < each.since <= last for each in facts.limits)
    return facts.in_force(last).get(name), changed


def counts(tally: Tally, unobserved: int, edges: int, stops: int) -> Sequence[tuple[str, int]]:
    """What was made and what is missing, in words and numbers."""
    lines = [
        ("cycles", tally.rows),
        ("shots", tally.shots),
        ("shots while warming up", tally.warm_up),
        (INSIDE_COUNT, tally.judged[INSIDE]),
        (OUTSIDE_COUNT, tally.judged[OUTSIDE]),
        (INCOMPLETE_COUNT, tally.judged[INCOMPLETE]),
        (WITHOUT_COUNT, tally.judged[""]),
        ("cycles of uncertain quality", tally.quality[UNCERTAIN]),
        ("cycles with a value that is none", tally.quality[BAD]),
        ("shots not observed", unobserved),
        ("more of them at its boundaries, at most", edges),
        ("stops of a minute and more", stops),
    ]
    words = {"parts_good": "good parts", "parts_bad": "bad parts"}
    lines += [(words[name], round(total)) for name, total in sorted(tally.parts.items())]
    lines += [
        (f"cycles in state {state}", n)
        for state, n in sorted(tally.words.get("state", {}).items(), key=str)
    ]
    return lines
