"""What is known of molds as plain rows, for tables, JSON and pages."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import Connection

from agent.molds.desk import MoldError
from agent.molds.forecast import WEEKS, forecast
from agent.molds.life import Life, life_of, sum_of
from agent.molds.mold import BASE, Mold
from agent.molds.servicelog import due, standing
from agent.molds.shelf import Shelf, read_days, read_shelf
from agent.molds.timeline import Timeline, Word
from agent.rows import EPOCH


def list_lines(
    shelf: Shelf, *, retired: bool = False, now: datetime | None = None
) -> Iterator[dict[str, Any]]:
    """One line a mold revision that took a closing or is the present one."""
    now = now or datetime.now(UTC)
    places = shelf.where()
    names = [*shelf.molds, *([""] if "" in shelf.took else [])]
    for name in names:
        mold = shelf.molds.get(name) or Mold(name="", registered=True)
        if mold.retired and not retired:
            continue
        took = shelf.took.get(name, {})
        word = places.get(name)
        life = life_of(mold, took, loaded=word.resin if word else None)
        total = sum_of(took).shots
        states = due(mold, standing(shelf.services.get(name, ())), total, now)
        worst = max(states, key=lambda each: each.share, default=None)
        known = {each.name: None for each in mold.revisions}
        for revision in [*known, *({rev for rev, _resin in took} - set(known))]:
            present = revision == mold.revision or not name
            sums = sum_of(took, frozenset({revision}))
            if not present and not sums.closings and not sums.shots:
                continue
            yield {
                "mold": name or None,
                "revision": revision or None,
                "registered": mold.registered,
                "part": mold.part,
                "machine": word.machine if word and present else None,
                "location": mold.location,
                "shots": sums.shots,
                "shots_min": min(sums.shots_min, sums.shots),
                "shots_max": max(sums.shots_max, sums.shots),
                "closings": sums.closings,
                "unobserved": sums.unobserved,
                "dry": sums.closings - sums.shots,
                "planned_shots": life.planned if name else None,
                "used": round(life.used, 4) if present and life.used is not None else None,
                "remaining": life.remaining if present and name else None,
                "service": f"{worst.name} {worst.state}" if worst and present else None,
            }


def show_line(connection: Connection, name: str, now: datetime) -> dict[str, Any]:
    """All that is known of one mold.

    Raises:
        MoldError: there is no such mold.
    """
    shelf = read_shelf(connection)
    mold = shelf.molds.get(name)
    if mold is None:
        raise MoldError(f"there is no mold {name}; 'sprue molds list' names them")
    took, word = shelf.took.get(name, {}), shelf.where().get(name)
    loaded = word.resin if word else None
    life = life_of(mold, took, loaded=loaded)
    days = read_days(connection, now.date(), WEEKS, name).get(name, {})
    ends = forecast(life.remaining, days, now.date()) if life.remaining is not None else None
    log = shelf.services.get(name, [])
    return asdict(mold) | {
        "machine": word.machine if word else None,
        "life": _life(life),
        "base_life": _life(life_of(mold, took, component=BASE, loaded=loaded)),
        "worn_out": {
            "early": ends.early.isoformat(),
            "late": ends.late.isoformat() if ends.late else None,
            "shots_per_day": round(ends.shots_per_day, 1),
        }
        if ends
        else None,
        "took": [
            {"revision": rev, "resin": resin} | asdict(each) for (rev, resin), each in took.items()
        ],
        "services_due": [
            {"level": each.rule.level, "state": each.state, "shots_left": each.shots_left,
             "share": round(each.share, 3)}
            for each in due(mold, standing(log), sum_of(took).shots, now)
        ],
        "log": [asdict(entry) for entry in log],
    }  # fmt: skip


def _life(life: Life) -> dict[str, Any]:
    return asdict(life)


def in_words(value: object, zone: tzinfo) -> str:
    """A value as people read it in a table; empty for what is not known.

    >>> in_words({"level": 4, "shots": 15000, "days": None, "links": ()}, UTC)
    'level 4, shots 15000'
    >>> in_words({"at": datetime(2026, 3, 2, 6, tzinfo=UTC), "took": {"closings": 5}}, UTC)
    'at 2026-03-02 06:00:00+00:00, took (closings 5)'
    """
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime() if value == EPOCH:  # as far back as anybody counts
            return "the start"
        case datetime():
            return value.astimezone(zone).isoformat(sep=" ", timespec="seconds")
        case Mapping():
            parts = [(key, each, in_words(each, zone)) for key, each in value.items()]
            return ", ".join(
                f"{str(key).replace('_', ' ')} "
                + (f"({text})" if isinstance(each, Mapping) else text)
                for key, each, text in parts
                if text
            )
        case list() | tuple():
            return ", ".join(in_words(each, zone) for each in value)
        case _:
            return str(value)


def timeline_lines(words: Iterable[Word]) -> Iterator[dict[str, Any]]:
    """One line a stretch in which one word on a machine was in force."""
    for seat in Timeline(words).seats():
        yield {
            "since": seat.since,
            "until": seat.until,
            "mold": seat.word.mold,
            "revision": seat.word.revision,
            "resin": seat.word.resin,
            "cavities_open": seat.word.cavities_open,
            "source": seat.word.source,
            "who": seat.word.who,
            "entry": seat.word.entry,
            "machine_says": seat.machine_says,
        }
