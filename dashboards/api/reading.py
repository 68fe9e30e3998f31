"""What programs may ask of the record: cycles, curves, anomalies, molds, and how Sprue does."""

from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from agent.anomalies import STATES, State, Wanted, anomalies_after, find
from agent.anomaly import AnomalyError
from agent.anomalylisting import known_line, mute_line
from agent.cycle import Booked, Curve
from agent.forward.standing import standings
from agent.history import Filter, History
from agent.listing import calling_by_machine, cycle_line, machine_line
from agent.live import Site
from agent.molds.desk import MoldError
from agent.molds.lines import list_lines, show_line
from agent.molds.shelf import read_shelf
from agent.muting import mutes
from agent.rows import booked_of
from dashboards.api import shapes
from dashboards.api.error import MissingError
from dashboards.api.moment import Moment
from dashboards.api.paging import USUAL, Cursor, Limit, answer, encoded, key_of, page
from dashboards.recordaccess import RecordAccess
from drivers.signals import SIGNALS, signal_named

Name = Annotated[str | None, Query(max_length=200)]
Time = Annotated[Moment | None, Query(description="ISO 8601 with an offset.")]
Counter = Annotated[int | None, Query(ge=0, lt=2**63)]


def described(shape: Any) -> dict[int | str, dict[str, Any]]:
    """What a good answer is; it is not made from this, and a test compares the two."""
    return {200: {"model": shape}}


def reading(access: RecordAccess, site: Site) -> APIRouter:
    """The routes that only read."""
    router = APIRouter()

    async def asked(question: Callable[[History, datetime], bytes]) -> Response:
        return answer(await access.ask(question))

    @router.get("/status", responses=described(shapes.Status), tags=["status"])
    async def status() -> Response:
        """Every source and every sink, and whether the record can be written."""
        trouble = await access.trouble()
        return await asked(lambda history, now: _status(history, now, access.url, site, trouble))

    @router.get("/signals", responses=described(shapes.Signals), tags=["status"])
    async def signals() -> Response:
        """The vocabulary: every canonical signal with its unit."""
        found = [
            {"name": each.name, "unit": each.unit, "text": each.text, "kind": each.kind.value,
             "decimals": each.decimals}
            for each in SIGNALS.values()
        ]  # fmt: skip
        return answer(encoded({"items": found}))

    @router.get("/cycles", responses=described(shapes.Page[shapes.Cycle]), tags=["cycles"])
    async def cycles(
        machine: Name = None,
        mold: Name = None,
        revision: Name = None,
        job: Name = None,
        state: Name = None,
        segment: Counter = None,
        since: Time = None,
        until: Time = None,
        order: Annotated[
            Literal["oldest", "newest"], Query(description="In order of arrival, or against it.")
        ] = "oldest",
        limit: Limit = USUAL,
        cursor: Cursor = None,
    ) -> Response:
        """Finished shots and dry cycles.

        A list in order of arrival can be followed for ever: ask with the `last` of the part before.
        """
        wanted = Filter(
            machine=machine, mold=mold, revision=revision, job=job, state=state, segment=segment,
            since=since, until=until,
        )  # fmt: skip
        after = key_of(cursor, int)
        return await asked(
            lambda history, _now: _cycles(history, wanted, order == "newest", after, limit, cursor)
        )

    @router.get(
        "/cycles/{machine}/{segment}/{counter}", responses=described(shapes.Cycle), tags=["cycles"]
    )
    async def one_cycle(machine: str, segment: int, counter: int) -> Response:
        """One cycle, by the machine's own counter."""
        return await asked(
            lambda history, _now: encoded(cycle_line(_one(history, machine, segment, counter)))
        )

    @router.get(
        "/cycles/{machine}/{segment}/{counter}/curves",
        responses=described(shapes.Curves),
        tags=["cycles"],
    )
    async def curves(machine: str, segment: int, counter: int) -> Response:
        """The sampled signals of one cycle; none where their month was removed."""
        return await asked(lambda history, _now: _curves(history, machine, segment, counter))

    @router.get("/anomalies", responses=described(shapes.Page[shapes.Anomaly]), tags=["anomalies"])
    async def anomalies(
        machine: Name = None,
        mold: Name = None,
        kind: Name = None,
        cause: Name = None,
        state: Annotated[list[State] | None, Query(description="Repeat it for several.")] = None,
        muted: bool | None = None,
        since: Time = None,
        until: Time = None,
        limit: Limit = USUAL,
        cursor: Cursor = None,
    ) -> Response:
        """What was found, oldest first."""
        wanted = Wanted(
            machine=machine, mold=mold, kind=kind, cause=cause, states=state or STATES,
            since=since, until=until, muted=muted,
        )  # fmt: skip
        after = key_of(cursor, int) or 0
        return await asked(
            lambda history, now: _anomalies(history, now, wanted, after, limit, cursor)
        )

    @router.get("/anomalies/{name}", responses=described(shapes.Anomaly), tags=["anomalies"])
    async def one_anomaly(name: str) -> Response:
        """One anomaly, by its number or id."""
        body = await access.read(lambda connection, now: anomaly_body(connection, now, name))
        return answer(body)

    @router.get("/mutes", responses=described(shapes.Page[shapes.Mute]), tags=["anomalies"])
    async def all_mutes(limit: Limit = USUAL, cursor: Cursor = None) -> Response:
        """What was ever muted, oldest first."""
        after = key_of(cursor, int) or 0
        return await asked(lambda history, _now: _mutes(history, after, limit, cursor))

    @router.get("/molds", responses=described(shapes.Page[shapes.MoldLine]), tags=["molds"])
    async def molds(retired: bool = False, limit: Limit = USUAL, cursor: Cursor = None) -> Response:
        """Every mold revision that took a closing or is the present one, by mold."""
        after = key_of(cursor, str)
        return await asked(lambda history, now: _molds(history, now, retired, after, limit, cursor))

    @router.get("/molds/{name:path}", responses=described(shapes.MoldDetail), tags=["molds"])
    async def one_mold(name: str) -> Response:
        """All that is known of one mold: life, forecast, log."""
        body = await access.read(lambda connection, now: mold_body(connection, now, name))
        return answer(body)

    return router


def _status(history: History, now: datetime, url: str, site: Site, trouble: str) -> bytes:
    with history.connect() as connection:
        calling = calling_by_machine(connection, now)
    sinks = [
        {
            "name": each.name, "kind": each.kind, "place": each.place, "waiting": each.rows,
            "oldest_at": each.oldest_at, "acknowledged_at": each.acknowledged_at,
            "trouble": each.trouble, "letters": each.letters,
        }
        for each in standings(url)
    ]  # fmt: skip
    return encoded(
        {
            "version": version("sprue"),
            "now": now,
            "timezone": site.timezone,
            "record": trouble or None,
            "machines": [
                machine_line(each, calling.get(each.machine, ())) for each in history.sums(now)
            ],
            "sinks": sinks,
        }
    )


def _cycles(
    history: History, wanted: Filter, newest: bool, after: int | None, limit: int, came: str | None
) -> bytes:
    rows = history.some(wanted, limit + 1, newest=newest, after=after)
    lines = [cycle_line(booked_of(row._asdict())) for row in rows]
    return page(lines, [row.id for row in rows], limit, came)


def _one(history: History, machine: str, segment: int, counter: int) -> Booked:
    if not (0 <= segment < 2**31 and abs(counter) < 2**63):
        raise MissingError(f"no cycle {counter} in segment {segment} of {machine}")
    wanted = Filter(machine=machine, segment=segment, counters=(counter, counter))
    found = next(iter(history.cycles(wanted)), None)
    if found is None:
        raise MissingError(f"no cycle {counter} in segment {segment} of {machine}")
    return found


def _curves(history: History, machine: str, segment: int, counter: int) -> bytes:
    booked = _one(history, machine, segment, counter)
    curves = history.curves(booked)
    found = {"machine": machine, "segment": segment, "counter": counter}
    return encoded(found | {"curves": {name: _curve(name, each) for name, each in curves.items()}})


def _curve(name: str, curve: Curve) -> dict[str, Any]:
    signal = signal_named(name)
    values = [None if np.isnan(each) else each for each in curve.values.tolist()]
    return {
        "unit": signal.unit if signal else "",
        "started_at": curve.started_at,
        "t_s": np.round(curve.t_s, 6).tolist(),
        "values": values,
    }


def _anomalies(
    history: History, now: datetime, wanted: Wanted, after: int, limit: int, came: str | None
) -> bytes:
    with history.connect() as connection:
        found = anomalies_after(connection, wanted, now=now, after=after, most=limit + 1)
    return page([known_line(each) for each in found], [each.number for each in found], limit, came)


def anomaly_body(connection: Connection, now: datetime, name: str) -> bytes:
    """One anomaly.

    Raises:
        MissingError: there is none of that number or id.
    """
    try:
        return encoded(known_line(find(connection, name, now=now)))
    except AnomalyError as error:
        raise MissingError(str(error)) from error


def mute_body(connection: Connection, number: int) -> bytes:
    """One mute.

    Raises:
        MissingError: there is none of that number.
    """
    found = next((each for each in mutes(connection) if each.number == number), None)
    if found is None:
        raise MissingError(f"there is no mute {number}")
    return encoded(mute_line(found))


def _mutes(history: History, after: int, limit: int, came: str | None) -> bytes:
    with history.connect() as connection:
        found = [each for each in mutes(connection) if each.number > after][: limit + 1]
    return page([mute_line(each) for each in found], [each.number for each in found], limit, came)


def _molds(
    history: History, now: datetime, retired: bool, after: str | None, limit: int, came: str | None
) -> bytes:
    with history.connect() as connection:
        shelf = read_shelf(connection)
    keyed = [(_mold_key(line), line) for line in list_lines(shelf, retired=retired, now=now)]
    keyed.sort(key=lambda each: each[0])
    left = [each for each in keyed if after is None or each[0] > after][: limit + 1]
    return page([line for _key, line in left], [key for key, _line in left], limit, came)


def _mold_key(line: Mapping[str, Any]) -> str:
    return f"{line['mold'] or ''}\0{line['revision'] or ''}"


def mold_body(connection: Connection, now: datetime, name: str) -> bytes:
    """One mold.

    Raises:
        MissingError: there is none of that name.
    """
    try:
        return encoded(show_line(connection, name, now))
    except MoldError as error:
        raise MissingError(str(error)) from error
