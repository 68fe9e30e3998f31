"""Alerts on molds: life used up to 80, 90, 100 %, and service due soon, due, overdue.

One object for all machines, for a mold moves. Each alert is raised once; a worse one takes its
place; a service entry, a new revision, another plan or a correction closes it. The share must fall
two points below the mark before it closes, so that nothing flickers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from agent.anomaly import Anomaly, Severity
from agent.ledger import Entry, Run
from agent.molds.life import ByResin, Life, Took, life_of, sum_of
from agent.molds.mold import COMPONENTS, INSERTS, Mold
from agent.molds.servicelog import DUE, OVERDUE, SOON, Due, Service, due, standing
from agent.molds.shelf import Shelf

LIFE_MARKS: Sequence[tuple[float, str, Severity]] = (
    (1.0, "life_100", "alarm"),
    (0.9, "life_90", "warning"),
    (0.8, "life_80", "info"),
)
SERVICE_MARKS: Sequence[tuple[float, str, Severity]] = (
    (OVERDUE, "service_overdue", "alarm"),
    (DUE, "service_due", "warning"),
    (SOON, "service_due_soon", "info"),
)
"""From the worst down: share, cause, severity."""

HYSTERESIS = 0.02

STATE = {"service_due_soon": "due soon", "service_due": "due", "service_overdue": "overdue"}


class MoldLife:
    """Follows what molds take and says what people should know; no I/O, no clock.

    Args:
        shelf: The molds as the record has them.
        open_: Alerts of kind `mold_life` that are open in the record, so that nothing fires twice.
    """

    def __init__(self, shelf: Shelf, open_: Iterable[Anomaly] = ()) -> None:
        self._open: dict[tuple[str, str], Anomaly] = {}
        for anomaly in open_:
            if anomaly.mold is not None and anomaly.is_open:
                self._open[anomaly.mold, str(anomaly.evidence.get("of", ""))] = anomaly
        self._pending: dict[int, Entry] = {}
        self._resins: dict[str, str] = {}
        self._take_over(shelf)

    def mold(self, name: str) -> Mold | None:
        """What is known of a mold."""
        return self._molds.get(name)

    def life(self, mold: str, component: str = INSERTS) -> Life | None:
        """The life of a mold as it stands, with what is not yet on the disk; None: not known."""
        took = self._took.get(mold, {})
        known = self._molds.get(mold) or (Mold(name=mold, registered=False) if took else None)
        if known is None:
            return None
        return life_of(known, took, component=component, loaded=self._resins.get(mold))

    def take(self, entry: Entry) -> Sequence[Anomaly]:
        """Count one entry of any machine's ledger, and judge the molds that it is on."""
        if not entry.runs:
            return ()
        self._pending[id(entry)] = entry
        touched = self._count(entry)
        run = entry.runs[-1]
        at = entry.booked.cycle.time if entry.booked else run.until
        return [anomaly for mold in touched for anomaly in self._judge(mold, at, run)]

    def kept(self, entry: Entry) -> None:
        """Note that an entry is on the disk, and so in every shelf that is read from now on."""
        self._pending.pop(id(entry), None)

    def reload(self, shelf: Shelf, at: datetime) -> Sequence[Anomaly]:
        """Take in what people changed, and judge every mold anew."""
        self._take_over(shelf)
        return self.tick(at)

    def tick(self, at: datetime) -> Sequence[Anomaly]:
        """What follows from the calendar alone; once a minute is plenty."""
        return [anomaly for mold in self._molds for anomaly in self._judge(mold, at, None)]

    def _take_over(self, shelf: Shelf) -> None:
        self._molds: Mapping[str, Mold] = shelf.molds
        self._took: dict[str, dict[tuple[str, str | None], Took]] = {
            mold: dict(took) for mold, took in shelf.took.items()
        }
        self._log: dict[str, list[Service]] = {
            mold: standing(log) for mold, log in shelf.services.items()
        }
        self._places = {mold: word.machine for mold, word in shelf.where().items()}
        for mold, word in shelf.where().items():
            if word.resin is not None:
                self._resins[mold] = word.resin
        for entry in self._pending.values():
            self._count(entry)

    def _count(self, entry: Entry) -> list[str]:
        touched: list[str] = []
        for run in entry.runs:
            added = _added(run, entry)
            if run.mold is None:
                continue
            took = self._took.setdefault(run.mold, {})
            key = (run.revision or "", run.resin)
            took[key] = took.get(key, Took()) + added
            if run.resin is not None:
                self._resins[run.mold] = run.resin
            if run.mold not in touched:
                touched.append(run.mold)
        return touched

    def _judge(self, name: str, at: datetime, run: Run | None) -> Iterator[Anomaly]:
        mold = self._molds.get(name)
        if mold is None:
            return
        took: ByResin = self._took.get(name, {})
        for component in COMPONENTS:
            life = life_of(mold, took, component=component, loaded=self._resins.get(name))
            share = life.used if life.used is not None and not mold.retired else 0.0
            alert = _LifeAlert(mold, life)
            yield from self._weighed(mold, component, share, LIFE_MARKS, alert, at, run)
        planned = set()
        if not mold.retired:
            for each in due(mold, self._log.get(name, ()), sum_of(took).shots, at):
                of = f"level {each.rule.level}"
                planned.add(of)
                worded = _ServiceAlert(mold, each)
                yield from self._weighed(mold, of, each.share, SERVICE_MARKS, worded, at, run)
        for key in [key for key in self._open if key[0] == name]:
            if key[1] not in planned and key[1] not in COMPONENTS:
                yield replace(self._open.pop(key), closed_at=at)

    def _weighed(
        self,
        mold: Mold,
        of: str,
        share: float,
        marks: Sequence[tuple[float, str, Severity]],
        worded: "_LifeAlert | _ServiceAlert",
        at: datetime,
        run: Run | None,
    ) -> Iterator[Anomaly]:
        """Open, replace or close the alert on one thing."""
        held = self._open.get((mold.name, of))
        if held is not None:
            mark = next(mark for mark, cause, _severity in marks if cause == held.cause)
            reached = next((cause for each, cause, _s in marks if share >= each), None)
            stays = share >= mark - HYSTERESIS and reached in (held.cause, None)
            better = (
                share >= mark - HYSTERESIS
                and reached is not None
                and _rank(marks, reached) > _rank(marks, held.cause)
            )
            if stays or better:
                return
            yield replace(self._open.pop((mold.name, of)), closed_at=at)
        for mark, cause, severity in marks:
            if share >= mark:
                anomaly = worded.anomaly(cause, severity, mark, share, at, run, of)
                if run is None and mold.name in self._places:
                    anomaly = replace(anomaly, machine=self._places[mold.name])
                self._open[mold.name, of] = anomaly
                yield anomaly
                return


def _rank(marks: Sequence[tuple[float, str, Severity]], cause: str) -> int:
    """0 for the worst."""
    return [each for _mark, each, _severity in marks].index(cause)


def _added(run: Run, entry: Entry) -> Took:
    """What one run of an entry adds; one of seen closings comes again whenever it has grown."""
    if run.kind == "seen":
        shots = entry.recorded
        parts = shots * (run.cavities or 0)
        return Took(shots=shots, shots_min=shots, shots_max=shots, closings=1, parts=parts)
    return Took(
        shots=run.shots,
        shots_min=run.shots_min,
        shots_max=run.shots_max,
        closings=run.closings,
        unobserved=run.unobserved,
        parts=run.parts or 0,
    )


class _LifeAlert:
    """The words of an alert on a component's life."""

    def __init__(self, mold: Mold, life: Life) -> None:
        self._mold, self._life = mold, life

    def anomaly(
        self,
        cause: str,
        severity: Severity,
        mark: float,
        share: float,
        at: datetime,
        run: Run | None,
        of: str,
    ) -> Anomaly:
        mold, life = self._mold, self._life
        whose = f"Mold {mold.name} {mold.revision}"
        what = "its life" if of == INSERTS else "the life of its base"
        left = ""
        if life.remaining is not None:
            in_resin = f" in {life.resin}" if life.resin and of == INSERTS else ""
            left = (
                f"; {life.remaining} shots are left{in_resin}"
                if life.remaining > 0
                else f"; {-life.remaining} shots more than planned{in_resin}"
            )
        doubt = ""
        if life.used_max is not None and life.used_max - share > 0.005:
            doubt = f" It may be up to {life.used_max:.0%}."
        evidence: dict[str, str | int | float] = {
            "of": of,
            "used": round(share, 4),
            "used_min": round(life.used_min or 0.0, 4),
            "used_max": round(life.used_max or 0.0, 4),
            "shots": life.took.shots,
            "unobserved": life.took.unobserved,
            "not_weighed": life.unweighed,
        }
        if life.planned is not None:
            evidence["planned"] = life.planned
        return Anomaly(
            id=f"mold_life:{cause}:{mold.name}:{mold.revision}:{of}:{life.took.shots}",
            time=at,
            machine=run.machine if run else None,
            mold=mold.name,
            revision=mold.revision,
            segment=run.segment if run else None,
            counter=run.last if run else None,
            since_counter=run.last if run else None,
            kind="mold_life",
            cause=cause,
            value=round(share, 4),
            limit=mark,
            severity=severity,
            message=f"{whose} has used {share:.0%} of {what}{left}.{doubt}",
            short=f"{'Life' if of == INSERTS else 'Base life'} {mark:.0%} used",
            advice="Plan its re-cut or successor." if mark < 1 else "Measure parts; re-cut it.",
            evidence=evidence,
        )


class _ServiceAlert:
    """The words of an alert on a level of service."""

    def __init__(self, mold: Mold, due_: Due) -> None:
        self._mold, self._due = mold, due_

    def anomaly(
        self,
        cause: str,
        severity: Severity,
        mark: float,
        share: float,
        at: datetime,
        run: Run | None,
        of: str,
    ) -> Anomaly:
        mold, each = self._mold, self._due
        rule, last = each.rule, each.last
        parts = []
        if rule.shots is not None:
            parts.append(f"{each.shots} of {rule.shots} shots")
        if rule.days is not None and each.days is not None:
            parts.append(f"{each.days:.0f} of {rule.days:g} days")
        since = f"since entry {last.id}" if last else "with no such service in the log"
        evidence: dict[str, str | int | float] = {
            "of": of,
            "share": round(share, 4),
            "shots_since": each.shots,
            "last_entry": last.id if last else 0,
        }
        if each.days is not None:
            evidence["days_since"] = round(each.days, 1)
        return Anomaly(
            id=f"mold_life:{cause}:{mold.name}:{rule.level}:{last.id if last else 0}:{each.shots}",
            time=at,
            machine=run.machine if run else None,
            mold=mold.name,
            revision=mold.revision,
            segment=run.segment if run else None,
            counter=run.last if run else None,
            since_counter=run.last if run else None,
            kind="mold_life",
            cause=cause,
            value=round(share, 4),
            limit=mark,
            severity=severity,
            message=(
                f"Mold {mold.name} {mold.revision}: service {each.name} is {STATE[cause]}: "
                f"{' and '.join(parts)} {since}."
            ),
            short=f"Level {rule.level} service {STATE[cause]}",
            advice=f"sprue molds service {mold.name} --level {rule.level}, when it is done",
            evidence=evidence,
        )
