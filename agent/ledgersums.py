"""What the runs of a ledger add up to, by mold revision."""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.ledger import Entry, Run
from agent.molds.life import Took


@dataclass(slots=True)
class Sums:
    """Of one mold revision."""

    shots: int = 0
    closings: int = 0
    unobserved: int = 0
    shots_min: int = 0
    shots_max: int = 0
    """Equal to `shots` where the evidence suffices."""


class LedgerSums:
    """Adds up entries as they are made, in the space of one row a mold revision.

    A run of seen closings comes again whenever it has grown; only its growth is added.
    """

    def __init__(self) -> None:
        self._sums: dict[tuple[str | None, str | None], Sums] = {}
        self._growing: dict[str, Run] = {}

    def add(self, machine: str, entry: Entry) -> None:
        """Add what one entry of a machine's ledger says."""
        for run in entry.runs:
            before = self._growing.get(machine) if run.kind == "seen" else None
            if before and (before.segment, before.first) == (run.segment, run.first):
                self._count(before, -1)
            self._count(run, 1)
            if run.kind == "seen":
                self._growing[machine] = run

    def move(self, mold: str | None, revision: str | None, took: Took) -> None:
        """Add what goes to, or from, a mold revision that was found out later."""
        sums = self._sums.setdefault((mold, revision), Sums())
        sums.shots += took.shots
        sums.closings += took.closings
        sums.unobserved += took.unobserved
        sums.shots_min += took.shots_min
        sums.shots_max += took.shots_max

    def lines(self) -> Iterator[tuple[str | None, str | None, Sums]]:
        """Mold, revision and sums, by name; closings that no known mold made come last."""
        for mold, revision in sorted(
            self._sums, key=lambda key: (key[0] is None, key[0] or "", key[1] or "")
        ):
            yield mold, revision, self._sums[mold, revision]

    def _count(self, run: Run, sign: int) -> None:
        sums = self._sums.get((run.mold, run.revision))
        if sums is None:
            sums = self._sums[run.mold, run.revision] = Sums()
        sums.shots += sign * run.shots
        sums.closings += sign * run.closings
        sums.unobserved += sign * run.unobserved
        sums.shots_min += sign * run.shots_min
        sums.shots_max += sign * run.shots_max
