"""The anomalies page: who needs somebody, what speaks for it, and what was done about it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, get_args
from urllib.parse import urlencode

from sqlalchemy import Connection

from agent.anomalies import (
    STATES,
    Known,
    Wanted,
    active_mutes,
    anomalies,
    count,
    find,
    most_urgent,
)
from agent.anomaly import Anomaly, AnomalyError
from agent.calls import PRIORITIES
from agent.cycle import Booked
from agent.history import Filter, History
from agent.muting import Mute
from agent.schema import VALUE_COLUMNS
from dashboards.anomalywords import brief, sentence
from dashboards.catalogue import Catalogue
from dashboards.face import shown, shown_long
from dashboards.figures import duration_parts, number
from dashboards.plantzone import PlantZone
from dashboards.trend import Trend, trend
from dashboards.wording import apart, decimals_of, figured, in_words, told, unit_of
from drivers import Value

Shelf = Literal["open", "mine", "muted", "closed"]
SHELVES: tuple[Shelf, ...] = get_args(Shelf)

LISTED_MOST = 200
RATE_HOURS = 8
CYCLES_SHOWN = 120
PHASE_KINDS = ("cooling_time", "cycle_time")
"""Anomalies whose evidence is how far each phase is from usual."""

NO_END = 2**62
CYCLES_AFTER = 30
"""After the end of an anomaly, so that one sees it come back."""

SPANS: Mapping[str, timedelta] = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "8h": timedelta(hours=8),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
}
"""How long one can mute, by the word in a form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the address asks for."""

    shelf: Shelf = "open"
    machine: str | None = None
    mold: str | None = None
    me: str = ""
    """Who looks; what they have taken, or was given to them, is theirs."""

    def query(self, **changes: str | None) -> str:
        """The address's query, with some of it changed."""
        values = {"show": self.shelf, "machine": self.machine, "mold": self.mold} | changes
        kept = {key: value for key, value in values.items() if value and value != "open"}
        return f"?{urlencode(kept)}" if kept else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One anomaly in the list."""

    number: int
    priority: int
    state: str
    muted: bool
    title: str
    where: str
    text: str
    age: str
    taken: str
    """Who has it; empty where nobody has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Anomalies of one state."""

    key: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line of the history."""

    when: str
    who: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """All that is known of one anomaly."""

    line: Line
    what: str
    """`kind/cause`, as commands and files call it."""
    job: str
    message: str
    likely: str
    advice: str
    evidence: Sequence[tuple[str, str]]
    parts: Sequence[tuple[str, str]]
    history: Sequence[Told]
    trend: Trend | None
    trend_name: str
    cause_number: int | None
    """The anomaly that this one follows from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the record says for one view of the page."""

    counts: Mapping[Shelf, int]
    raised: int
    """In the last hours, muted ones left out."""
    listed: Sequence[Known]
    chosen: Known | None
    follows: Known | None
    cycles: Sequence[tuple[datetime, int, float | None]]
    """End, counter and value of the signal of the one that is chosen."""
    job: str | None
    mutes: Sequence[Mute]
    """In force now."""


def waiting(connection: Connection, now: datetime) -> int:
    """How many anomalies are new: open, not muted, and nobody has seen to them."""
    return count(connection, Wanted(states=STATES[:1], muted=False), now=now)


def look(history: History, now: datetime, choice: Choice, name: str | None) -> Found:
    """Read what the page shows.

    Args:
        history: The record.
        now: UTC.
        choice: Of the address.
        name: Number or id of the anomaly to show; None: the first of the list.

    Raises:
        AnomalyError: there is no such anomaly.
    """
    mine = Wanted(machine=choice.machine, mold=choice.mold)
    shelves: Mapping[Shelf, Wanted] = {
        "open": replace(mine, states=STATES[:2], muted=False),
        "mine": replace(mine, states=STATES[1:2]),
        "muted": replace(mine, states=STATES[:2], muted=True),
        "closed": replace(mine, states=STATES[2:]),
    }
    wanted = shelves[choice.shelf]
    with history.connect() as connection:
        if choice.shelf == "closed":
            newest = anomalies(connection, wanted, now=now, newest=LISTED_MOST)
            listed = sorted(newest, key=lambda each: each.anomaly.time, reverse=True)
        else:
            listed = most_urgent(connection, wanted, now=now, most=LISTED_MOST)
        taken = most_urgent(connection, shelves["mine"], now=now, most=LISTED_MOST)
        own = [each for each in taken if each.taken == choice.me]
        if choice.shelf == "mine":
            listed = own
        chosen = find(connection, name, now=now) if name else (listed[0] if listed else None)
        follows = None
        if chosen and chosen.anomaly.follows:
            with suppress(AnomalyError):  # its cause may not be kept yet
                follows = find(connection, chosen.anomaly.follows, now=now)
        opens, muted = (count(connection, shelves[shelf], now=now) for shelf in ("open", "muted"))
        closed = count(connection, mine, now=now) - opens - muted  # faster than to look at each
        since = now - timedelta(hours=RATE_HOURS)
        raised = count(connection, Wanted(since=since, muted=False), now=now)
        muting = active_mutes(connection, now) if choice.shelf == "muted" else ()
    around = _cycles(history, chosen.anomaly) if chosen else ()
    job = None
    if chosen:
        before = [each for each in around if each.cycle.time <= chosen.anomaly.time]
        job = before[-1].cycle.job if before else job_of(history, chosen.anomaly)
    return Found(
        counts={"open": opens, "mine": len(own), "muted": muted, "closed": closed},
        raised=raised,
        listed=listed,
        chosen=chosen,
        follows=follows,
        cycles=_signal(around, chosen.anomaly) if chosen else (),
        job=job,
        mutes=muting,
    )


def _cycles(history: History, anomaly: Anomaly) -> Sequence[Booked]:
    """The last cycles of an anomaly, and some after its end."""
    if anomaly.signal not in VALUE_COLUMNS or anomaly.machine is None or anomaly.segment is None:
        return ()
    last = NO_END
    if anomaly.until_counter is not None:
        last = anomaly.until_counter + CYCLES_AFTER
    return history.cycles_up_to(anomaly.machine, anomaly.segment, last, CYCLES_SHOWN)


def _signal(
    around: Sequence[Booked], anomaly: Anomaly
) -> Sequence[tuple[datetime, int, float | None]]:
    values = [each.cycle.values.get(anomaly.signal or "") for each in around]
    return [
        (
            each.cycle.time,
            each.cycle.counter,
            float(value) if isinstance(value, int | float) else None,
        )
        for each, value in zip(around, values, strict=True)
    ]


def job_of(history: History, anomaly: Anomaly) -> str | None:
    """What was made then, on that machine."""
    if anomaly.machine is None:
        return None
    then = Filter(machine=anomaly.machine, until=anomaly.time + timedelta(microseconds=1))
    found = list(history.cycles(then, newest=1))
    return found[-1].cycle.job if found else None


class Inbox:
    """Everything that the template of the page needs.

    Args:
        found: What the record says.
        choice: Of the address.
        now: UTC.
    """

    def __init__(
        self, found: Found, choice: Choice, now: datetime, strings: Catalogue, zone: PlantZone
    ) -> None:
        self.choice = choice
        self.now = now
        self._found = found
        self._strings = strings
        self._zone = zone
        self.detail = self._detail(found.chosen) if found.chosen else None

    @property
    def chips(self) -> list[tuple[Shelf, int]]:
        """What one can look at, and how many there are."""
        return [(shelf, self._found.counts[shelf]) for shelf in SHELVES]

    @property
    def rate(self) -> str:
        """How often somebody is called, against what a person can stand (ISA-18.2: 6 an hour)."""
        an_hour = number(self._found.raised / RATE_HOURS, 1)
        return self._strings.say("inbox.rate", n=an_hour, hours=RATE_HOURS)

    @property
    def groups(self) -> list[Group]:
        """The list, by what has become of each."""
        found = [Group(key=state, lines=[self._line(each) for each in self._found.listed
                                         if each.state == state]) for state in STATES]  # fmt: skip
        return [group for group in found if group.lines]

    @property
    def mutes(self) -> list[tuple[int, str, str, str, str]]:
        """What is muted: number, of what, until when, by whom and why; the newest first."""
        lines = []
        for each in reversed(self._found.mutes):
            scope = [self._press(each.machine)] if each.machine else []
            scope += [shown(each.mold)] if each.mold else []
            if each.kind and each.cause:
                scope.append(self._strings[f"cause.{each.kind}_{each.cause}"])
            elif each.kind:
                scope.append(in_words(each.kind))
            until = self._strings.say("inbox.until", time=self._zone.moment(each.until, self.now))
            why = shown_long(each.reason)
            lines.append((each.number, ", ".join(scope), until, shown(each.who), why))
        return lines

    @property
    def left_out(self) -> str:
        """That the list is too long to show as a whole; empty where it is not."""
        whole, listed = self._found.counts[self.choice.shelf], len(self._found.listed)
        if whole <= listed:
            return ""
        key = "inbox.newest" if self.choice.shelf == "closed" else "inbox.most_urgent"
        return self._strings.say(key, shown=number(listed), n=number(whole))

    @property
    def narrowed(self) -> str:
        """Which machine or mold the list is about; empty where about all."""
        words = [self._press(self.choice.machine)] if self.choice.machine else []
        return ", ".join([*words, *([shown(self.choice.mold)] if self.choice.mold else [])])

    def _line(self, known: Known) -> Line:
        anomaly, say = known.anomaly, self._strings.say
        where = []
        if anomaly.machine:
            where.append(self._press(anomaly.machine))
        if anomaly.mold:
            where.append(f"{shown(anomaly.mold)} {shown(anomaly.revision or '')}".rstrip())
        key, parts = duration_parts((self.now - anomaly.time).total_seconds())
        return Line(
            number=known.number,
            priority=PRIORITIES[anomaly.severity],
            state=known.state,
            muted=known.muted is not None,
            title=say(f"cause.{anomaly.kind}_{anomaly.cause}"),
            where=", ".join(where),
            text=brief(anomaly, self._strings),
            taken=shown(known.taken) if known.state == "acknowledged" else "",
            age=say(key, **parts)
            if known.state != "closed"
            else self._zone.moment(anomaly.closed_at or anomaly.time, self.now),
        )

    def _detail(self, known: Known) -> Detail:
        anomaly, say = known.anomaly, self._strings.say
        facts: list[tuple[str, Value | None]] = [
            (say("detail.value"), told(anomaly.value, anomaly.signal)),
            (say("detail.expected"), told(anomaly.expected, anomaly.signal)),
            (say("detail.limit"), told(anomaly.limit, anomaly.signal)),
        ]
        against = anomaly.kind in PHASE_KINDS or anomaly.cause == "program_changed"
        evidence = [self._evidence(*each, against=against) for each in anomaly.evidence.items()]
        pairs = [(name, str(value)) for name, value in [*facts, *evidence] if value]
        parts = []
        if anomaly.since_counter is not None:
            last = anomaly.until_counter
            shots = number(anomaly.since_counter)
            key = "detail.shots_since" if last is None else "detail.shots_to"
            parts.append((say("detail.shots"), say(key, first=shots, last=number(last or 0))))
            until = last if last is not None else max((c[1] for c in self._found.cycles), default=0)
            if until >= anomaly.since_counter:
                many = number(until - anomaly.since_counter + 1)
                parts.append((say("detail.affected"), many))
        return Detail(
            line=self._line(known),
            what=f"{anomaly.kind}/{anomaly.cause}",
            job=shown(self._found.job) if self._found.job else "",
            message=sentence(anomaly, self._strings),
            likely=shown_long(anomaly.likely),
            advice=shown_long(anomaly.advice),
            evidence=pairs,
            parts=parts,
            history=self._history(known),
            trend=trend(
                self._found.cycles,
                expected=_number(anomaly.expected),
                limit=anomaly.limit,
                since=anomaly.since_counter,
                until=anomaly.until_counter,
                decimals=decimals_of(anomaly.signal),
                figure=lambda value: figured(value, anomaly.signal),
                clock=self._zone.minute,
            ),
            trend_name=_named(anomaly.signal or ""),
            cause_number=self._found.follows.number if self._found.follows else None,
        )

    def _evidence(self, name: str, value: Value, *, against: bool) -> tuple[str, str]:
        """One figure that speaks for it.

        Args:
            name: A signal's, perhaps with a word behind a colon; or any.
            value: Its value.
            against: Signals' values are differences from usual.
        """
        if isinstance(value, bool):
            return in_words(name), self._strings["detail.yes" if value else "detail.no"]
        signal = name.partition(":")[0]
        if against and unit_of(name) and isinstance(value, int | float):
            return self._strings.say("detail.against", name=in_words(name)), apart(value, name)
        return in_words(name), told(value, signal)

    def _history(self, known: Known) -> list[Told]:
        anomaly, say = known.anomaly, self._strings.say
        lines = [(anomaly.time, "", say("detail.raised"))]
        for action in known.actions:
            words = say(f"deed.{action.action}")
            text = f"{words}: {shown_long(action.text)}" if action.text else words
            lines.append((action.at, shown(action.who), text))
        if anomaly.closed_at:
            lines.append((anomaly.closed_at, "", say("detail.over")))
        if known.muted:
            until = self._zone.moment(known.muted.until, self.now)
            text = say("detail.muted", until=until, reason=shown_long(known.muted.reason))
            lines.append((known.muted.since, shown(known.muted.who), text))
        lines.sort(key=lambda line: line[0], reverse=True)
        return [
            Told(when=self._zone.moment(at, self.now), who=who, text=text)
            for at, who, text in lines
        ]

    def _press(self, name: str) -> str:
        return self._strings.say("inbox.press", label=shown(name))


def _number(value: Value | None) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _named(name: str) -> str:
    unit = unit_of(name)
    return f"{in_words(name)}, {unit}" if unit else in_words(name)
