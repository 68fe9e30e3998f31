"""Whether shots kept the set-up sheet's limits that were in force when they were made."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agent.export.page import Page
from agent.rows import to_ns
from agent.watch.facts import Facts, Limit

INSIDE, OUTSIDE, INCOMPLETE = "inside", "outside", "incomplete"
"""`incomplete`: a value that is limited is missing, and no other is outside. Empty: no limit was in
force, or it was no shot."""

Force = Mapping[str, Limit]
"""Limits by signal."""


@dataclass(slots=True)
class Limits:
    """What the set-up sheets limit."""

    facts: Mapping[tuple[str, str], Facts]
    """By mold and revision."""
    _forces: dict[tuple[str, str], tuple[NDArray[np.int64], list[Force]]] = field(
        default_factory=dict
    )
    """By mold and revision: since when, and which."""

    def judge(self, page: Page) -> tuple[list[str], list[str]]:
        """By row, the result, and what is outside as `cooling_time_s:low cushion_mm:high`."""
        results, words = [""] * len(page.rows), [""] * len(page.rows)
        if not self.facts:
            return results, words
        is_shot = np.array([closing == "shot" for closing in page["closing"]])
        for (mold, revision), all_rows in page.places("mold", "revision").items():
            if (mold, revision) not in self.facts:
                continue
            since, forces = self._in_force(mold, revision)
            rows = all_rows[is_shot[all_rows]]
            at = np.searchsorted(since, page.wholes("time_ns")[rows], "right") - 1
            for n in np.unique(at[at >= 0]).tolist():
                _judge(page, rows[at == n], forces[n], results, words)
        return results, words

    def _in_force(self, mold: str, revision: str) -> tuple[NDArray[np.int64], list[Force]]:
        key = mold, revision
        if key not in self._forces:
            facts = self.facts[key]
            since = sorted({limit.since for limit in facts.limits})
            times = np.array([to_ns(at) for at in since], dtype=np.int64)
            self._forces[key] = times, [facts.in_force(at) for at in since]
        return self._forces[key]


def _judge(
    page: Page, rows: NDArray[np.intp], force: Force, results: list[str], words: list[str]
) -> None:
    """Rows that the same limits hold for; what is infinite is a limit that was lifted."""
    limits = {
        signal: limit
        for signal, limit in force.items()
        if any(each is not None and np.isfinite(each) for each in (limit.low, limit.high))
    }
    if not limits:
        return
    missing = np.zeros(len(rows), dtype=bool)
    for signal, limit in limits.items():
        values = page.numbers(signal)[rows]
        missing |= np.isnan(values)
        for side, beyond in (
            ("low", values < (-np.inf if limit.low is None else limit.low)),
            ("high", values > (np.inf if limit.high is None else limit.high)),
        ):
            for n in rows[beyond].tolist():
                words[n] = f"{words[n]} {signal}:{side}".lstrip()
    for n, is_missing in zip(rows.tolist(), missing.tolist(), strict=True):
        results[n] = OUTSIDE if words[n] else INCOMPLETE if is_missing else INSIDE
