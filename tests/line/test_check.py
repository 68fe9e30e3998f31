"""`sprue check --connect` shows what a press says before anything is stored."""

import asyncio
import json
import sys
from pathlib import Path

from simulators.fleet import load
from simulators.plant import open_plant
from simulators.printedconfig import print_config


async def test_every_machine_is_read_once_and_nothing_is_stored(
    tmp_path: Path, free_port: int
) -> None:
    fleet = load("six")
    dead = (
        f'[[machine]]\nname = "GONE"\ndriver = "modbus"\nmap = "retrofit-plc"\n'
        f'host = "127.0.0.1"\nport = {free_port}\n'
    )
    async with open_plant(fleet, speed=None, seed=4, free_ports=True) as plant:
        for press in plant.presses.values():
            await press.mold(cooling_time_s=11.5)
        config = tmp_path / "sprue.toml"
        config.write_text(dead + print_config(fleet, plant.ports), encoding="utf-8")
        check = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "agent", "check", str(config), "--connect", "--format", "json",
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, _ = await asyncio.wait_for(check.communicate(), 60)

    rows = {(r["machine"], r["signal"]): r for r in map(json.loads, said.splitlines())}
    assert check.returncode == 1
    assert "refused" in rows["GONE", "(machine)"]["quality"].lower()
    for name in plant.presses:
        counter = rows[name, "counter"]
        assert (counter["value"], counter["quality"]) == (1, "good")
        assert counter["source"]
        assert rows[name, "cooling_time_s"]["unit"].startswith("s")
    for name in ("IMM-01", "IMM-03"):
        cooling = rows[name, "cooling_time_s"]
        assert (cooling["value"], cooling["quality"]) == (11.5, "last cycle")
    assert rows["IMM-05", "cooling_time_s"]["quality"] == "once a cycle"
    assert "serial IMM-05" in rows["IMM-05", "(identity)"]["value"]
    assert [path.name for path in tmp_path.iterdir()] == ["sprue.toml"]
