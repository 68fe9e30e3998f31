"""PDF for people: a face page to sign, then limits, what was said, events, and the cycles."""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.export.content import Content, content
from agent.export.page import Page
from agent.export.sheet import BOLD, INK, INK_3, MARGIN, Head, Sheet
from agent.export.strip import Strip, draw
from agent.export.summary import INCOMPLETE_COUNT, METHOD, OUTSIDE_COUNT, WITHOUT_COUNT, Line
from agent.export.table import Table
from agent.export.tally import Tally
from agent.rows import from_ns
from drivers.signals import SIGNALS, Kind

ON_FACE = ("cooling_time_s", "cycle_time_s", "cavity_pressure_peak_bar", "cushion_mm")
"""Drawn where no limits say what matters."""
CHARTS_MOST, LINES_ON_FACE, GAPS_ON_FACE = 4, 8, 4
SIGNALS_MOST = 9
"""Beside each other on a page; others are in the other formats."""
DIGITS = 9
"""Of a value on paper: all that a float of 32 bits has. The other formats have every digit."""
NOT_BESIDE = ("parts_good", "parts_bad")


def write_pdf(
    table: Table,
    path: Path,
    *,
    zone: ZoneInfo,
    site: str,
    progress: Callable[[int], None] = lambda n: None,
) -> int:
    """Write a table; it is read twice, since the face page says what the rows come to.

    Args:
        table: What.
        path: Where to.
        zone: Of times.
        site: Where the presses are.
        progress: Told how many rows are written.

    Returns:
        How many rows there are.

    Raises:
        OSError: it can't be written.
    """
    measured = [
        name
        for name in table.survey.signals
        if SIGNALS[name].kind in (Kind.CYCLE, Kind.LEVEL) and name not in NOT_BESIDE
    ]
    strips = {name: Strip(table.survey.rows) for name in measured}
    for page in table.pages():
        for name, strip in strips.items():
            strip.take(page[name])
    said = content(table, zone, site)
    asked = dict(said.header)["Asked for"]
    sheet = Sheet(path, f"Process record: {asked}; SHA-256 of its rows {said.rows_sha256[:16]}...")
    _face(sheet, table, said, zone, strips)
    _more(sheet, table, said, zone)
    n = _rows(sheet, table, _beside(said, measured), zone, progress)
    sheet.save()
    return n


def _face(
    sheet: Sheet, table: Table, said: Content, zone: ZoneInfo, strips: dict[str, Strip]
) -> None:
    header, counts = dict(said.header), dict(said.counts)
    sheet.text(MARGIN, sheet.y - 16, "Process record", 18, BOLD, INK)
    site = "" if header["Site"] == "not known" else header["Site"]
    sheet.text(sheet.width - MARGIN, sheet.y - 12, site, 9, BOLD, INK, right=True)
    sheet.gap(22)
    sheet.paragraph(header["Asked for"], 9)
    sheet.gap(6)
    blind_min = sum(each.blind_s for each in table.survey.coverage) / 60
    outside, missing = counts[OUTSIDE_COUNT], counts["shots not observed"]
    lacking, unjudged = counts[INCOMPLETE_COUNT], counts[WITHOUT_COUNT]
    edges = sum(each.unobserved_at_edges for each in table.survey.coverage)
    sheet.figures(
        [
            (str(counts["cycles"]), "cycles recorded", False),
            (str(outside), "shots outside a limit", outside > 0),
            (str(lacking + unjudged), "shots not judged", lacking > 0),
            (f"{missing}{f' to {missing + edges}' if edges else ''}", "shots not observed",
             missing + edges > 0),
            (f"{blind_min:.1f}", "minutes blind", blind_min > 0),
        ]
    )  # fmt: skip
    hidden = {"Asked for", "Site"}
    sheet.pairs((name, text) for name, text in said.header if name not in hidden)
    limited = [each for each in said.lines if each.low is not None or each.high is not None]
    shown = (limited or said.lines)[:LINES_ON_FACE]
    if shown:
        sheet.heading("Shots in production, after warm-up")
        _summary(sheet, shown)
        if len(shown) < len(said.lines):
            sheet.paragraph(f"{len(said.lines) - len(shown)} more lines are on the next pages.", 7)
    sheet.heading("Gaps")
    gaps = list(_gaps(table, zone))
    if gaps:
        sheet.table(GAPS, gaps[:GAPS_ON_FACE])
        if len(gaps) > GAPS_ON_FACE:
            sheet.paragraph(f"{len(gaps) - GAPS_ON_FACE} more are on the next pages.", 7)
    else:
        sheet.paragraph("None: every shot was observed, and the machines could be seen throughout.")
    names = [each.signal for each in limited] or [name for name in ON_FACE if name in strips]
    chosen = list(dict.fromkeys(name for name in names if name in strips))[:CHARTS_MOST]
    if chosen:
        sheet.heading("Every cycle, in order of arrival; limits dashed")
    for name in chosen:
        lines = [each for each in said.lines if each.signal == name]
        low, high = (lines[0].low, lines[0].high) if len(lines) == 1 else (None, None)
        draw(sheet, strips[name], name, low, high)
    sheet.gap(8)
    sheet.lines_to_sign(
        ["made by: name, date", "checked by: name, date", "released by: name, date"]
    )


SUMMARY = (
    Head("signal", 5), Head("machine, mold", 4), Head("low", 2, right=True),
    Head("high", 2, right=True), Head("n", 2, right=True), Head("mean", 2, right=True),
    Head("s", 2, right=True), Head("least", 2, right=True), Head("most", 2, right=True),
    Head("Cpk", 5),
)  # fmt: skip
GAPS = (Head("machine", 2), Head("what", 4), Head("since", 4), Head("until", 4))
EVENTS = (
    Head("time", 4), Head("machine", 2), Head("what", 3), Head("name", 5), Head("old", 3),
    Head("new", 3), Head("by", 3), Head("words", 7),
)  # fmt: skip


def _summary(sheet: Sheet, lines: Sequence[Line]) -> None:
    rows = [
        (
            each.signal, f"{each.machine}, {each.mold or 'unknown'} {each.revision or ''}",
            _short(each.low), _short(each.high), str(each.n), _short(each.mean), _short(each.s, 4),
            _short(each.least), _short(each.most),
            f"{each.cpk:.2f}" if each.cpk is not None else each.note,
        )
        for each in lines
    ]  # fmt: skip
    sheet.table(SUMMARY, rows)
    sheet.paragraph(METHOD, 6.5, INK_3)


def _more(sheet: Sheet, table: Table, said: Content, zone: ZoneInfo) -> None:
    """What the face page has no room for."""
    sheet.page()
    sheet.heading("Counts")
    sheet.pairs(((name, str(n)) for name, n in said.counts), indent=180)
    if said.lines:
        sheet.heading("All signals of shots in production, after warm-up")
        _summary(sheet, said.lines)
    if said.limits:
        sheet.heading("Limits of the set-up sheet, as they were entered")
        heads = (Head("mold", 3), Head("signal", 5), Head("low", 2, right=True),
                 Head("high", 2, right=True), Head("since", 5), Head("by", 4))  # fmt: skip
        rows = [
            (f"{each.mold} {each.revision}", each.signal, _short(each.low), _short(each.high),
             _time(each.since, zone), each.who)
            for each in said.limits
        ]  # fmt: skip
        sheet.table(heads, rows)
    if said.uses:
        sheet.heading("What people said")
        kinds = (Head("kind", 2), Head("label", 4), Head("machine", 2), Head("first shot", 2),
                 Head("last shot", 2), Head("cycles", 2, right=True), Head("more", 6),
                 Head("by", 3))  # fmt: skip
        rows_ = [
            (use.entry.kind, use.entry.label, use.machine, "/".join(map(str, use.first)),
             "/".join(map(str, use.last)), str(use.rows),
             ", ".join(f"{name}: {text}" for name, text in use.entry.details.items()),
             use.entry.who)
            for use in said.uses
        ]  # fmt: skip
        sheet.table(kinds, rows_)
        sheet.paragraph("Shots are segment/counter of the machine.", 6.5)
    gaps = list(_gaps(table, zone))
    if gaps:
        sheet.heading("All gaps")
        sheet.table(GAPS, gaps)
    if said.events:
        sheet.heading("What happened meanwhile")
        sheet.table(
            EVENTS,
            (
                (_time(each.at, zone), each.machine, each.kind, each.name, each.old, each.new,
                 each.who, each.words)
                for each in said.events
            ),
        )  # fmt: skip


def _gaps(table: Table, zone: ZoneInfo) -> Iterator[tuple[str, str, str, str]]:
    for each in table.survey.coverage:
        span = _time(each.since, zone), _time(each.until, zone)
        if each.unobserved:
            yield each.machine, f"{each.unobserved} shots not observed", *span
        if each.unobserved_at_edges:
            yield each.machine, f"up to {each.unobserved_at_edges} more at its boundaries", *span
        for since, until in each.blind:
            yield each.machine, "could not be seen", _time(since, zone), _time(until, zone)


def _beside(said: Content, measured: Sequence[str]) -> list[str]:
    """Signals with limits first, then the vocabulary's order."""
    limited = {each.signal for each in said.lines if each.low is not None or each.high is not None}
    return sorted(measured, key=lambda name: name not in limited)[:SIGNALS_MOST]


def _rows(
    sheet: Sheet,
    table: Table,
    signals: Sequence[str],
    zone: ZoneInfo,
    progress: Callable[[int], None],
) -> int:
    """Every cycle, red where it is outside a limit."""
    sheet.page(wide=True)
    sheet.heading(f"Cycles; times in {zone.key}, numbers to {DIGITS} digits")
    heads = [
        Head("end", 4.6), Head("machine", 2.4), Head("shot", 2.2, right=True),
        Head("of the mold's life", 2.2, right=True), Head("state", 2.4),
        *(Head(_head(name), 2.2, right=True) for name in signals),
        Head("lot, box, part", 3.6), Head("outside, flags", 4.2),
    ]  # fmt: skip
    n = 0
    marks: list[list[bool]] = []

    def rows() -> Iterator[tuple[str, ...]]:
        nonlocal n
        for page in table.pages(tally=Tally(table.survey.signals)):
            for at in range(len(page.rows)):
                outside = page.outside[at].split()
                beyond = {word.rpartition(":")[0] for word in outside}
                marks.append([False] * 5 + [name in beyond for name in signals] + [False] * 2)
                yield _row(page, at, signals, zone)
            n += len(page.rows)
            progress(n)

    def red() -> Iterator[list[bool]]:
        while True:
            yield marks.pop(0)

    sheet.table(heads, rows(), size=6, red=red())
    return n


def _row(page: Page, at: int, signals: Sequence[str], zone: ZoneInfo) -> tuple[str, ...]:
    state = page["state"][at]
    if page["closing"][at] != "shot":
        state = "no plastic"
    elif page.warm_up[at]:
        state = f"{state}, warm-up" if state != "production" else "warm-up"
    said = [page.said[name][at] for name in ("resin_lot", "box", "part_ids")]
    return (
        _time(from_ns(page["time_ns"][at]), zone),
        page["machine"][at],
        f"{page['segment'][at]}/{page['counter'][at]}",
        _of_life(page, at),
        state,
        *("" if page[name][at] is None else f"{page[name][at]:.{DIGITS}g}" for name in signals),
        " ".join(word for word in said if word),
        " ".join([*page.outside[at].split(), *page["flags"][at].split()]),
    )


def _of_life(page: Page, at: int) -> str:
    number, least, most = (cells[at] for cells in page.mold_shots)
    if number is None:
        return ""
    return str(number) if least is None else f"{number} ({least} to {most})"


def _head(name: str) -> str:
    unit = SIGNALS[name].unit
    suffix = name.rpartition("_")[2] if unit else ""
    words = name.removesuffix(f"_{suffix}").replace("_l", "") if unit == "L/min" else name
    words = words.removesuffix(f"_{suffix}").replace("_", " ")
    return f"{words}, {unit}" if unit else words


def _short(value: float | None, digits: int = 6) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.{digits}g}"


def _time(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}{local:%z}"
