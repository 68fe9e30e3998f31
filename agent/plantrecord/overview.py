"""The pages' picture of a plant record: tiles fed from what agents have told, once a second."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from agent.batch import Blind
from agent.cycle import Booked
from agent.display import Display
from agent.entry import Mount
from agent.history import Filter, History, filtered
from agent.live import Plant, Site, Tile, Today
from agent.molds.moldlife import MoldLife
from agent.molds.shelf import Shelf, read_shelf
from agent.molds.timeline import Word
from agent.plantrecord.tables import lease, member
from agent.rows import booked_of, from_ns
from agent.schema import blind, cycle, machine
from agent.today import day_start

SILENT = timedelta(seconds=10)
"""An agent tells every two seconds that it lives."""

MOST = 2000
"""Cycles that are taken in at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What has been told since the last look."""

    machines: tuple[str, ...]
    """Names of all, sorted."""
    cycles: Sequence[Mapping[str, Any]]
    """Rows of `history.filtered`, in order of arrival."""
    links: Sequence[Mapping[str, Any]]
    """Machines with their agents and open blind intervals."""
    today: Today
    shelf: Shelf | None
    """The molds, where they were asked for."""


def read_told(history: History, site: Site, after: int, now: datetime, *, molds: bool) -> Told:
    """Read what is new.

    Args:
        history: The plant record.
        site: Whose day it is.
        after: Id of the last cycle that is known.
        now: Our clock.
        molds: Whether to read the molds, too.
    """
    newer = filtered(Filter()).where(cycle.c.id > after).order_by(cycle.c.id).limit(MOST)
    open_ = select(blind).where(blind.c.until_ns.is_(None)).subquery()
    links = (
        select(
            machine.c.name, machine.c.seen_ns, member.c.seen_ns.label("told_ns"),
            member.c.name.label("agent"), open_.c.since_ns, open_.c.cause, open_.c.why,
        )
        .select_from(machine)
        .outerjoin(lease, lease.c.machine_id == machine.c.id)
        .outerjoin(member, member.c.agent == lease.c.agent)
        .outerjoin(open_, open_.c.machine_id == machine.c.id)
    )  # fmt: skip
    with history.connect() as connection:
        rows = [dict(row) for row in connection.execute(links).mappings()]
        return Told(
            machines=tuple(sorted({row["name"] for row in rows})),
            cycles=[dict(row) for row in connection.execute(newer).mappings()],
            links=rows,
            today=history.today(day_start(now, ZoneInfo(site.timezone))),
            shelf=read_shelf(connection) if molds else None,
        )


def newest_cycle(history: History) -> int:
    """Id of the cycle that was told last."""
    with history.connect() as connection:
        return int(connection.execute(select(func.max(cycle.c.id))).scalar() or 0)


class Overview:
    """Keeps the tiles of a plant record true; no I/O.

    Args:
        plant: Whose tiles.
        shelf: The molds.
    """

    def __init__(self, plant: Plant, shelf: Shelf) -> None:
        self._plant = plant
        self._molds = MoldLife(shelf)
        self._displays = {name: Display(name, plant, self._molds) for name in plant.machines}

    def replay(self, booked: Booked) -> None:
        """Take a cycle of the past."""
        self._displays[booked.cycle.machine].replay(booked)

    def take(self, told: Told, now: datetime) -> None:
        """Show what has been told."""
        if told.shelf is not None:
            self._molds.reload(told.shelf, now)
            mounted = told.shelf.mounted()
            for name, display in self._displays.items():
                word = mounted.get(name)
                display.mounted(_mount(word, told.shelf) if word else None)
        for row in told.cycles:
            name = row["machine"]
            if name not in self._displays:
                continue
            self._displays[name].replay(booked_of(row))
            if row["closing"] == "shot":
                tile = self._plant.tile(name)
                self._plant.set(name, shots=tile.shots + 1, cycles=tile.cycles + 1)
        for row in told.links:
            if row["name"] in self._displays:
                self._link(row, now)
        self._plant.today = told.today
        for display in self._displays.values():
            display.tick(now)

    def _link(self, row: Mapping[str, Any], now: datetime) -> None:
        """Whether a machine is seen: by an agent that lives, in no blind interval."""
        display = self._displays[row["name"]]
        if row["seen_ns"] is not None:
            self._plant.seen(row["name"], from_ns(row["seen_ns"]))
        lost = _lost(row, now)
        if lost is None:
            display.connected()
        else:
            display.lost(lost)


def blank_tile(name: str) -> Tile:
    """A tile before anything was read."""
    digits = "".join(letter if letter.isdigit() else " " for letter in name).split()
    return Tile(machine=name, label=digits[-1] if digits else name, reason="Nothing told yet")


def _mount(word: Word, shelf: Shelf) -> Mount | None:
    if word.mold is None:
        return None
    known = shelf.molds.get(word.mold)
    return Mount(
        machine=word.machine,
        mold=word.mold,
        revision=word.revision or (known.revision if known else "A"),
        since=word.since,
        source=word.source,
    )


def _lost(row: Mapping[str, Any], now: datetime) -> Blind | None:
    name = row["name"]
    at = from_ns(row["told_ns"]) if row["told_ns"] is not None else None
    if at is None or now - at > SILENT:
        who = f"the agent of {row['agent']}" if row["agent"] else "its agent"
        why = f"Nothing is heard of {who}"
        return Blind(machine=name, since=at or now, until=None, cause="not_running", why=why)
    if row["since_ns"] is None:
        return None
    return Blind(
        machine=name,
        since=from_ns(row["since_ns"]),
        until=None,
        cause=row["cause"],
        why=row["why"],
    )
