"""`sprue status` says which signals a machine does not give, and how fast its server publishes."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from simulators.modbus.face import ModbusFace
from tests.drivers.flatserver import NAMESPACE, flat_server
from tests.line.harness import PATIENCE_S, Agent
from tests.simulators.makers import a_press

CONFIG = """
[record]
url = "sqlite:///plant.db"
[web]
listen = "127.0.0.1:0"
[[machine]]
name = "IMM-01"
driver = "opcua"
url = "{url}"
map = "many.csv"
poll_s = 0.5
timeout_s = 10
read = "{read}"
"""
MANY = 2500


async def status(agent: Agent, *more: str) -> str:
    found = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", "status", "--config", str(agent.config), *more,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    out, _ = await found.communicate()
    return out.decode()


async def until_status(agent: Agent, **wanted: Any) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            text = await status(agent, "--format", "json")
            row: dict[str, Any] = json.loads(text) if text else {}
            if all(row.get(key) == value for key, value in wanted.items()):
                return row
            await asyncio.sleep(0.2)


async def test_a_deleted_node_among_2500_is_named_until_it_returns(tmp_path: Path) -> None:
    names = [f"N{n}" for n in range(MANY)]
    rows = [f"n{n},s=N{n},{NAMESPACE},false" for n in range(MANY)]
    (tmp_path / "many.csv").write_text(
        "\n".join(["signal,id,namespace,latched", *rows]), encoding="utf-8"
    )
    async with flat_server() as server:
        server.add(**dict.fromkeys(names, 1.0))
        await server.limit_reads(100, stated=True)
        config = tmp_path / "sprue.toml"
        config.write_text(CONFIG.format(url=server.url, read="poll"), encoding="utf-8")
        agent = Agent(config, tmp_path / "agent.log")
        await agent.start()
        try:
            await until_status(agent, link="up", unavailable=[])
            server.delete("N1234")
            sentence = "n1234 at s=N1234: the server has no such node"
            row = await until_status(agent, link="up", unavailable=[sentence])
            table = await status(agent)
            server.add(N1234=2.0)
            await until_status(agent, link="up", unavailable=[])
        finally:
            await agent.kill()

    assert row["blind_s"] == 0
    assert f"IMM-01: unavailable: {sentence}" in table


async def test_the_rates_that_a_server_agreed_to_are_shown(tmp_path: Path) -> None:
    (tmp_path / "many.csv").write_text(f"signal,id,namespace\nmold_temp_c,s=A,{NAMESPACE}\n")
    async with flat_server(A=50.0) as server:
        config = tmp_path / "sprue.toml"
        config.write_text(CONFIG.format(url=server.url, read="subscribe"), encoding="utf-8")
        agent = Agent(config, tmp_path / "agent.log")
        await agent.start()
        try:
            row = await until_status(agent, publishing_s=0.5)
            table = await status(agent)
        finally:
            await agent.kill()

    assert row["lost"] == 0
    assert "IMM-01: the server publishes every 0.5 s" in table


async def test_polls_that_were_left_out_are_counted(tmp_path: Path) -> None:
    press = a_press()
    face = ModbusFace(press)
    await face.start()
    config = tmp_path / "sprue.toml"
    config.write_text(
        '[record]\nurl = "sqlite:///plant.db"\n[web]\nlisten = "127.0.0.1:0"\n'
        f'[[machine]]\nname = "IMM-01"\ndriver = "modbus"\nhost = "127.0.0.1"\n'
        f'port = {face.port}\nmap = "retrofit-plc"\npoll_s = 0.05\n',
        encoding="utf-8",
    )
    await press.faults.on("slow_answers", {"delay_s": 0.2})
    agent = Agent(config, tmp_path / "agent.log")
    await agent.start()
    try:
        async with asyncio.timeout(PATIENCE_S):
            row = await until_status(agent, link="up")
            while not row["missed"]:
                row = await until_status(agent, link="up")
        table = await status(agent)
    finally:
        await agent.kill()
        await face.stop()

    assert row["missed"] > 0
    assert "polls left out in this connection: answers take too long" in table
