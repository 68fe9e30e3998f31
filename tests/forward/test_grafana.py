"""Grafana's dashboards: what the measurements say, and answered by a real server."""

import dataclasses
import importlib.util
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agent.anomaly import Anomaly
from agent.batch import Batch, Blind
from drivers import Change, Notice
from drivers.signals import SIGNALS
from tests.agent.makers import cycle
from tests.forward.forwarded import Forwarded, until, victoria_samples
from tests.forward.servers import Server
from tests.forward.test_influxdb import told
from tests.forward.test_victoria import victoriametrics

ROOT = Path(__file__).parent.parent.parent
FILES = sorted((ROOT / "dashboards" / "grafana").glob("*.json"))
CHOSEN = {"$__range": "1h", "$__interval": "30s", "$machine": ".*", "$mold": ".*"}


def script() -> Any:
    spec = importlib.util.spec_from_file_location("grafana", ROOT / "scripts" / "grafana.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["grafana"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def an_anomaly(time: datetime) -> Anomaly:
    return Anomaly(
        id="IMM-01/1", time=time, machine="IMM-01", mold="A-1", revision="A", segment=1, counter=3,
        kind="cooling_time", cause="timer_changed", signal="cooling_time_s", value=20.0,
        expected=19.0, message="The cooling timer was set from 19 to 20 s.",
    )  # fmt: skip


def test_the_files_are_what_the_measurements_say() -> None:
    grafana = script()
    assert {path.stem for path in FILES} == set(grafana.DASHBOARDS)
    for path in FILES:
        assert path.read_text(encoding="utf-8") == grafana.text_of(path.stem), (
            "run python scripts/grafana.py"
        )


def test_a_panel_of_what_is_not_forwarded_is_refused() -> None:
    grafana = script()
    with pytest.raises(ValueError, match="has no number cooling"):
        grafana.series(grafana.CYCLE, "cooling")
    with pytest.raises(ValueError, match="has no label job"):
        grafana.series(grafana.CYCLE, "cycle_time_s", "job")


def test_panels_have_ids_of_their_own_and_lie_beside_each_other() -> None:
    loaded = [json.loads(path.read_text(encoding="utf-8")) for path in FILES]
    assert len({each["uid"] for each in loaded}) == len(loaded)
    for each in loaded:
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


async def test_every_panel_has_an_answer(plant: Forwarded, victoria: Server) -> None:
    victoria.start()
    now = datetime.now(UTC).replace(microsecond=0)
    begin = now - timedelta(minutes=10)
    values = dict.fromkeys(SIGNALS, 20.0)
    for n in (1, 2, 3):
        one = cycle(n, 0, time=begin + timedelta(seconds=20 * n), values=values)
        await (await plant.keep(one))
    later = begin + timedelta(minutes=5)
    blind = Blind(machine="IMM-01", since=begin, until=later, cause="stale", why="silent")
    notice = Notice(
        machine="IMM-01", change=Change.MODE, name="mode", old="MANUAL", new="AUTOMATIC", who=None,
        at=begin, received_at=begin,
    )  # fmt: skip
    anomaly = an_anomaly(later)
    batch = Batch(machine="IMM-01", blinds=[blind], notices=[notice], anomalies=[anomaly])
    await (await plant.record.keep(batch))
    async with plant.to(victoriametrics(victoria.url, 0)):
        await told(plant)
        closed = dataclasses.replace(anomaly, closed_at=later + timedelta(minutes=1))
        await (await plant.record.keep(Batch(machine="IMM-01", anomalies=[closed])))
        await told(plant)

    async def there() -> bool:
        return bool(await victoria_samples(victoria.url, "sprue_anomaly_duration_s"))

    await until("the anomaly and its end have arrived", there)
    found = {}
    async with aiohttp.ClientSession() as session:
        for path in FILES:
            for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
                for number, target in enumerate(panel["targets"]):
                    answer = await answer_of(session, victoria.url, target, begin)
                    found[path.stem, panel["title"], number] = answer
    assert [panel for panel, answer in found.items() if not answer] == []
    assert one_number(found["plant", "Shots by machine", 0]) == ({"machine": "IMM-01"}, 3)
    assert one_number(found["sight", "Blind for", 0])[1] == 300
    assert one_number(found["anomalies", "Anomalies raised, by kind and cause", 0]) == (
        {"kind": "cooling_time", "cause": "timer_changed"},
        1,
    )
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
    async with session.get(f"{url}/api/v1/{call}", params=asked) as answer:
        assert answer.status == 200, (query, await answer.text())
        result: list[Any] = (await answer.json())["data"]["result"]
        return result


def one_number(result: list[Any]) -> tuple[dict[str, str], float]:
    """Labels and value of an answer that has one."""
    (only,) = result
    return only["metric"], float(only["value"][1])
