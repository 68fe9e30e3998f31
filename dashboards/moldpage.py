"""A mold's own page: its life by revision, what is due, what was done to it, what one can do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from agent import schema
from agent.drift import read_baselines
from agent.molds.desk import MoldError
from agent.molds.life import ByResin, sum_of
from agent.molds.mold import COMPONENTS, LEVELS
from agent.molds.servicelog import KINDS, Service
from agent.molds.shelf import read_days, read_shelf
from dashboards.catalogue import Catalogue
from dashboards.face import shown
from dashboards.figures import number
from dashboards.lifechart import Event, LifeChart, life_chart
from dashboards.plantzone import PlantZone
from dashboards.shelfpage import SEVERITY, MoldWords, Standing, standing_of

CYCLES_TOLD = 20
"""Good shots on a machine, after which it is known what that shows of the mold."""
EVER_WEEKS = 2600
"""Fifty years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoldFound:
    """What the record says of one mold."""

    standing: Standing
    took: ByResin
    log: Sequence[Service]
    """Corrected entries included, in the order in which they were entered."""
    ever: Mapping[date, int]
    """Shots by day, since the first one."""
    machines: Sequence[str]
    blind: Sequence[str]
    """Those of them that show nothing of the mold's water, where its present revision ran."""


def look_at(connection: Connection, now: datetime, name: str) -> MoldFound:
    """Read what the page shows.

    Raises:
        MoldError: there is no such mold.
    """
    shelf = read_shelf(connection)
    mold = shelf.molds.get(name)
    if mold is None:
        raise MoldError(f"there is no mold {name}")
    ever = read_days(connection, now.date(), EVER_WEEKS, name).get(name, {})
    table = schema.machine
    return MoldFound(
        standing=standing_of(shelf, mold, shelf.where().get(name), ever, now),
        took=shelf.took.get(name, {}),
        log=shelf.services.get(name, []),
        ever=ever,
        machines=list(connection.execute(select(table.c.name).order_by(table.c.name)).scalars()),
        blind=sorted(
            {
                machine
                for machine, baseline in read_baselines(connection, name)
                if baseline.key[1] == mold.revision
                and baseline.good >= CYCLES_TOLD
                and baseline.blind_to_coolant
            }
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRow:
    """One revision of the table."""

    name: str
    present: bool
    since: str
    shots: str
    bounds: str
    """Fewest and most by the evidence; empty where that suffices."""
    unobserved: str
    dry: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One level of service."""

    name: str
    priority: int | None
    every: str
    used: float
    left: str
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One entry of the log."""

    number: int
    when: str
    shots: str
    kind: str
    text: str
    more: str
    who: str
    hours: str
    corrected: bool


class MoldPage:
    """Everything that the template of the page needs."""

    kinds = KINDS
    levels: Sequence[tuple[int, str]] = tuple(LEVELS.items())
    components = COMPONENTS

    def __init__(
        self, found: MoldFound, now: datetime, strings: Catalogue, zone: PlantZone
    ) -> None:
        self.now = now
        self._found = found
        self._strings = strings
        self._zone = zone
        self._words = MoldWords(strings, zone, now)
        standing = found.standing
        self.mold = standing.mold
        self.name = shown(standing.mold.name)
        self.part = shown(standing.mold.part or "")
        self.machine = standing.word.machine if standing.word else None
        self.machines = found.machines
        self.where = self._words.where(standing)

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What is known of it, by key of its caption."""
        mold = self.mold
        facts = [
            ("alloy", mold.alloy),
            ("cavities", number(mold.cavities) if mold.cavities else None),
            ("resin", mold.resin),
            ("wall", f"{number(mold.wall_mm, 1)} mm" if mold.wall_mm else None),
            ("cycle", f"{number(mold.expected_cycle_s, 1)} s" if mold.expected_cycle_s else None),
            ("owner", mold.owner),
            ("location", mold.location),
        ]
        return [(key, shown(value)) for key, value in facts if value]

    @property
    def blind(self) -> str:
        """On which machines nobody would see that its water fails; empty for none."""
        if not self._found.blind:
            return ""
        return self._strings.say("mold.blind", machines=", ".join(map(shown, self._found.blind)))

    @property
    def figures(self) -> list[tuple[str, str]]:
        """Large numbers with their captions."""
        life, say = self._found.standing.life, self._strings.say
        took = life.took
        caption = self._strings["mold.shots"]
        if life.used is not None:
            caption = say("mold.shots_of", percent=int(100 * life.used))
        found = [(number(took.shots), caption)]
        if took.shots_max > took.shots or took.shots_min < took.shots:
            low, high = min(took.shots_min, took.shots), max(took.shots_max, took.shots)
            found.append((f"{number(low)}–{number(high)}", self._strings["mold.bounds"]))
        if took.unobserved:
            found.append((number(took.unobserved), self._strings["mold.unobserved"]))
        if life.remaining is not None and life.planned:
            over, resin = life.remaining < 0, shown(life.resin or "")
            caption = self._strings["mold.over" if over else "mold.left"]
            if resin:
                caption = say("mold.over_in" if over else "mold.left_in", resin=resin)
            found.append((number(abs(life.remaining)), caption))
            worn, span = self._words.worn_out(self._found.standing)
            found.append((worn, f"{self._strings['molds.head_worn_out'].lower()} {span}".strip()))
        if self._found.standing.ends:
            a_day = number(self._found.standing.ends.shots_per_day)
            found.append((a_day, self._strings["mold.a_day"]))
        return found

    @property
    def unweighed(self) -> str:
        """Shots that no planned life was found for; empty where there are none."""
        n = self._found.standing.life.unweighed
        return self._strings.count("mold.unweighed", n) if n and self.mold.has_plan else ""

    @property
    def chart(self) -> LifeChart | None:
        """Shots over the days."""
        life = self._found.standing.life
        total = sum(self._found.ever.values())
        events = [
            Event(each.since.date(), "revision", shown(each.name))
            for each in self.mold.revisions
            if each.since.year > 1970
        ]
        events += [
            Event(each.at.date(), "repair" if each.kind in ("repair", "change") else "service",
                  self._strings[f"log.{each.kind}"])
            for each in self._found.standing.log
            if each.kind != "note"
        ]  # fmt: skip
        return life_chart(
            self._found.ever,
            rated=total + life.remaining if life.remaining is not None else None,
            ends=self._found.standing.ends,
            events=events,
            today=self.now.date(),
            say_day=self._words.day,
        )

    @property
    def revisions(self) -> list[RevisionRow]:
        """Every revision that it had, newest first."""
        known = {each.name: each for each in self.mold.revisions}
        names = [*known, *sorted({rev for rev, _resin in self._found.took} - set(known))]
        rows = []
        for name in reversed(names):
            each, sums = known.get(name), sum_of(self._found.took, frozenset({name}))
            since = each.since if each and each.since.year > 1970 else None
            low, high = min(sums.shots_min, sums.shots), max(sums.shots_max, sums.shots)
            rows.append(
                RevisionRow(
                    name=shown(name),
                    present=name == self.mold.revision,
                    since=self._words.day(since.date()) if since else "",
                    shots=number(sums.shots),
                    bounds=f"{number(low)}–{number(high)}" if low < high else "",
                    unobserved=number(sums.unobserved) if sums.unobserved else "",
                    dry=number(sums.closings - sums.shots) if sums.closings > sums.shots else "",
                    note=shown(each.note) if each else "",
                )
            )
        return rows

    @property
    def plan(self) -> list[PlanRow]:
        """What is due, level by level."""
        rows = []
        for each in self._found.standing.dues:
            parts = []
            if each.rule.shots is not None:
                parts.append(self._strings.say("mold.every_shots", n=number(each.rule.shots)))
            if each.rule.days is not None:
                parts.append(self._strings.say("mold.every_days", n=number(each.rule.days)))
            last = self._words.day(each.last.at.date()) if each.last else ""
            rows.append(
                PlanRow(
                    name=shown(each.rule.what or LEVELS[each.rule.level]),
                    priority=SEVERITY.get(each.state),
                    every=self._strings["mold.or"].join(parts),
                    used=min(100.0, round(100 * each.share, 1)),
                    left=self._words.service(each),
                    last=self._strings.say("mold.last", day=last) if last else "",
                )
            )
        return rows

    @property
    def log(self) -> list[LogRow]:
        """The service log, newest event first."""
        corrected = {each.corrects for each in self._found.log}
        entries = sorted(self._found.log, key=lambda each: (each.at, each.id), reverse=True)
        return [self._log_row(each, corrected=each.id in corrected) for each in entries]

    def _log_row(self, each: Service, *, corrected: bool) -> LogRow:
        say = self._strings.say
        more = [
            say(f"log.{key}", text=shown(str(value)))
            for key, value in (
                ("level", each.level),
                ("defect", each.defect),
                ("cavity", each.cavity),
                ("action", each.action),
                ("replaced", each.replaced),
                ("corrects", each.corrects),
            )
            if value not in (None, "")
        ]
        missing = [point for point, done in each.checklist.items() if not done]
        if each.checklist:
            done = f"{len(each.checklist) - len(missing)}/{len(each.checklist)}"
            more.append(say("log.checklist", text=done))
        return LogRow(
            number=each.id,
            when=self._zone.moment(each.at, self.now),
            shots=number(each.shots) if each.shots is not None else "",
            kind=self._strings[f"log.{each.kind}"],
            text=shown(each.what),
            more=", ".join(more),
            who=shown(each.done_by),
            hours=f"{number(each.hours, 1)} h" if each.hours else "",
            corrected=corrected,
        )
