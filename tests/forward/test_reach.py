"""`sprue check --connect` tells of every sink whether it would take rows, and writes none."""

import asyncio
import json
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.forward.reach import reach_all
from agent.forward.settings import VictoriaSettings
from tests.forward.forwarded import Influx, influxdb
from tests.forward.servers import Server, free_port
from tests.forward.v2 import Answer, Endpoint, serving


async def test_a_server_that_would_take_rows_is_told_from_one_without_the_bucket(
    influx_v2: str, database: Influx
) -> None:
    right = influxdb(influx_v2, name="right", bucket=database.database)
    wrong = influxdb(influx_v2, name="wrong", bucket="nowhere")

    found = {each.sink: each.error for each in await reach_all([right, wrong])}

    assert found["right"] is None
    assert "404" in str(found["wrong"])
    assert "nowhere" in str(found["wrong"])


async def test_victoriametrics_would_take_rows_while_it_is_there(victoria: Server) -> None:
    settings = VictoriaSettings.model_validate({"kind": "victoriametrics", "url": victoria.url})
    (away,) = await reach_all([settings])
    await asyncio.to_thread(victoria.start)
    (there,) = await reach_all([settings])

    assert away.error
    assert there.error is None


async def test_a_refused_token_is_an_error_and_a_refused_write_of_nothing_is_none() -> None:
    answers = {"closed": Answer(status=401, body='{"message": "unauthorized access"}')}
    answers["open"] = Answer(status=400, body='{"message": "writing requires points"}')
    for name, answer in answers.items():
        endpoint = Endpoint(lambda _lines, answer=answer: answer)  # type: ignore[misc]
        async with serving(endpoint.handle) as url:
            (found,) = await reach_all([influxdb(url, name=name)])
        assert endpoint.requests == [[]]
        assert (found.error is None) == (name == "open")


async def test_the_command_fails_where_a_sink_is_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "sprue.toml"
    config.write_text(
        f'[[machine]]\nname = "IMM-01"\ndriver = "modbus"\nhost = "127.0.0.1"\n'
        f'port = {free_port()}\nmap = "retrofit-plc"\n'
        f'[[forward]]\nkind = "victoriametrics"\nurl = "http://127.0.0.1:{free_port()}"\n'
    )

    status = await asyncio.to_thread(main, ["check", str(config), "--connect", "--format", "json"])

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (sink,) = [row for row in rows if "sink" in row]
    assert status == 1
    assert sink["sink"] == "victoriametrics"
    assert sink["error"]
