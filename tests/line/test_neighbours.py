"""A machine that is away delays no other and is tried for ever."""

import asyncio
import contextlib
from datetime import UTC, datetime
from pathlib import Path

from agent.history import open_history
from simulators.fleet import load
from simulators.plant import open_plant
from tests.line.harness import (
    an_agent,
    compare,
    read_truth,
    stand_still,
    unobserved,
    until,
    until_all_seen,
    until_caught_up,
)


async def test_a_machine_that_nobody_answers_for_delays_no_other(
    tmp_path: Path, free_port: int
) -> None:
    """One refuses connections, one takes them and never says a word."""
    truth = tmp_path / "truth.jsonl"

    async def mute(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await _reader.read()
        writer.close()

    fleet = load("six").first(4)
    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with (
        server,
        open_plant(fleet, speed=40, seed=2, truth=truth, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        port = server.sockets[0].getsockname()[1]
        dead = (
            f'[[machine]]\nname = "GONE"\ndriver = "euromap77"\n'
            f'url = "opc.tcp://127.0.0.1:{free_port}"\n'
            f'[[machine]]\nname = "MUTE"\ndriver = "modbus"\nmap = "retrofit-plc"\n'
            f'host = "127.0.0.1"\nport = {port}\ntimeout_s = 0.5\n'
            f'[[machine]]\nname = "MUTE-2"\ndriver = "opcua"\nmap = "flat-em63"\n'
            f'url = "opc.tcp://127.0.0.1:{port}"\nconnect_timeout_s = 1\n'
        )
        agent.config.write_text(dead + agent.config.read_text(encoding="utf-8"), encoding="utf-8")
        await agent.start()
        await until_all_seen(agent, plant)
        for press in plant.presses.values():
            await press.until(press.counter + 12)
        await stand_still(plant)
        await until_caught_up(agent, plant)
        with open_history(agent.url) as history:
            sums = {each.machine: each for each in history.sums(datetime.now(UTC))}
        status, seconds = await agent.stop()

        first: dict[str, int] = {}
        for booked in agent.cycles():
            first.setdefault(booked.cycle.machine, booked.cycle.counter)
        missing = unobserved(agent.runs())
        rows = [
            row
            for row in read_truth(truth)
            if row["counter"] >= first[row["machine"]]
            and row["counter"] not in missing[row["machine"]]
        ]
        result = compare(agent.cycles(), rows, poll_s=0.05)
    assert result.wrong == []
    assert len(rows) >= 4 * 8, "a busy computer hides few of them at forty times the speed"
    assert (status, seconds < 2) == (0, True)
    for name, cause in (("GONE", "unreachable"), ("MUTE", "unreachable")):
        blind = sums[name].blind_now
        assert blind is not None
        assert blind.cause == cause


async def test_a_machine_that_comes_back_is_seen_within_seconds(tmp_path: Path) -> None:
    fleet = load("six").first(1)
    async with (
        open_plant(fleet, speed=40, seed=2, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        (face,) = plant.faces.values()
        (press,) = plant.presses.values()
        await agent.start()
        await until("the first cycle", lambda: bool(agent.cycles()))
        await face.stop()
        await asyncio.sleep(3)
        gone_at = len(agent.cycles())
        await face.start()

        await until("fresh data", lambda: len(agent.cycles()) > gone_at, 5.5)
        with open_history(agent.url) as history:
            blinds = history.blinds()
    assert press.counter > gone_at
    assert [blind.cause for blind in blinds if blind.until] == ["unreachable"]
