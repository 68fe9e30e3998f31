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
from agent.export.survey import Survey, survey
from agent.export.writing import FORMATS, name_of
from agent.history import Filter, History
from agent.schema import machine, mold
from dashboards.catalogue import Catalogue
from dashboards.face import shown
from dashboards.figures import duration_parts, number
from dashboards.plantzone import PlantZone
from dashboards.wording import in_words, told, unit_of

PREVIEWED = 10
EARLIER = 12

COLUMNS = (
    "fill_time_s", "injection_pressure_peak_bar", "cavity_pressure_peak_bar", "cushion_mm",
    "cooling_time_s", "cycle_time_s", "mold_temp_c", "coolant_flow_l_min",
)  # fmt: skip
"""Values of the preview, where a cycle has them."""

NAMES = ("machine", "mold", "revision", "job", "lot", "box")
"""What one can ask for beside the time."""


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
    form = query.get("format", "csv")
    if form not in FORMATS:
        raise ChoiceError(f"format is {shown(form)!r}; right would be {', '.join(FORMATS)}")
    if names["revision"] and not names["mold"]:
        raise ChoiceError("a revision is one of a mold; say which mold")
    return Choice(
        wanted=Filter(since=begins, until=ends, **names),
        form=form,
        units=form == "csv" and query.get("units") == "1",
        curves=form == "parquet" and query.get("curves") == "1",
    )


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
class Found:
    """What the record says of a selection."""

    survey: Survey
    newest: Sequence[Booked]
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
        newest = list(held.cycles(wanted, newest=PREVIEWED)) if found.rows else []
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
            newest=newest[::-1],
            anomalies=raised,
            without=None if found.rows else _excluding(held, wanted),
            earlier=earlier,
            machines=names,
            molds=mold_names,
        )


def _excluding(history: History, wanted: Filter) -> tuple[str, int] | None:
    for name in ("box", "lot", "job", "revision", "machine", "mold", "until", "since"):
        if getattr(wanted, name) is None:
            continue
        n = history.count(replace(wanted, **{name: None}))
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
        for key, at in (("since", wanted.since), ("until", wanted.until)):
            values[key] = local(at, self._info) if at else ""
        return values

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
    def preview(self) -> Sequence[tuple[str, str, str, str, Sequence[str], str]]:
        """The newest rows: time, address, cycle, mold, values, remarks."""
        lines = []
        for each in self._found.newest:
            cycle = each.cycle
            flags = [shown(flag).replace("_", " ") for flag in cycle.flags]
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
                    values,
                    ", ".join([*dry, *state, *flags]),
                )
            )
        return lines

    @property
    def fix(self) -> tuple[str, str] | None:
        """Where nothing matches: which filter excludes all, and the address without it."""
        if self._found.without is None:
            return None
        name, n = self._found.without
        words = self._strings.say(
            "records.without", what=self._strings[f"records.{name}"], n=number(n)
        )
        return words, f"/records{self.choice.query(self._info, **{name: None})}"

    @property
    def earlier(self) -> list[tuple[Exported, str]]:
        """Exports that were made, and when."""
        return [(each, self._zone.moment(each.at, self.now)) for each in self._found.earlier]

    @property
    def _names(self) -> list[str]:
        found = self._found.newest
        return [name for name in COLUMNS if any(name in each.cycle.values for each in found)]
