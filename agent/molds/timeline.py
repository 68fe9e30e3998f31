"""Which mold sat on a machine, when: from the machine's own word and from what people entered.

Each word holds from its time on until the next one, whoever said it: a person's mount is true until
the machine names *another* mold than the one it named before. A machine that comes to name what a
person has said already only confirms it. While the two differ, both are shown.
A person's word may come late; what was booked meanwhile is then attributed anew.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Somebody's word on what sits on a machine from a time on."""

    machine: str
    mold: str | None
    """None: the machine has no mold."""
    since: datetime
    source: str
    """`machine`, `configured`, or `person`."""
    revision: str | None = None
    """None: the one that the mold had at the time."""
    resin: str | None = None
    """None: nobody said; the machine's own word on it, or the mold's usual one, holds."""
    cavities_open: int | None = None
    who: str | None = None
    entry: int | None = None
    """Number of the entry, by which it can be withdrawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """An interval of a machine with one word in force."""

    word: Word
    since: datetime
    until: datetime | None
    """None while it lasts."""
    machine_says: str | None = None
    """The mold that the machine itself names meanwhile, where that is another one."""


class Timeline:
    """The words about one machine, in the order of their times.

    Args:
        words: In any order. Of one instant, a person's counts; of two persons', the later entered.
    """

    def __init__(self, words: Iterable[Word]) -> None:
        ordered = sorted(words, key=_order)
        self._words: list[Word] = []
        self._said: list[tuple[datetime, str | None]] = []
        for word in ordered:
            if word.source != PERSON:
                before = self._said[-1][1] if self._said else None
                self._said.append((word.since, word.mold))
                held = self._words[-1] if self._words else None
                # It confirms what was said; or it is no news, for the mold was only re-cut.
                if held is not None and held.source == PERSON and word.mold in (held.mold, before):
                    continue
            self._words.append(word)
        self._times = [word.since for word in self._words]

    def __bool__(self) -> bool:
        return bool(self._words)

    @property
    def by_people(self) -> bool:
        """Whether any word is a person's."""
        return any(word.source == PERSON for word in self._words)

    def at(self, instant: datetime) -> Word | None:
        """The word in force at an instant."""
        index = bisect_right(self._times, instant)
        return self._words[index - 1] if index else None

    def between(self, since: datetime, until: datetime) -> Sequence[Word]:
        """The words that begin after `since` and not after `until`."""
        return self._words[bisect_right(self._times, since) : bisect_right(self._times, until)]

    def seats(self) -> list[Seat]:
        """The whole story, oldest first; words that only repeat the one before are one seat."""
        ends = [*self._times[1:], None]
        seats: list[Seat] = []
        for word, until in zip(self._words, ends, strict=True):
            if until == word.since:
                continue
            last = seats[-1] if seats else None
            if last is not None and last.until == word.since and _same(last.word, word):
                seats[-1] = replace(last, until=until)
            else:
                seats.append(Seat(word=word, since=word.since, until=until))
        return [replace(seat, machine_says=self._contradicted(seat)) for seat in seats]

    def _contradicted(self, seat: Seat) -> str | None:
        """The last mold that the machine named by then, where that is another one."""
        if seat.word.source != PERSON:
            return None
        said = [mold for since, mold in self._said if seat.until is None or since < seat.until]
        return said[-1] if said and said[-1] != seat.word.mold else None


def effective(words: Iterable[Word], booked_since: Callable[[Word], datetime]) -> list[Word]:
    """Machine's words set back to the first closing that the ledger booked on their strength.

    We learn of a mold change with the first cycle after it, and note the time at which we learned;
    the cycle had ended a moment before.

    Args:
        words: About one machine.
        booked_since: When the closings booked on a machine's word began; its own time if none.
    """
    return [
        word if word.source == PERSON else replace(word, since=min(word.since, booked_since(word)))
        for word in words
    ]


def _order(word: Word) -> tuple[datetime, int, int]:
    return word.since, int(word.source == PERSON), word.entry or 0


def _same(a: Word, b: Word) -> bool:
    return (a.mold, a.revision, a.resin, a.cavities_open) == (
        b.mold, b.revision, b.resin, b.cavities_open
    )  # fmt: skip
