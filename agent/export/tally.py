"""What is counted while the rows of an export go by: sums for its summary, and a hash of them all.

Groups are machine, mold and revision: a mean over two molds says nothing.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.export.page import Page
from agent.export.quality import quality_of
from agent.export.stops import Stop

Floats = NDArray[np.float64]
Group = tuple[str, str | None, str | None]
"""Machine, mold and revision."""

TEXTS = (
    "machine", "mold", "revision", "job", "closing", "state", "mode", "resin", "flags", "extra",
    "provenance", "uncertainty",
)  # fmt: skip
WHOLES = ("id", "time_ns", "segment", "counter")
TOLD_LATE = {"backfilled", "time_uncertain"}
"""Flags of cycles that came after a time in which nobody looked."""
WORDS = ("job", "resin", "state", "mode")


@dataclass(slots=True)
class Sums:
    """Of one group's good shots, by signal: the sums that mean, deviation and neighbors need.

    A good shot is one with plastic, in production, after warm-up. Values are taken from the first
    one on, so that squares stay exact.
    """

    zero: Floats
    n: Floats
    total: Floats
    squares: Floats
    low: Floats
    high: Floats
    pairs: Floats
    products: Floats
    firsts: Floats
    seconds: Floats
    last: Floats
    first_ns: int
    last_ns: int = 0
    shots: int = 0

    @classmethod
    def begin(cls, values: Floats, at_ns: int) -> "Sums":
        """Nothing taken yet.

        Args:
            values: Of its first good shots, shape (shots, signals), NaN where one is missing.
            at_ns: End of the first of them.
        """
        known = ~np.isnan(values)
        first = values[known.argmax(axis=0), np.arange(values.shape[1])]
        zeros = [np.zeros(values.shape[1]) for _ in range(9)]
        n, total, squares, pairs, products, firsts, seconds, low, high = zeros
        return cls(
            zero=np.where(np.isnan(first), 0.0, first), n=n, total=total, squares=squares,
            low=low + np.inf, high=high - np.inf, pairs=pairs, products=products, firsts=firsts,
            seconds=seconds, last=np.full(values.shape[1], np.nan), first_ns=at_ns,
        )  # fmt: skip

    def take(self, values: Floats, at_ns: int) -> None:
        """Some more shots, shape (shots, signals); the last one ended at a time."""
        shifted = values - self.zero
        known = ~np.isnan(shifted)
        plain = np.where(known, shifted, 0.0)
        self.n += known.sum(axis=0)
        self.total += plain.sum(axis=0)
        self.squares += (plain * plain).sum(axis=0)
        self.low = np.minimum(self.low, np.where(known, values, np.inf).min(axis=0))
        self.high = np.maximum(self.high, np.where(known, values, -np.inf).max(axis=0))
        before = np.vstack([self.last, shifted[:-1]])
        both = ~np.isnan(before) & known
        self.pairs += both.sum(axis=0)
        self.products += np.where(both, before * shifted, 0.0).sum(axis=0)
        self.firsts += np.where(both, before, 0.0).sum(axis=0)
        self.seconds += np.where(both, shifted, 0.0).sum(axis=0)
        self.last = shifted[-1]
        self.last_ns = at_ns
        self.shots += len(values)


@dataclass(slots=True)
class Tally:
    """Counts pages of rows; the same rows give the same, however they are cut into pages."""

    signals: Sequence[str]
    words: dict[str, Counter[str | None]] = field(default_factory=dict)
    """How often each word occurs, by column."""
    flags: Counter[str] = field(default_factory=Counter)
    owners: set[Group] = field(default_factory=set)
    """All that occur."""
    groups: dict[Group, Sums] = field(default_factory=dict)
    """Of those with good shots."""
    rows: int = 0
    shots: int = 0
    warm_up: int = 0
    judged: Counter[str] = field(default_factory=Counter)
    """Shots by what the limits say of them; `agent.export.limits`, empty where none was in
    force."""
    quality: Counter[str] = field(default_factory=Counter)
    """Rows by what `agent.export.quality` says of them."""
    late_s: tuple[float, float] | None = None
    """The least and the most time from the end of a cycle, by the clock that stamps it, until it
    was received by ours."""
    stops: list[Stop] = field(default_factory=list)
    beyond: Counter[str] = field(default_factory=Counter)
    """By signal and side: `cooling_time_s:low`."""
    parts: dict[str, float] = field(default_factory=dict)
    """Sums of `parts_good` and `parts_bad`, where the machine counts them."""
    uncertainty_s: float = 0.0
    """The largest of any row's time."""
    _hashes: dict[str, Any] = field(default_factory=dict)

    def take(self, page: Page) -> None:
        """Count the rows of a page."""
        self.rows += len(page.rows)
        for name in WORDS:
            self.words.setdefault(name, Counter()).update(page[name])
        for text, times in Counter(page["flags"]).items():
            for flag in text.split():
                self.flags[flag] += times
        self.owners.update(page.places("machine", "mold", "revision"))
        self.uncertainty_s = max(self.uncertainty_s, *page["time_uncertainty_s"])
        shot = np.array([each == "shot" for each in page["closing"]])
        self.shots += int(shot.sum())
        self.warm_up += sum(page.warm_up)
        self.judged.update(compress(page.judged, shot))
        for text, times in Counter(page["flags"]).items():
            self.quality[quality_of(text)] += times
        self.stops += page.stops
        self._lateness(page)
        for text in page.outside:
            if text:
                self.beyond.update(text.split())
        numbers = np.empty((len(page.rows), len(self.signals)))
        for n, name in enumerate(self.signals):
            numbers[:, n] = page.floats(name)
        for name in ("parts_good", "parts_bad"):
            if name in self.signals:
                column = numbers[:, self.signals.index(name)]
                self.parts[name] = self.parts.get(name, 0.0) + float(np.nansum(column))
        self._hash(page)
        good = shot & np.array([each == "production" for each in page["state"]])
        good &= ~np.array(page.warm_up, dtype=bool)
        self._group(page, numbers, good)

    def _group(self, page: Page, numbers: Floats, good: NDArray[np.bool_]) -> None:
        times = page["time_ns"]
        for (machine, mold, revision), rows in page.places("machine", "mold", "revision").items():
            owner, at = (machine, mold, revision), rows[good[rows]]
            if not len(at):
                continue
            values = numbers[at]
            if owner not in self.groups:
                self.groups[owner] = Sums.begin(values, times[at[0]])
            self.groups[owner].take(values, times[at[-1]])

    def _lateness(self, page: Page) -> None:
        told = np.array([not TOLD_LATE.intersection(text.split()) for text in page["flags"]])
        late_s = (page.wholes("received_ns") - page.wholes("time_ns"))[told] / 1e9
        if len(late_s):
            least, most = self.late_s or (np.inf, -np.inf)
            self.late_s = min(least, float(late_s.min())), max(most, float(late_s.max()))

    def _hash(self, page: Page) -> None:
        for name in TEXTS:
            column = page[name]
            try:
                cells = "\x1e".join(column)
            except TypeError:  # some are missing
                cells = "\x1e".join(["\x1f" if each is None else each for each in column])
            self._hash_of(name).update(f"{cells}\x1e".encode())
        for name in WHOLES:
            self._hash_of(name).update(page.wholes(name).astype("<i8").tobytes())
        for name in self.signals:
            self._hash_of(name).update(page.floats(name).astype("<f8").tobytes())

    def _hash_of(self, name: str) -> Any:
        if name not in self._hashes:
            self._hashes[name] = hashlib.sha256()
        return self._hashes[name]

    @property
    def sha256(self) -> str:
        """Of all rows as the record has them, whatever the format."""
        digests: Mapping[str, str] = {name: each.hexdigest() for name, each in self._hashes.items()}
        lines = [f"{name} {digests[name]}\n" for name in sorted(digests)]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
