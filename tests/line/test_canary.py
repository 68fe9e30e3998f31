"""A machine whose address now belongs to another is dark, and nothing of the other is booked."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from agent.files import RecordError
from agent.history import MachineSums, open_history
from simulators.euromap77.face import Euromap77Face
from simulators.flat.face import FlatFace
from simulators.press import Press
from tests.line.harness import Agent, until
from tests.simulators.makers import MOLD, a_press

HEAD = """
[record]
url = "sqlite:///plant.db"
[web]
listen = "127.0.0.1:0"
"""
MACHINE = """
[[machine]]
name = "{name}"
driver = "euromap77"
url = "opc.tcp://127.0.0.1:{port}"
poll_s = 0.1
"""
FLAT = """
[[machine]]
name = "IMM-09"
driver = "opcua"
url = "opc.tcp://127.0.0.1:{port}"
map = "flat-em63"
poll_s = 0.1
identity = {{ node = "s=SetDescMld"{value} }}
"""
NAMES = ("IMM-01", "IMM-02")


def sums(agent: Agent) -> dict[str, MachineSums]:
    try:
        with open_history(agent.url) as history:
            return {each.machine: each for each in history.sums(datetime.now(UTC))}
    except RecordError:
        return {}


def is_seen(agent: Agent, name: str) -> bool:
    found = sums(agent).get(name)
    return found is not None and found.blind_now is None and found.seen_at is not None


def mistaken(agent: Agent, name: str) -> str:
    """Why a machine is dark, if it is because another answers."""
    found = sums(agent).get(name)
    blind = found.blind_now if found else None
    return blind.why or "" if blind is not None and blind.cause == "mistaken" else ""


def is_mistaken(agent: Agent, name: str) -> bool:
    return bool(mistaken(agent, name))


async def ended(agent: Agent) -> None:
    if agent.process is not None:
        await agent.kill()


@asynccontextmanager
async def held(agent: Agent) -> AsyncGenerator[None]:
    """Plugs are pulled and put in again while the agent, if it runs, does not try to connect."""
    if agent.process is None:
        yield
        return
    agent.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(0.1)  # what it has begun to open is open
    yield
    agent.process.send_signal(signal.SIGCONT)


@pytest.fixture
async def presses() -> dict[str, Press]:
    return {
        name: a_press(name=name, counter=counter)
        for name, counter in zip(NAMES, (500, 700), strict=True)
    }


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncGenerator[Agent]:
    agent = Agent(tmp_path / "sprue.toml", tmp_path / "agent.log")
    yield agent
    await ended(agent)


async def started(press: Press, port: int = 0) -> Euromap77Face:
    face = Euromap77Face(press, port=port)
    await face.start()
    return face


@pytest.mark.parametrize("runs_on", [True, False])
async def test_swapped_plugs_do_not_swap_shots(
    runs_on: bool, presses: dict[str, Press], agent: Agent
) -> None:
    faces = {name: await started(press) for name, press in presses.items()}
    ports = {name: face.port for name, face in faces.items()}
    machines = [MACHINE.format(name=name, port=port) for name, port in ports.items()]
    agent.config.write_text(HEAD + "".join(machines), encoding="utf-8")
    try:
        await agent.start()
        for name, press in presses.items():
            await until(f"{name} is seen", partial(is_seen, agent, name))
            await press.mold()
        await until("both shots are booked", lambda: len(agent.cycles()) == 2)

        if not runs_on:
            await agent.stop()
        one, other = NAMES
        async with held(agent):
            for face in faces.values():
                await face.stop()
            faces = {
                one: await started(presses[one], ports[other]),
                other: await started(presses[other], ports[one]),
            }
        if not runs_on:
            await agent.start()
        for name, found in ((one, other), (other, one)):
            await until(f"{name} is told from {found}", partial(is_mistaken, agent, name))
            why = mistaken(agent, name)
            now, before = why.removeprefix("another machine answers: ").split("; before it was ")
            assert f"serial '{found}'" in now
            assert f"serial '{name}'" in before
            await presses[name].mold()

        async with held(agent):
            for face in faces.values():
                await face.stop()
            faces = {name: await started(presses[name], ports[name]) for name in NAMES}
        for name, press in presses.items():
            await until(f"{name} is seen again", partial(is_seen, agent, name))
            await press.mold()
        await until(
            "the shots after it are booked",
            lambda: (
                {(c.cycle.machine, c.cycle.counter) for c in agent.cycles()}
                >= {(one, 503), (other, 703)}
            ),
        )
    finally:
        await ended(agent)
        for face in faces.values():
            await face.stop()

    booked = {(c.cycle.machine, c.cycle.counter) for c in agent.cycles()}
    assert booked == {(one, 501), (one, 503), (other, 701), (other, 703)}
    with open_history(agent.url) as history:
        runs = history.runs()
    for name in NAMES:  # the shot that nobody could see is known to be missing
        assert sum(run.unobserved for run in runs if run.machine == name) == 1
        assert sums(agent)[name].blind_s > 0


async def trusted(agent: Agent, name: str, *more: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", "trust", name, "--config", str(agent.config), *more,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_a_replaced_press_is_seen_once_a_person_has_said_so(
    presses: dict[str, Press], agent: Agent
) -> None:
    one, other = NAMES
    face = await started(presses[one])
    agent.config.write_text(HEAD + MACHINE.format(name=one, port=face.port), encoding="utf-8")
    try:
        assert await trusted(agent, one, "--yes") == (
            2, f"sprue: {one} has no certificate, and has not been seen yet\n"
        )  # fmt: skip
        await agent.start()
        await until("it is seen", lambda: is_seen(agent, one))
        async with held(agent):
            await face.stop()
            face = await started(presses[other], face.port)
        await until("it is told from the other", partial(is_mistaken, agent, one))

        status, said = await trusted(agent, one)
        assert status == 2
        assert f"serial '{other}'" in said
        assert "Before, it was manufacturer" in said
        assert mistaken(agent, one)
        status, said = await trusted(agent, one, "--yes")
        assert status == 0, said
        await until("the new one is seen", lambda: is_seen(agent, one))
    finally:
        await ended(agent)
        await face.stop()


@pytest.mark.parametrize("value", ["", ', value = "A-2188"'])
async def test_a_flat_server_is_known_by_a_node(value: str, agent: Agent) -> None:
    press = a_press(counter=500)
    face = FlatFace(press)
    await face.start()
    agent.config.write_text(HEAD + FLAT.format(port=face.port, value=value), encoding="utf-8")
    try:
        await agent.start()
        await until("it is seen", lambda: is_seen(agent, "IMM-09"))
        other = a_press(counter=900, mold=replace(MOLD, id="B-1"))
        async with held(agent):
            await face.stop()
            face = FlatFace(other, port=face.port)
            await face.start()
        await until("it is told from the other", partial(is_mistaken, agent, "IMM-09"))

        why = mistaken(agent, "IMM-09")
        assert "'B-1'" in why
        assert "'A-2188'" in why
    finally:
        await ended(agent)
        await face.stop()
