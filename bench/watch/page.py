"""The tables of `docs/reference/watch.md`."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from bench.watch import drawn, molded
from bench.watch.campaign import CleanOutcome, FaultOutcome, Results, Task
from bench.watch.cost import Cost
from bench.watch.scoring import Judged, poisson_interval, quantile

K = TypeVar("K")

JUDGED: tuple[Judged, ...] = ("right", "unexplained", "wrong", "missed", "silent")


def tables(results: Results, costs: Sequence[Cost] = ()) -> str:
    """All tables, as Markdown."""
    parts = [
        "### False alarms",
        false_alarms([each for each in results.clean if not each.together]),
        "### False alarms of all signals together",
        false_alarms([each for each in results.clean if each.together]),
        "### Causes, by what the machine shows",
        causes(results.faults, "interface"),
        "### Causes and delays, machines that show everything",
        causes([each for each in results.faults if each.task.interface == "everything"], "fault"),
        "### What was said (rows: what was wrong)",
        confusion(results.faults),
        "### Delays of lasting shifts, drawn streams",
        delays(results.faults),
    ]
    if costs:
        parts += ["### Cost", cost(costs)]
    return "\n\n".join(parts) + "\n"


def false_alarms(clean: Sequence[CleanOutcome]) -> str:
    """By mold, with the Poisson interval of the rate."""
    rows = []
    for each in sorted(clean, key=lambda one: one.mold):
        rows.append([each.mold, each.kind, *_rate(each.cycles, each.alarms)])
    for name, prefix in (("molded", "W"), ("drawn", "D")):
        some = [each for each in clean if each.mold.startswith(prefix)]
        if some:
            alarms = sum((each.alarms for each in some), Counter())
            rows.append([f"all {name}", "", *_rate(sum(each.cycles for each in some), alarms)])
    heads = ["mold", "what it is like", "cycles", "false", "per 10,000", "95 %", "which"]
    return table(heads, rows)


def _rate(cycles: int, alarms: Counter[tuple[str, str]]) -> list[object]:
    low, high = poisson_interval(alarms.total())
    share = 10_000 / cycles if cycles else 0.0
    which = ", ".join(f"{n} {kind}/{cause}" for (kind, cause), n in alarms.most_common())
    return [
        f"{cycles:,}",
        alarms.total(),
        f"{alarms.total() * share:.2f}",
        f"{low * share:.2f} to {high * share:.2f}",
        which,
    ]


def causes(faults: Sequence[FaultOutcome], by: str) -> str:
    """Shares of verdicts, and delays of what was found."""

    def name(one: FaultOutcome) -> str:
        case = molded.CASES[one.task.case]
        what = f"{case.fault} {case.size:g} {case.unit}".strip()
        return one.task.interface if by == "interface" else what

    shown = [each for each in faults if each.task.part == "molded faults"]
    rows = [[key, *_verdicts(some)] for key, some in _grouped(shown, name)]
    rows.append(["all", *_verdicts(shown)])
    heads = [
        by,
        "streams",
        *JUDGED,
        "right of those to be said",
        "wrong of all",
        "delay 50 %",
        "90 %",
        "early",
    ]
    return table(heads, rows)


def _verdicts(some: Sequence[FaultOutcome]) -> list[object]:
    n = len(some)
    judged = Counter(each.verdict.judged for each in some)
    found = [
        each.verdict.delay
        for each in some
        if each.verdict.delay is not None and each.verdict.to_say
    ]
    to_say = sum(each.verdict.to_say for each in some)
    return [
        n,
        *(judged[each] or "" for each in JUDGED),
        _share(judged["right"], to_say),
        _share(judged["wrong"], n),
        quantile(found, 0.5) or "",
        quantile(found, 0.9) or "",
        sum(each.verdict.early for each in some) or "",
    ]


def confusion(faults: Sequence[FaultOutcome]) -> str:
    """Fault by what was said of it, over all interfaces."""
    shown = [each for each in faults if each.task.part == "molded faults"]
    rows: list[list[object]] = []
    for fault, some in _grouped(shown, lambda one: molded.CASES[one.task.case].fault):
        said = Counter(
            "/".join(each.verdict.said) if each.verdict.said else "nothing" for each in some
        )
        rows.append([fault, ", ".join(f"{words} {n}" for words, n in said.most_common())])
    return table(["fault", "said, and how often"], rows)


def delays(faults: Sequence[FaultOutcome]) -> str:
    """By signal and size: median and 90th percentile of the delay, and what was missed."""

    def name(task: Task) -> tuple[str, str]:
        shift = drawn.SHIFTS[task.case]
        over = f" over {shift.over}" if shift.over > 1 else ""
        return shift.signal, f"{shift.by:g} {shift.unit}{over}"

    shown = [each for each in faults if each.task.part == "drawn shifts"]
    rows: list[list[object]] = []
    for (signal, size), some in _grouped(shown, lambda one: name(one.task)):
        found = [each.verdict.delay for each in some if each.verdict.delay is not None]
        judged = Counter(each.verdict.judged for each in some)
        rows.append(
            [
                signal, size, len(some), quantile(found, 0.5) or "", quantile(found, 0.9) or "",
                _share(len(some) - len(found), len(some)), _share(judged["wrong"], len(some)),
            ]
        )  # fmt: skip
    heads = ["signal", "shift", "streams", "delay 50 %", "90 %", "missed in 50", "wrong name"]
    return table(heads, rows)


def cost(costs: Sequence[Cost]) -> str:
    """Processor time a cycle, of one core."""
    rows = [
        [
            each.stream,
            each.signals,
            f"{each.watch_us:.0f} µs",
            f"{each.walk_us:.0f} µs",
            f"{1e6 / each.walk_us:,.0f}",
        ]
        for each in costs
    ]
    heads = ["stream", "signals", "watch alone", "a line of CSV, all stages", "cycles a second"]
    return table(heads, rows)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of Markdown."""
    lines = [list(heads), ["---"] * len(heads), *([str(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _grouped(
    some: Sequence[FaultOutcome], key: Callable[[FaultOutcome], K]
) -> Iterator[tuple[K, list[FaultOutcome]]]:
    groups: dict[K, list[FaultOutcome]] = {}
    for each in some:
        groups.setdefault(key(each), []).append(each)
    yield from groups.items()


def _share(some: int, n: int) -> str:
    return f"{100 * some / n:.1f} %" if n else ""
