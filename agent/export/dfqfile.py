"""Q-DAS ASCII: one file with the description of a part and its values (DFQ), for SPC programs.

One characteristic a signal; one line of values a shot, and after it what is said of all of them.
The format knows no time zone: the time in a value line is the site's, K0009 has it with its offset.

Source: Q-DAS ASCII transfer format V12; K-fields that makers of measuring programs write and read.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from agent.export.error import ExportError
from agent.export.page import Page
from agent.export.table import Table
from agent.export.tally import Tally
from agent.rows import from_ns
from agent.watch.facts import Limit
from drivers.signals import SIGNALS, Kind

BETWEEN, WITHIN = "\x0f", "\x14"
"""Characteristics of a shot, and parts of a value."""
VALID, INVALID, PLACEHOLDER = 0, 129, 255
PRE_RUN = 50
"""Reason of a shot that is not of the production yet: warm-up, set-up, test."""
MOST_DECIMALS = 9
TEXT_MOST = 80
"""Characters of a text; the fields' lengths are 20 to 255."""


def write_dfq(
    table: Table,
    path: Path,
    *,
    zone: ZoneInfo,
    progress: Callable[[int], None] = lambda n: None,
) -> int:
    """Write a table; it is read twice, since decimals and limits stand before the values.

    Args:
        table: What; of one revision of one mold.
        path: Where to.
        zone: Of times.
        progress: Told how many rows are written.

    Returns:
        How many rows there are; closings without plastic are none to an SPC program.

    Raises:
        ExportError: there are several molds or revisions, or no signal.
        OSError: it can't be written.
    """
    first = _Survey(table)
    head = "".join(f"{line}\r\n" for line in first.head())
    encoding = "cp1252" if _fits(head) else "utf-8-sig"
    n = 0
    with path.open("w", encoding=encoding, errors="replace", newline="") as file:
        file.write(head)
        for page in table.pages():
            file.writelines(first.lines(page, zone))
            n += len(page.rows)
            progress(n)
    return n


class _Survey:
    """What the head of the file says of all rows, found by reading them once."""

    def __init__(self, table: Table) -> None:
        known = [
            name for name in table.survey.signals if SIGNALS[name].kind in (Kind.CYCLE, Kind.LEVEL)
        ]
        if not known:
            raise ExportError("no signal with a value was recorded: Q-DAS has nothing to describe")
        self._signals = known
        decimals = dict.fromkeys(known, 0)
        molds: set[tuple[str | None, str | None]] = set()
        parts: dict[tuple[str, str], None] = {}
        first_ns: int | None = None
        counted = Tally(table.survey.signals)
        for page in table.pages(tally=counted):
            molds |= set(zip(page["mold"], page["revision"], strict=True))
            numbers = zip(page.said["part_number"], page.said["part_revision"], strict=True)
            parts.update(dict.fromkeys(each for each in numbers if each[0]))
            first_ns = page["time_ns"][0] if first_ns is None else first_ns
            last_ns = page["time_ns"][-1]
            for name in known:
                decimals[name] = max(decimals[name], _decimals(page, name))
        if len(molds) > 1:
            names = ", ".join(
                sorted(f"{mold or 'unknown'} {rev or ''}".strip() for mold, rev in molds)
            )
            raise ExportError(
                f"Q-DAS describes one part: choose one with --mold and --revision; found {names}"
            )
        self._mold, self._revision = molds.pop()
        self._decimals = decimals
        self._part = next(iter(parts)) if len(parts) == 1 else None
        self._resins = [word for word in counted.words.get("resin", {}) if word]
        self._jobs = [word for word in counted.words.get("job", {}) if word]
        self._machines = sorted({each.machine for each in table.survey.coverage if each.cycles})
        self._limits = self._in_force(table, first_ns or 0, last_ns)

    def _in_force(self, table: Table, first_ns: int, last_ns: int) -> Mapping[str, Limit]:
        """Those that were the same for all rows; the format has no place for others."""
        facts = table.limits.facts.get((self._mold or "", self._revision or ""))
        if facts is None:
            return {}
        first, last = from_ns(first_ns), from_ns(last_ns)
        changed = {each.signal for each in facts.limits if first < each.since <= last}
        return {name: limit for name, limit in facts.in_force(first).items() if name not in changed}

    def head(self) -> Iterator[str]:
        """The description of part and characteristics."""
        yield f"K0100 {len(self._signals)}"
        mold = f"{self._mold or 'unknown'}"
        number, revision = self._part or (mold, self._revision or "")
        fields = [
            ("K1001", number),
            ("K1002", mold if self._part is None else f"{mold} {self._revision or ''}"),
            ("K1004", revision),
            ("K1032", self._resins[0] if len(self._resins) == 1 else ""),
            ("K1081", self._machines[0] if len(self._machines) == 1 else ""),
            ("K1110", self._jobs[0] if len(self._jobs) == 1 else ""),
        ]
        for key, text in fields:
            if plain := _plain(text):
                yield f"{key} {plain}"
        for n, name in enumerate(self._signals, 1):
            signal = SIGNALS[name]
            yield f"K2001/{n} {n}"
            yield f"K2002/{n} {_plain(name)}"
            yield f"K2004/{n} 0"
            yield f"K2022/{n} {self._decimals[name]}"
            limit = self._limits.get(name)
            if limit is not None and limit.low is not None and np.isfinite(limit.low):
                yield f"K2110/{n} {_number(limit.low)}"
            if limit is not None and limit.high is not None:
                yield f"K2111/{n} {_number(limit.high)}"
            if signal.unit:
                yield f"K2142/{n} {signal.unit}"

    def lines(self, page: Page, zone: ZoneInfo) -> Iterator[str]:
        """Every shot's line of values, and the lines about it."""
        columns = [page[name] for name in self._signals]
        for n, ns in enumerate(page["time_ns"]):
            if page["closing"][n] != "shot":
                continue
            at = from_ns(ns).astimezone(zone)
            stamp = f"{at:%d.%m.%Y/%H:%M:%S}"
            flags = page["flags"][n].split()
            yield (
                BETWEEN.join(
                    self._value(name, column[n], stamp, flags)
                    for name, column in zip(self._signals, columns, strict=True)
                )
                + "\r\n"
            )
            for key, text in self._about(page, n, at.isoformat(timespec="microseconds")):
                if text:
                    yield f"{key}/0 {text}\r\n"

    def _value(self, name: str, value: float | None, stamp: str, flags: Sequence[str]) -> str:
        if value is None or not np.isfinite(value):
            return f"0{WITHIN}{PLACEHOLDER}{WITHIN}{stamp}"
        invalid = f"implausible:{name}" in flags or f"not_a_number:{name}" in flags
        text = f"{value:.{self._decimals[name]}f}"
        return f"{text}{WITHIN}{INVALID if invalid else VALID}{WITHIN}{stamp}"

    def _about(self, page: Page, n: int, time: str) -> Iterator[tuple[str, str]]:
        said = {name: _plain(cells[n]) for name, cells in page.said.items()}
        machine = _plain(page["machine"][n])
        words = [time, page["state"][n], *page["flags"][n].split(), *page.outside[n].split()]
        nth, least, most = (cells[n] for cells in page.mold_shots)
        if nth is not None:
            bounds = "" if least is None else f" ({least} to {most})"
            words.append(f"mold_shot {nth}{bounds}")
        for name in ("operator", "open_cavities", "box"):
            if said[name]:
                words.append(f"{name} {said[name]}")
        yield "K0006", said["resin_lot"]
        yield "K0009", _plain(" ".join(words), most=255)
        number = f"{machine}/{page['segment'][n]}/{page['counter'][n]}"
        yield "K0014", said["part_ids"] or number
        yield "K0015", str(PRE_RUN) if page.warm_up[n] or page["state"][n] != "production" else ""
        yield "K0016", number
        yield "K0053", _plain(page["job"][n] or "")


def _decimals(page: Page, name: str) -> int:
    """How many a page's values have."""
    values = np.array(page[name], dtype=np.float64)
    values = values[np.isfinite(values)]
    for n in range(MOST_DECIMALS):
        if np.all(np.round(values, n) == values):
            return n
    return MOST_DECIMALS


def _number(value: float) -> str:
    return np.format_float_positional(value, trim="-")


def _plain(text: str, most: int = TEXT_MOST) -> str:
    """A text without what would end a line or a value."""
    return "".join(each if each.isprintable() else " " for each in text).strip()[:most]


def _fits(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
