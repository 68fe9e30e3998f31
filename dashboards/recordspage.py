"""The records page: what a selection holds and what is missing in it, before a file is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy import select

from agent.anomalies import Wanted, count
from agent.cycle import Booked
from agent.export.logged import Exported, exports
from agent.export.moldshots import MoldShots
from agent.export.page import Page
from agent.export.survey import Survey, survey
from agent.export.table import table
from agent.export.writing import FORMATS, name_of
from agent.history import Filter, History
from agent.rows import booked_of
from agent.schema import machine, mold
from agent.today import day_start
from dashboards.catalogue import Catalogue
from dashboards.face import shown
from dashboards.figures import duration_parts, number
from dashboards.plantzone import PlantZone
from dashboards.wording import in_words, told, unit_of

PREVIEWED = 10
LARGEST = 2**63
EARLIER = 12

COLUMNS = (
    "fill_time_s", "injection_pressure_peak_bar", "cavity_pressure_peak_bar", "cushion_mm",
    "cooling_time_s", "cycle_time_s", "mold_temp_c", "coolant_flow_l_min",
)  # fmt: skip
"""Values of the preview, where a cycle has them."""

NAMES = ("machine", "mold", "revision", "job", "lot", "box", "part_id", "state")
"""What one can ask for beside the time, and the machine's counters."""

STATES = ("production", "test", "failed", "setup")
WEEK_DAYS = 7
"""Of the longest preset."""


class ChoiceError(ValueError):
    """An address asks for what there can't be; the message says what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the address of the page asks for."""

    wanted: Filter
    form: str = "csv"
    units: bool = False
    curves: bool = False

    def query(self, zone: ZoneInfo, **changes: str | None) -> str:
        """The address's query, with some of it changed; None leaves a part out."""
        wanted = self.wanted
        values: dict[str, str | None] = {
            "since": local(wanted.since, zone) if wanted.since else None,
            "until": local(wanted.until, zone) if wanted.until else None,
            **{name: getattr(wanted, name) for name in NAMES},
            "segment": None if wanted.segment is None else str(wanted.segment),
            "shots": "{}-{}".format(*wanted.counters) if wanted.counters else None,
            "format": self.form,
            "units": "1" if self.units else None,
            "curves": "1" if self.curves else None,
        }
        kept = {key: value for key, value in (values | changes).items() if value}
        return f"?{urlencode(kept)}"


def choice_of(query: Mapping[str, str], zone: ZoneInfo, since: datetime) -> Choice:
    """What an address asks for.

    Args:
        query: Of the address.
        zone: That its times are in, where they name no other.
        since: From when on, where nothing at all is asked for.

    Raises:
        ChoiceError: a time or format that there is not.
    """
    names: dict[str, Any] = {name: " ".join(query.get(name, "").split()) or None for name in NAMES}
    begins, ends = (instant(query.get(key, ""), key, zone) for key in ("since", "until"))
    if begins is None and ends is None and not any(names.values()):
        begins = since
    if begins and ends and begins >= ends:
        raise ChoiceError("the selection ends before it begins; until should be later than since")
    if names["state"] not in (None, *STATES):
        right = ", ".join(STATES)
        raise ChoiceError(f"state is {shown(names['state'])!r}; right would be {right}")
    if sum(names[name] is not None for name in ("lot", "box", "part_id")) > 1:
        raise ChoiceError("a lot, a box and a part are looked for one at a time")
    segment, shots = _segment(query.get("segment", "")), _shots(query.get("shots", ""))
    if names["machine"] is None and (segment is not None or shots is not None):
        raise ChoiceError("shots and segments are of one press's counter; say which press")
    form = query.get("format", "csv")
    if form not in FORMATS:
        raise ChoiceError(f"format is {shown(form)!r}; right would be {', '.join(FORMATS)}")
    if names["revision"] and not names["mold"]:
        raise ChoiceError("a revision is one of a mold; say which mold")
    return Choice(
        wanted=Filter(since=begins, until=ends, segment=segment, counters=shots, **names),
        form=form,
        units=form == "csv" and query.get("units") == "1",
        curves=form == "parquet" and query.get("curves") == "1",
    )


def _segment(text: str) -> int | None:
    if not (plain := text.strip()):
        return None
    if not (plain.isascii() and plain.isdigit() and int(plain) < LARGEST):
        raise ChoiceError(f"segment is {shown(text)!r}; right would be a number, as 2")
    return int(plain)


def _shots(text: str) -> tuple[int, int] | None:
    if not (plain := "".join(text.split())):
        return None
    first, _, last = plain.partition("-")
    last = last or first
    if not (plain.isascii() and first.isdigit() and last.isdigit()):
        raise ChoiceError(f"shots is {shown(text)!r}; right would be 1200-1450, or 1200")
    if not int(first) <= int(last) < LARGEST:
        raise ChoiceError(f"shots is {shown(text)!r}; the first has to be the lesser one")
    return int(first), int(last)


def instant(text: str, key: str, zone: ZoneInfo) -> datetime | None:
    """A time as a field has it, in the plant's zone unless it says another; None for none.

    Raises:
        ChoiceError: it is none.
    """
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        right = "2026-11-23T06:45, or with an offset, 2026-11-23T06:45+01:00"
        raise ChoiceError(f"{key} is {shown(text)!r}; right would be {right}") from error
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def local(at: datetime, zone: ZoneInfo) -> str:
    """A time as the page's fields take it; with its offset where that is not plain."""
    here = at.astimezone(zone)
    bare = here.replace(tzinfo=None).isoformat(timespec="seconds")
    twice = here.replace(fold=1).utcoffset() != here.replace(fold=0).utcoffset()
    return here.isoformat(timespec="seconds") if twice else bare.removesuffix(":00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """One of the newest rows, with what an export says of it."""

    booked: Booked
    mold_shot: int | None
    limits: str
    """As `agent.export.limits` has it."""
    outside: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the record says of a selection."""

    survey: Survey
    newest: Sequence[Previewed]
    anomalies: int
    without: tuple[str, int] | None
    """Where nothing matches: a filter that excludes all, and how many there are without it."""
    earlier: Sequence[Exported]
    machines: Sequence[str]
    molds: Sequence[str]


def look_at_records(history: History, now: datetime, choice: Choice) -> Found:
    """Count and preview a selection; all of one instant."""
    wanted = choice.wanted
    with history.held() as held:
        found = survey(held, wanted, now)
        newest = _previewed(held, found) if found.rows else []
        asked = Wanted(
            machine=wanted.machine, mold=wanted.mold, since=wanted.since, until=wanted.until
        )
        with held.connect() as connection:
            raised = count(connection, asked, now=now)
            earlier = exports(connection, newest=EARLIER)
            machines = connection.execute(select(machine.c.name).order_by(machine.c.id)).scalars()
            molds = connection.execute(select(mold.c.name).order_by(mold.c.name)).scalars()
            names, mold_names = list(machines), list(molds)
        return Found(
            survey=found,
            newest=newest,
            anomalies=raised,
            without=None if found.rows else _excluding(held, wanted),
            earlier=earlier,
            machines=names,
            molds=mold_names,
        )


def _previewed(history: History, found: Survey) -> list[Previewed]:
    page = Page(history.some(found.wanted, PREVIEWED, newest=True))
    judged = table(history, found).limits.judge(page)
    numbers, *_ = MoldShots(history).number(page)
    return [
        Previewed(booked=booked_of(row._asdict()), mold_shot=n, limits=limits, outside=outside)
        for row, n, limits, outside in zip(page.rows, numbers, *judged, strict=True)
    ]


def _excluding(history: History, wanted: Filter) -> tuple[str, int] | None:
    for name in (
        "part_id", "box", "lot", "counters", "segment", "state", "job", "revision", "machine",
        "mold", "until", "since",
    ):  # fmt: skip
        if getattr(wanted, name) is None:
            continue
        wider = replace(wanted, **{name: None})
        if wider.machine is None and (wider.segment is not None or wider.counters is not None):
            continue  # counters are a machine's
        n = history.count(wider)
        if n:
            return name, n
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch of the coverage bar, in per cent of its width."""

    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What is covered of one machine."""

    machine: str
    words: str
    whole: Gap
    gaps: Sequence[Gap]


class RecordsPage:
    """Everything that the template needs."""

    def __init__(
        self, found: Found, choice: Choice, now: datetime, strings: Catalogue, zone: PlantZone
    ) -> None:
        self.choice = choice
        self.now = now
        self.formats = FORMATS
        self.states = STATES
        self.machines = [shown(name) for name in found.machines]
        self.molds = [shown(name) for name in found.molds]
        self.rows = found.survey.rows
        self._found = found
        self._strings = strings
        self._zone = zone
        self._info = ZoneInfo(zone.name)

    @property
    def file_name(self) -> str:
        """What the file will be called."""
        return f"{name_of(self.choice.wanted)}.{self.choice.form}"

    @property
    def fields(self) -> Mapping[str, str]:
        """What stands in the fields."""
        wanted = self.choice.wanted
        values = {name: shown(getattr(wanted, name) or "") for name in NAMES}
        values["segment"] = "" if wanted.segment is None else str(wanted.segment)
        values["shots"] = "{}-{}".format(*wanted.counters) if wanted.counters else ""
        for key, at in (("since", wanted.since), ("until", wanted.until)):
            values[key] = local(at, self._info) if at else ""
        return values

    @property
    def presets(self) -> list[tuple[str, str, bool]]:
        """Times to choose from: the key of the words, the address, and whether it is chosen."""
        today = day_start(self.now, self._info)
        before = (today.astimezone(self._info) - timedelta(days=1)).astimezone(UTC)
        week = (today.astimezone(self._info) - timedelta(days=WEEK_DAYS - 1)).astimezone(UTC)
        wanted = self.choice.wanted
        times = {
            "today": (today, None), "yesterday": (before, today), "week": (week, None),
            "any_time": (None, None),
        }  # fmt: skip
        found = []
        for key, (since, until) in times.items():
            begins, ends = (local(at, self._info) if at else None for at in (since, until))
            if key == "any_time" and not any(
                getattr(wanted, name) for name in (*NAMES, "counters", "segment")
            ):
                continue  # without anything that is asked for it is today
            address = f"/records{self.choice.query(self._info, since=begins, until=ends)}"
            found.append((key, address, (wanted.since, wanted.until) == (since, until)))
        return found

    @property
    def figures(self) -> list[tuple[str, str]]:
        """Counts, with the key of their words."""
        covered = self._found.survey.coverage
        shots = sum(each.shots for each in covered)
        missing = sum(each.unobserved for each in covered)
        edges = sum(each.unobserved_at_edges for each in covered)
        gaps = sum(len(each.blind) for each in covered)
        beside = self._strings.say("records.and_edges", n=number(edges)) if edges else ""
        return [
            (number(self.rows), self._strings["records.cycles"]),
            (number(shots + missing), self._strings["records.shots"]),
            (number(missing), f"{self._strings.count('records.missing', gaps)}{beside}"),
            (number(self._found.anomalies), self._strings["records.anomalies"]),
        ]

    @property
    def ends(self) -> tuple[datetime, datetime]:
        """From when to when the coverage is drawn."""
        covered = self._found.survey.coverage
        since = min((each.since for each in covered), default=self.now)
        until = max((each.until for each in covered), default=self.now)
        return since, max(until, since + timedelta(seconds=1))

    @property
    def span(self) -> str:
        """The same in words."""
        since, until = (self._zone.moment(at, self.now) for at in self.ends)
        return self._strings.say("records.coverage", since=since, until=until)

    @property
    def bars(self) -> list[Bar]:
        """Coverage by machine."""
        since, until = self.ends
        whole = (until - since).total_seconds()

        def gap(begins: datetime, ends: datetime) -> Gap:
            x = 100 * (begins - since).total_seconds() / whole
            width = 100 * (ends - begins).total_seconds() / whole
            return Gap(x=round(x, 2), width=round(max(width, 0.2), 2))

        bars = []
        for each in self._found.survey.coverage:
            words = self._strings.count("records.rows", each.cycles)
            if each.blind:
                key, parts = duration_parts(each.blind_s)
                lasting = self._strings.say(key, **parts)
                words = self._strings.say("records.blind", rows=words, duration=lasting)
            bars.append(
                Bar(
                    machine=shown(each.machine),
                    words=words,
                    whole=gap(each.since, max(each.until, each.since)),
                    gaps=[gap(*interval) for interval in each.blind],
                )
            )
        return bars

    @property
    def offset(self) -> str:
        """Of the plant's zone now."""
        text = f"{self.now.astimezone(self._info):%z}"
        return f"{text[:3]}:{text[3:]}"

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Names and units of the preview's values."""
        return [(in_words(name), unit_of(name)) for name in self._names]

    @property
    def preview(self) -> Sequence[tuple[str, str, str, str, str, Sequence[str], str, str]]:
        """The newest rows: time, address, cycle, mold, its shot, values, result, remarks."""
        lines = []
        for row in self._found.newest:
            each, cycle = row.booked, row.booked.cycle
            flags = [shown(flag).replace("_", " ") for flag in cycle.flags]
            outside = [in_words(word.partition(":")[0]) for word in row.outside.split()]
            state = [] if cycle.state == "production" else [cycle.state]
            dry = [self._strings["closing.dry"]] if cycle.closing == "dry" else []
            values = [told(cycle.values.get(n), n).partition(" ")[0] for n in self._names]
            mold = f"{shown(each.mold or '')} {shown(each.revision or '')}".strip()
            lines.append(
                (
                    self._zone.moment(cycle.time, self.now),
                    f"/press/{cycle.machine}/cycle/{each.segment}/{cycle.counter}",
                    number(cycle.counter),
                    mold,
                    "" if row.mold_shot is None else number(row.mold_shot),
                    values,
                    row.limits,
                    ", ".join([*dry, *state, *outside, *flags]),
                )
            )
        return lines

    @property
    def fix(self) -> tuple[str, str] | None:
        """Where nothing matches: which filter excludes all, and the address without it."""
        if self._found.without is None:
            return None
        name, n = self._found.without
        name = {"counters": "shots"}.get(name, name)
        what = self._strings[f"records.{'shot_range' if name == 'shots' else name}"]
        words = self._strings.say("records.without", what=what, n=number(n))
        return words, f"/records{self.choice.query(self._info, **{name: None})}"

    @property
    def earlier(self) -> list[tuple[Exported, str]]:
        """Exports that were made, and when."""
        return [(each, self._zone.moment(each.at, self.now)) for each in self._found.earlier]

    @property
    def _names(self) -> list[str]:
        found = self._found.newest
        return [name for name in COLUMNS if any(name in each.booked.cycle.values for each in found)]
