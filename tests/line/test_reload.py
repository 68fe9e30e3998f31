"""A running agent takes in what has changed in its file; machines that it leaves alone go on."""

import asyncio
import re
import signal
import sys
from pathlib import Path

import aiohttp

from agent.history import open_history
from agent.molds.shelf import read_molds
from simulators.fleet import load
from simulators.plant import open_plant
from tests.line.harness import Agent, an_agent, until

MOLD = """
[[mold]]
id = "N-1"
part = "Cap"
"""


async def reload(agent: Agent) -> tuple[int, str]:
    """Exit status and words of `sprue reload`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", "reload", str(agent.config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode is not None
    return process.returncode, said.decode()


def machines_of(text: str) -> tuple[str, dict[str, str]]:
    """What stands before and behind the machines, and each machine's tables."""
    head, *tables = re.split(r"(?m)^(?=\[\[machine\]\])", text)
    tables[-1], *molds = re.split(r"(?m)^(?=\[\[mold\]\])", tables[-1])
    head += "".join(molds)
    named = {}
    for table in tables:
        name = re.search(r'^name = "(.*)"$', table, re.MULTILINE)
        assert name is not None
        named[name[1]] = table
    return head, named


async def test_only_what_changed_is_connected_anew(tmp_path: Path) -> None:
    async with (
        open_plant(load("six"), speed=20, seed=9, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        head, tables = machines_of(agent.config.read_text(encoding="utf-8"))
        stays, slower, goes, dressed, *others, comes = tables
        written = head + "".join(tables[name] for name in tables if name != comes)
        agent.config.write_text(written, encoding="utf-8")
        await agent.start()
        await until("the pages are up", lambda: "Sprue: http" in agent.log.read_text())

        def molded() -> set[str]:
            return {booked.cycle.machine for booked in agent.cycles()}

        await until("every press has made a shot", lambda: molded() == {*tables} - {comes})
        tables[slower] = tables[slower].replace("poll_s = 0.05", "poll_s = 0.2")
        tables[dressed] += 'label = "D"\n'
        wanted = [comes, stays, slower, dressed, *others]
        agent.config.write_text(
            head + "".join(tables[name] for name in wanted) + MOLD,
            encoding="utf-8",
        )
        status, said = await reload(agent)
        assert status == 0, said
        assert said.splitlines() == [
            f"followed from now on: {comes}",
            f"not followed any more: {goes}",
            f"connected anew: {slower}",
            f"shown in another way: {dressed}",
            "taken over: [mold]",
        ]
        await until("the new press has made a shot", lambda: comes in molded())
        known = {(b.cycle.machine, b.segment, b.cycle.counter) for b in agent.cycles()}
        await until(
            "all have made more",
            lambda: (
                {
                    b.cycle.machine
                    for b in agent.cycles()
                    if (b.cycle.machine, b.segment, b.cycle.counter) not in known
                }
                >= {*wanted}
            ),
        )

        address = re.findall(r"Sprue: (http\S+)", agent.log.read_text(encoding="utf-8"))[-1]
        async with aiohttp.ClientSession() as browser, browser.get(f"{address}api/snapshot") as it:
            shown = await it.json()
        assert [tile["machine"] for tile in shown["tiles"]] == wanted
        assert {t["machine"]: t["label"] for t in shown["tiles"]}[dressed] == "D"
        assert all(tile["shots"] > 0 for tile in shown["tiles"])

        with open_history(agent.url) as history:
            with history.connect() as connection:
                assert read_molds(connection)["N-1"].registered
            blind = [(each.machine, each.why) for each in history.blinds() if each.until]
        why = "Sprue connected anew, with another configuration"
        # Whatever else a busy computer made blind was not ours to open.
        assert [machine for machine, said in blind if said == why] == [slower]
        status, _seconds = await agent.stop()
        assert status == 0
        assert "Traceback" not in agent.log.read_text(encoding="utf-8")


async def test_a_file_that_is_wrong_or_takes_a_new_start_changes_nothing(tmp_path: Path) -> None:
    async with (
        open_plant(load("six"), speed=20, seed=9, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        written = agent.config.read_text(encoding="utf-8")
        status, said = await reload(agent)
        assert status == 1
        assert "no agent that can be asked writes to" in said

        await agent.start()
        await until("the pages are up", lambda: "Sprue: http" in agent.log.read_text())
        agent.config.write_text(written.replace("poll_s = 0.05", "poll_s = -1"), encoding="utf-8")
        status, said = await reload(agent)
        assert status == 2
        assert "machine[1].poll_s" in said

        # Who sends the signal without a look at the file finds the same in the log.
        assert agent.process is not None
        agent.process.send_signal(signal.SIGHUP)
        await until(
            "the log says it",
            lambda: "the old configuration stays: " in agent.log.read_text(encoding="utf-8"),
        )

        agent.config.write_text(written + "[watch]\ntogether = true\n", encoding="utf-8")
        status, said = await reload(agent)
        assert status == 1
        assert "takes a new start of the agent: [watch]" in said

        agent.config.write_text(written, encoding="utf-8")
        assert await reload(agent) == (0, "nothing has changed\n")
        began = len(agent.cycles())
        await until("shots are made", lambda: len(agent.cycles()) > began + 5)
        with open_history(agent.url) as history:
            assert [each for each in history.blinds() if "anew" in each.why] == []
        assert (await agent.stop())[0] == 0
