"""Grafana's dashboards: what the measurements say, and answered by real servers and engines."""

import asyncio
import dataclasses
import json
import re
import subprocess
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from agent.anomaly import Anomaly
from agent.batch import Batch, Blind
from agent.forward.measurements import CYCLE
from agent.forward.settings import LineSink
from agent.forward.vitals import tell_vitals
from drivers import Change, Notice
from drivers.signals import SIGNALS
from scripts.examples import FLUX, INFLUXQL, LIFE, PROMQL, SQL, queries
from scripts.grafana.files import FOLDER, LANGUAGES, texts
from scripts.grafana.questions import Course
from tests.agent.makers import cycle
from tests.forward.forwarded import Forwarded, Influx, influxdb, until, victoria_samples
from tests.forward.influxdb3 import answer, as_asked, tables
from tests.forward.servers import Server
from tests.forward.test_influxdb import told
from tests.forward.test_victoria import victoriametrics
from tests.npm import installed

CHOSEN = {"$__range": "1h", "$__interval": "30s", "$machine": ".*", "$mold": ".*"}
CHECKER = Path(__file__).parent / "flux"

Panel = tuple[str, str, int]
"""Dashboard, title, number of the query."""


def boards(language: str) -> dict[str, Any]:
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((FOLDER / language).glob("*.json"))
    }


def targets(language: str) -> Iterator[tuple[Panel, dict[str, Any]]]:
    for name, board in boards(language).items():
        for panel in board["panels"]:
            for number, target in enumerate(panel["targets"]):
                yield (name, panel["title"], number), target


def test_the_files_are_what_the_measurements_say() -> None:
    made = texts()
    assert set(FOLDER.glob("*/*.json")) == set(made)
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, "run python -m scripts.grafana"


def test_a_panel_of_what_is_not_forwarded_is_refused() -> None:
    with pytest.raises(ValueError, match="has no number cooling"):
        Course(measurement=CYCLE, fields=("cooling",), by=("machine",), chosen=())
    with pytest.raises(ValueError, match="has no label job"):
        Course(measurement=CYCLE, fields=("cycle_time_s",), by=("job",), chosen=())


@pytest.mark.parametrize("language", LANGUAGES)
def test_panels_have_ids_of_their_own_and_lie_beside_each_other(language: str) -> None:
    for each in boards(language).values():
        panels = each["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        taken: set[tuple[int, int]] = set()
        for panel in panels:
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert place["x"] + place["w"] <= 24
            assert not cells & taken, panel["title"]
            taken |= cells


def test_no_two_dashboards_are_one_to_grafana() -> None:
    uids = [each["uid"] for language in LANGUAGES for each in boards(language).values()]
    assert len(set(uids)) == len(uids) == 18
    assert all(len(uid) <= 40 for uid in uids)  # or Grafana takes none of the folder


@pytest.mark.parametrize("language", LANGUAGES)
def test_dashboards_ask_the_source_that_is_provisioned(language: str) -> None:
    path = FOLDER / "provisioning" / "datasources" / f"{language}.yaml"
    (source,) = yaml.safe_load(path.read_text(encoding="utf-8"))["datasources"]
    asked = {
        (target["datasource"]["type"], target["datasource"]["uid"])
        for _, target in targets(language)
    }
    assert asked == {(source["type"], source["uid"])}
    (provider,) = yaml.safe_load(
        (FOLDER / "provisioning" / "dashboards" / "sprue.yaml").read_text()
    )["providers"]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards/sprue"


@asynccontextmanager
async def vitals(plant: Forwarded, sink: LineSink) -> AsyncGenerator[None]:
    """While inside, the sink is told five times a second how the agent does.

    As of a minute ago: VictoriaMetrics keeps the newest half minute to itself.
    """

    def then() -> datetime:
        return datetime.now(UTC) - timedelta(minutes=1)

    telling = tell_vitals(sink, plant.path, "Halle 2", then, every_s=0.2)
    task = asyncio.create_task(telling)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def fill(plant: Forwarded, sink: LineSink, begin: datetime) -> None:
    """Something of everything that panels show, forwarded: three shots, a blind interval, ..."""
    values = dict.fromkeys(SIGNALS, 20.0)
    for n in (1, 2, 3):
        one = cycle(n, 0, time=begin + timedelta(seconds=20 * n), values=values)
        await (await plant.keep(one))
    later = begin + timedelta(minutes=5)
    plant.record.seen("IMM-01", later)
    blind = Blind(machine="IMM-01", since=begin, until=later, cause="stale", why="silent")
    notice = Notice(
        machine="IMM-01", change=Change.MODE, name="mode", old="MANUAL", new="AUTOMATIC", who=None,
        at=begin, received_at=begin,
    )  # fmt: skip
    anomaly = Anomaly(
        id="IMM-01/1", time=later, machine="IMM-01", mold="A-1", revision="A", segment=1, counter=3,
        kind="cooling_time", cause="timer_changed", signal="cooling_time_s", value=20.0,
        expected=19.0, message="The cooling timer was set from 19 to 20 s.",
    )  # fmt: skip
    batch = Batch(machine="IMM-01", blinds=[blind], notices=[notice], anomalies=[anomaly])
    await (await plant.record.keep(batch))
    async with plant.to(sink):
        await told(plant)
        closed = dataclasses.replace(anomaly, closed_at=later + timedelta(minutes=1))
        await (await plant.record.keep(Batch(machine="IMM-01", anomalies=[closed])))
        await told(plant)


async def test_every_panel_has_an_answer_from_victoriametrics(
    plant: Forwarded, victoria: Server
) -> None:
    victoria.start()
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    sink = victoriametrics(victoria.url, 0)
    await fill(plant, sink, begin)

    async def there() -> bool:
        metrics = ("sprue_anomaly_duration_s", "sprue_link_seen_age_s")
        return all([await victoria_samples(victoria.url, metric) for metric in metrics])

    async with vitals(plant, sink):
        await until("the anomaly, its end and how we do have arrived", there)
    found = {}
    async with aiohttp.ClientSession() as session:
        for panel, target in targets("victoriametrics"):
            found[panel] = await answer_of(session, victoria.url, target, begin)
        for query in queries(PROMQL).values():
            asked = {"expr": query.replace("A-17", "A-1"), "range": False}
            assert await answer_of(session, victoria.url, asked, begin), query
    assert [panel for panel, answer in found.items() if not answer] == []
    assert one_number(found["plant", "Shots by machine", 0]) == ({"machine": "IMM-01"}, 3)
    assert one_number(found["sight", "Blind for", 0])[1] == 300
    assert one_number(found["anomalies", "Anomalies raised, by kind and cause", 0]) == (
        {"kind": "cooling_time", "cause": "timer_changed"},
        1,
    )
    assert one_number(found["agent", "Links to machines", 0]) == ({"machine": "IMM-01"}, 1)
    (cushion,) = found["machine", "Cushion", 0]
    assert {float(value) for _at, value in cushion["values"]} == {20.0}


async def answer_of(
    session: aiohttp.ClientSession, url: str, target: dict[str, Any], begin: datetime
) -> list[Any]:
    """What the server says to a panel, asked as Grafana asks."""
    query = target["expr"]
    for name, value in CHOSEN.items():
        query = query.replace(name, value)
    asked = {"query": query, "nocache": "1"}
    if target["range"]:
        asked |= {"start": str(begin.timestamp()), "end": str(time.time()), "step": "30s"}
    call = "query_range" if target["range"] else "query"
    async with session.get(f"{url}/api/v1/{call}", params=asked) as reply:
        assert reply.status == 200, (query, await reply.text())
        result: list[Any] = (await reply.json())["data"]["result"]
        return result


def one_number(result: list[Any]) -> tuple[dict[str, str], float]:
    """Labels and value of an answer that has one."""
    (only,) = result
    return only["metric"], float(only["value"][1])


async def test_every_panel_has_an_answer_from_the_engine_of_influxdb_3(
    plant: Forwarded, influx_v2: str, database: Influx
) -> None:
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    sink = influxdb(influx_v2, bucket=database.database)
    await fill(plant, sink, begin)

    async def there() -> bool:
        return bool(await database.ask("SELECT seen_age_s FROM sprue_link"))

    async with vitals(plant, sink):
        await until("how we do has arrived", there)
    stored = await tables(database)
    since, now = begin - timedelta(hours=1), datetime.now(UTC) + timedelta(minutes=1)
    chosen = {"machine": "IMM-01", "mold": "A-1"}
    found = {
        panel: answer(stored, as_asked(target["rawSql"], since, now, chosen))
        for panel, target in targets("influxdb-sql")
    }
    assert [panel for panel, rows in found.items() if not rows] == []
    assert found["plant", "Shots by machine", 0] == [{"machine": "IMM-01", "value": 3}]
    assert [row["value"] for row in found["plant", "Shots an hour", 0]] == [3]
    assert found["mold", "Shots in its life", 0] == [{"mold": "A-1", "revision": "A", "value": 3}]
    assert found["sight", "Blind for", 0] == [
        {"machine": "IMM-01", "cause": "stale", "value": 300.0}
    ]
    (raised,) = found["anomalies", "Anomalies raised, by kind and cause", 0]
    assert raised == {"kind": "cooling_time", "cause": "timer_changed", "value": 1}
    (listed,) = found["anomalies", "What was found", 0]
    assert listed["message"] == "The cooling timer was set from 19 to 20 s."
    (age,) = found["plant", "Time since the last cycle", 0]
    assert 500 < age["value"] < 900
    assert found["agent", "Links to machines", 0] == [{"machine": "IMM-01", "value": 1}]
    courses = [found[panel] for panel, target in targets("influxdb-sql")
               if target["format"] == "time_series"]  # fmt: skip
    for rows in courses:  # as Grafana wants them, to make them wide
        times = [row["time"] for row in rows]
        assert times == sorted(times)
    for query in variables("influxdb-sql"):
        assert [[*row.values()] for row in answer(stored, as_asked(query, since, now, chosen))] in (
            [["IMM-01"]],
            [["A-1"]],
        )
    for query in queries(SQL).values():
        assert answer(stored, query.replace("A-17", "A-1")), query
    for question, query in queries(INFLUXQL).items():
        rows = await database.ask(query.replace("A-17", "A-1"))
        assert rows, query
        if question == LIFE:
            assert [row["sum"] for row in rows] == [3]


def variables(language: str) -> list[str]:
    return [
        each["query"] for board in boards(language).values() for each in board["templating"]["list"]
    ]


def wrong(pytestconfig: pytest.Config, scripts: Sequence[str]) -> list[list[str]]:
    """What InfluxData's own checker says of Flux scripts."""
    folder = installed(pytestconfig, CHECKER)
    run = subprocess.run(
        ["node", str(folder / "check.mjs")], input=json.dumps(scripts), capture_output=True,
        text=True, timeout=60, check=True,
    )  # fmt: skip
    found: list[list[str]] = json.loads(run.stdout)
    return found


def test_every_panel_in_flux_is_right_by_influxdatas_own_checker(
    pytestconfig: pytest.Config,
) -> None:
    """No server of Debian's answers Flux: syntax, types, functions and what they take."""
    asked = [target["query"] for _, target in targets("influxdb-flux")]
    scripts = [
        as_flux(each) for each in (*asked, *variables("influxdb-flux"), *queries(FLUX).values())
    ]
    mistaken = 'from(bucket: "x") |> range(start: -1h) |> count(colum: "y")'
    *said, last = wrong(pytestconfig, [*scripts, mistaken])
    assert {script: each for script, each in zip(scripts, said, strict=True) if each} == {}
    assert "colum" in last[0]
    assert len(asked) > 40


def as_flux(query: str) -> str:
    """A query with Grafana's variables filled in."""
    for name, value in {
        "v.timeRangeStart": "2026-11-25T06:00:00Z",
        "v.timeRangeStop": "2026-11-25T14:00:00Z",
        "v.windowPeriod": "30s",
        "v.defaultBucket": '"molding"',
    }.items():
        query = query.replace(name, value)
    filled = re.sub(r"\$\{(\w+):regex\}", "(IMM-01|IMM-02)", query)
    assert "$" not in filled.replace("$/", "")
    return filled
