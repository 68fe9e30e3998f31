"""Runs: which mold goes onto a press next, for which job; and the rack that molds wait in."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simulators.modes import Mode
from simulators.mold import Job, Mold


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One job on one mold, from the mold change to its last part."""

    mold: Mold
    """With the revision and the resin that it has in this run."""
    job: Job
    mode: Mode = Mode.AUTOMATIC
    open_cavities: int = 0
    """0 for all of the mold's."""
    lots: tuple[str, ...] = ()
    """Resin lots, one after the other, each for an equal share of the parts."""
    set_points: Mapping[str, float] = field(default_factory=dict)
    set_up_s: float = 900.0
    """From the last part of the run before to the first closing of this one."""
    set_up_closings: int = 3
    """Closings without plastic while the mold is set up."""
    turn: int = 0
    """How many runs anywhere this mold has before this one."""

    def lot_at(self, parts: int) -> str:
        """The resin lot when that many parts of the job are made."""
        if not self.lots or not self.job.parts:
            return self.job.lot
        return self.lots[min(len(self.lots) - 1, parts * len(self.lots) // self.job.parts)]


class Rack:
    """Where molds wait: a mold is on one press at a time, in the order of its runs.

    Times are process times of the press that gave the mold back, so that what follows from them is
    the same however late the simulator runs.
    """

    def __init__(self) -> None:
        self._back: dict[tuple[str, int], asyncio.Future[float]] = {}

    def give(self, mold: str, turn: int, at_s: float) -> None:
        """Put a mold back after its run of that number."""
        future = self._future(mold, turn)
        if not future.done():
            future.set_result(at_s)

    async def take(self, mold: str, turn: int) -> float:
        """Wait for a mold's run of that number; since when the mold has been free."""
        return 0.0 if turn == 0 else await asyncio.shield(self._future(mold, turn - 1))

    def _future(self, mold: str, turn: int) -> asyncio.Future[float]:
        if (mold, turn) not in self._back:
            self._back[mold, turn] = asyncio.get_running_loop().create_future()
        return self._back[mold, turn]


def turns(molds: Sequence[str]) -> list[int]:
    """For each mold in a list, how often it stands there before.

    >>> turns(["A", "B", "A", "A"])
    [0, 0, 1, 2]
    """
    return [molds[:index].count(mold) for index, mold in enumerate(molds)]
