"""Runs: which mold goes onto a press next, for which job; and the rack that molds wait in."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from simulators.modes import Mode
from simulators.mold import Job, Mold


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One job on one mold, from the mold change to its last part."""

    mold: Mold
    """As new; its revision is that which it has when it comes from the rack."""
    job: Job
    turns: tuple[int, int] = (0, 0)
    """How many runs anywhere this mold has before this one, and how many more with each round."""
    recut: bool = False
    """The mold is re-cut before this run: it comes back as its next revision."""
    recuts: tuple[int, int] = (0, 0)
    """How often it has been re-cut up to this run, this one's included, and how often a round."""
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

    def turn(self, round_: int) -> int:
        """How many runs anywhere the mold has before this one of that round."""
        first, more = self.turns
        return first + round_ * more

    def mold_of(self, round_: int) -> Mold:
        """The mold as it is in that round, if nobody has re-cut it but for its runs."""
        first, more = self.recuts
        revision = self.mold.revision
        for _ in range(first + round_ * more):
            revision = following(revision)
        return replace(self.mold, revision=revision)

    def job_of(self, round_: int) -> Job:
        """The job, which has a new number in each round."""
        return replace(self.job, name=f"{self.job.name}.{round_ + 1}") if round_ else self.job

    def lot_at(self, parts: int) -> str:
        """The resin lot when that many parts of the job are made."""
        if not self.lots or not self.job.parts:
            return self.job.lot
        return self.lots[min(len(self.lots) - 1, parts * len(self.lots) // self.job.parts)]


class Runs:
    """The runs of one press: which it is in, and which comes next.

    Args:
        first: What the press starts with.
        listed: What follows.
        repeat: Whether the listed ones start over after the last.
    """

    def __init__(self, first: Run, listed: Sequence[Run], *, repeat: bool) -> None:
        self._first, self._listed, self._repeat = first, listed, repeat
        self.done = 0
        """Runs that are over."""

    def __bool__(self) -> bool:
        """Whether anything follows what the press starts with."""
        return bool(self._listed)

    @property
    def now(self) -> Run:
        """The run that it is in."""
        return self.at(self.done)[0]

    @property
    def is_last(self) -> bool:
        """Whether nothing follows."""
        return self.done >= len(self._listed) and not self._repeat

    def at(self, number: int) -> tuple[Run, int]:
        """The run of a number, 0 for what the press starts with; and the round that it is in."""
        if number == 0:
            return self._first, 0
        round_, index = divmod(number - 1, len(self._listed))
        return self._listed[index], round_


class Rack:
    """Where molds wait: a mold is on one press at a time, in the order of its runs.

    Times are process times of the press that gave the mold back, so that what follows from them is
    the same however late the simulator runs.
    """

    def __init__(self) -> None:
        self._back: dict[tuple[str, int], asyncio.Future[tuple[float, str]]] = {}

    def give(self, mold: Mold, turn: int, at_s: float) -> None:
        """Put a mold back after its run of that number."""
        future = self._future(mold.id, turn)
        if not future.done():
            future.set_result((at_s, mold.revision))

    def restore(self, runs: Runs) -> None:
        """Have the molds back that a press was through with when the simulator last ended."""
        for number in range(runs.done):
            run, round_ = runs.at(number)
            self.give(run.mold_of(round_), run.turn(round_), 0.0)

    async def take(self, run: Run, round_: int) -> tuple[float, Mold]:
        """Wait for the mold of a run: since when it is free, and as it is now."""
        turn = run.turn(round_)
        free_s, revision = 0.0, run.mold.revision
        if turn > 0:
            free_s, revision = await asyncio.shield(self._future(run.mold.id, turn - 1))
        return free_s, replace(run.mold, revision=following(revision) if run.recut else revision)

    def _future(self, mold: str, turn: int) -> asyncio.Future[tuple[float, str]]:
        if (mold, turn) not in self._back:
            self._back[mold, turn] = asyncio.get_running_loop().create_future()
        return self._back[mold, turn]


def following(revision: str) -> str:
    """The revision after a re-cut.

    >>> following("A"), following("Z"), following("AZ"), following("3")
    ('B', 'AA', 'BA', '4')
    """
    if revision.isdigit():
        return str(int(revision) + 1)
    head, last = revision[:-1], revision[-1:]
    if last.upper() != "Z":
        return head + chr(ord(last) + 1) if last else "A"
    return (following(head) if head else "A") + "A"
