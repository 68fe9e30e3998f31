"""The molds page: every mold with its life, the next service, and when it will be worn out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, get_args

from sqlalchemy import Connection

from agent.molds.forecast import WEEKS, Forecast, forecast
from agent.molds.life import Life, life_of, sum_of
from agent.molds.mold import Mold
from agent.molds.servicelog import Due, Service, due, standing
from agent.molds.shelf import Shelf, read_days, read_shelf
from agent.molds.timeline import Word
from dashboards.catalogue import Catalogue
from dashboards.face import shown
from dashboards.figures import number
from dashboards.plantzone import PlantZone

Choice = Literal["all", "in_press", "service", "near_end", "stored", "unknown", "retired"]
CHOICES: tuple[Choice, ...] = get_args(Choice)

NEAR_END = 0.9
DAYS_SHOWN = 28

SEVERITY: Mapping[str, int] = {"overdue": 2, "due": 2, "soon": 3}
"""Priority of a service by its state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One mold as it stands, in our own terms."""

    mold: Mold
    word: Word | None
    """What says that it is on a machine."""
    life: Life
    dues: Sequence[Due]
    log: Sequence[Service]
    """Entries that hold, oldest first."""
    days: Mapping[date, int]
    ends: Forecast | None

    @property
    def next_due(self) -> Due | None:
        """The service that is nearest, or longest overdue."""
        return max(self.dues, key=lambda each: each.share, default=None)

    def is_in(self, choice: Choice) -> bool:
        """Whether it is one of those."""
        if self.mold.retired or choice == "retired":
            return self.mold.retired and choice == "retired"
        nearest = self.next_due
        match choice:
            case "in_press":
                return self.word is not None
            case "service":
                return nearest is not None and nearest.state != "ok"
            case "near_end":
                return (self.life.used or 0.0) >= NEAR_END
            case "stored":
                return self.word is None
            case "unknown":
                return not self.mold.registered
        return True


def standings(connection: Connection, now: datetime) -> list[Standing]:
    """Every mold of the record."""
    shelf, today = read_shelf(connection), now.date()
    days, places = read_days(connection, today, WEEKS), shelf.where()
    return [
        standing_of(shelf, mold, places.get(name), days.get(name, {}), now)
        for name, mold in shelf.molds.items()
    ]


def standing_of(
    shelf: Shelf, mold: Mold, word: Word | None, days: Mapping[date, int], now: datetime
) -> Standing:
    """One of them."""
    took = shelf.took.get(mold.name, {})
    life = life_of(mold, took, loaded=word.resin if word else None)
    log = standing(shelf.services.get(mold.name, ()))
    return Standing(
        mold=mold,
        word=word,
        life=life,
        dues=due(mold, log, sum_of(took).shots, now),
        log=log,
        days=days,
        ends=forecast(life.remaining, days, now.date()) if life.remaining is not None else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    name: str
    """As its address has it."""
    shown: str
    part: str
    revision: str
    alloy: str
    where: str
    made: str
    used: float | None
    """Per cent of the life, at most 100; None where nobody planned one."""
    near_end: bool
    left: str
    service: str
    service_priority: int | None
    worn_out: str
    worn_out_range: str
    days: Sequence[float]
    """Shots of each of the last days as a share of the most of them."""
    last: str


class ShelfPage:
    """Everything that the template of the page needs."""

    def __init__(
        self,
        found: Sequence[Standing],
        choice: Choice,
        search: str,
        now: datetime,
        strings: Catalogue,
        zone: PlantZone,
    ) -> None:
        self.choice = choice
        self.search = shown(search)
        self.now = now
        self._found = found
        self._words = MoldWords(strings, zone, now)
        self._strings = strings
        wanted = [each for each in found if each.is_in(choice) and _matches(each, search)]
        wanted.sort(key=lambda each: (-_urgency(each), each.mold.name))
        self.rows = [self._words.row(each) for each in wanted]

    @property
    def chips(self) -> list[tuple[Choice, int]]:
        """What one can look at, and how many there are; empty ones are left out but the first."""
        counts = [(key, len([e for e in self._found if e.is_in(key)])) for key in CHOICES]
        return [(key, n) for key, n in counts if n or key in ("all", self.choice)]

    @property
    def summary(self) -> str:
        """How many molds there are."""
        return self._strings.count("molds.count", len([e for e in self._found if e.is_in("all")]))

    @property
    def figures(self) -> list[tuple[str, str, int | None]]:
        """Key of the caption, number, priority where it is one that needs somebody."""
        present = [each for each in self._found if not each.mold.retired]
        states = [each.next_due.state for each in present if each.next_due]
        overdue = len([state for state in states if state in ("due", "overdue")])
        soon = states.count("soon")
        near = len([each for each in present if each.is_in("near_end")])
        today, yesterday = self.now.date(), self.now.date() - timedelta(days=1)
        shots = sum(e.days.get(today, 0) + e.days.get(yesterday, 0) for e in present)
        return [
            ("due", number(overdue), 2 if overdue else None),
            ("soon", number(soon), 3 if soon else None),
            ("near_end", number(near), 3 if near else None),
            ("in_press", number(len([e for e in present if e.word])), None),
            ("shots", number(shots), None),
        ]


def _urgency(each: Standing) -> float:
    nearest = each.next_due
    return max(nearest.share if nearest else 0.0, each.life.used or 0.0)


def _matches(each: Standing, search: str) -> bool:
    mold = each.mold
    texts = (mold.name, mold.part, mold.alloy, mold.resin, mold.owner, mold.location)
    return not search or any(search.casefold() in (text or "").casefold() for text in texts)


class MoldWords:
    """What is said of molds on the list and on a mold's own page."""

    def __init__(self, strings: Catalogue, zone: PlantZone, now: datetime) -> None:
        self._strings = strings
        self._zone = zone
        self._now = now

    def row(self, each: Standing) -> Row:
        """A mold's line of the table."""
        mold, life = each.mold, each.life
        nearest = each.next_due
        least, most = self._days(each.days)
        worn_out, span = self.worn_out(each)
        return Row(
            name=mold.name,
            shown=shown(mold.name),
            part=shown(mold.part or ""),
            revision=shown(mold.revision),
            alloy=shown(mold.alloy or ""),
            where=self.where(each),
            made=self.made(life),
            used=min(100.0, round(100 * life.used, 1)) if life.used is not None else None,
            near_end=(life.used or 0.0) >= NEAR_END,
            left=number(life.remaining) if life.remaining is not None else "",
            service=self.service(nearest) if nearest else self._strings["molds.no_plan"],
            service_priority=SEVERITY.get(nearest.state) if nearest else None,
            worn_out=worn_out,
            worn_out_range=span,
            days=[n / most for n in least] if most else [],
            last=self._last(each.log),
        )

    def where(self, each: Standing) -> str:
        """The press that it is on, else its place."""
        if each.word is not None:
            return self._strings.say("inbox.press", label=shown(each.word.machine))
        return shown(each.mold.location or "") or self._strings["molds.nowhere"]

    def made(self, life: Life) -> str:
        """Shots, of those planned; with bounds where the evidence leaves doubt."""
        took = life.took
        shots = number(took.shots)
        if took.shots_max > took.shots or took.shots_min < took.shots:
            low, high = min(took.shots_min, took.shots), max(took.shots_max, took.shots)
            shots = self._strings.say("molds.between", n=shots, low=number(low), high=number(high))
        if life.planned is None:
            return shots
        return self._strings.say("molds.made_of", shots=shots, planned=number(life.planned))

    def service(self, each: Due) -> str:
        """What is left until a service, or how much it is over."""
        count = self._strings.count
        left, by_days, of_days = each.shots_left, None, False
        if each.rule.days is not None and each.days is not None:
            by_days = each.rule.days - each.days
            of_days = each.days / each.rule.days >= each.share
        if left is not None and not of_days:
            word = count("tile.shots_left" if left >= 0 else "tile.shots_over", left)
            return f"{number(abs(left))} {word}"
        if by_days is not None:
            return count(
                "molds.days_left" if by_days >= 0 else "molds.days_over", int(abs(by_days))
            )
        return self._strings["molds.no_date"]

    def worn_out(self, each: Standing) -> tuple[str, str]:
        """When its life will be used up, and how sure that is."""
        ends, life = each.ends, each.life
        if life.remaining is not None and life.remaining <= 0:
            return self._strings["molds.worn_out"], ""
        if life.remaining is None:
            return self._strings["molds.no_life"], ""
        if ends is None:
            return self._strings["molds.too_few"], ""
        if ends.late is None:
            return self._strings.say("molds.not_before", day=self.day(ends.early)), ""
        middle = ends.early + (ends.late - ends.early) / 2
        half = (ends.late - ends.early).days // 2
        return self.day(middle), self._strings.count("molds.give_or_take", max(1, half))

    def day(self, day: date) -> str:
        """A date, with the year where it is another one."""
        months = self._strings["time.months"].split()
        text = f"{day.day} {months[day.month - 1]}"
        return text if day.year == self._now.year else f"{text} {day.year}"

    def _days(self, days: Mapping[date, int]) -> tuple[list[int], int]:
        today = self._now.date()
        past = [days.get(today - timedelta(days=n), 0) for n in range(DAYS_SHOWN - 1, -1, -1)]
        return past, max(past)

    def _last(self, log: Sequence[Service]) -> str:
        if not log:
            return ""
        entry = log[-1]
        return f"{self._strings[f'log.{entry.kind}']}, {self.day(entry.at.date())}"
