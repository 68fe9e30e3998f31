"""The running agent on a disk that hangs, is full, and turns read-only: an ext4 of its own."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.shedding import FLAG
from simulators.fleet import load
from simulators.plant import Plant, open_plant
from tests.dashboards.client import Viewer, get, viewing
from tests.line.harness import (
    PATIENCE_S,
    Agent,
    an_agent,
    gaps_are_blind,
    stand_still,
    unobserved,
    until,
    until_all_seen,
    until_caught_up,
)

pytestmark = pytest.mark.slow


class Disk:
    """A file system of its own, on a device whose writes can be held; `disk` mounts it.

    The device is a file on another such file system, which is frozen to hold them: a file system
    that is frozen itself does not even let a page of memory be written that lies in a file.
    """

    def __init__(self, image: Path, folder: Path, below: Path) -> None:
        self.image = image
        self.folder = folder
        self._below = str(below)
        self._filler = folder / "filler"

    def mount(self) -> bool:
        return _run("mount", "-o", "loop,errors=remount-ro", str(self.image), self._there)

    def unmount(self) -> None:
        _run("umount", self._there)

    @contextlib.contextmanager
    def hangs(self) -> Iterator[None]:
        """While inside, no write to it ends."""
        assert _run("fsfreeze", "-f", self._below)
        try:
            yield
        finally:
            assert _run("fsfreeze", "-u", self._below)

    @contextlib.contextmanager
    def is_full(self) -> Iterator[None]:
        """While inside, another program has all of its room."""
        with self._filler.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(b"\0" * 4096)
        try:
            yield
        finally:
            self._filler.unlink()

    def turns_read_only(self) -> None:
        """As the kernel does when a disk fails: under open files, at once."""
        assert _run("mount", "-o", "remount,abort", self._there)

    @property
    def _there(self) -> str:
        return str(self.folder)


def _run(*words: str) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _made(image: Path, size: int) -> Path:
    """A file with an empty file system in it."""
    with image.open("wb") as file:
        file.truncate(size)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    return image


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    for program in ("mkfs.ext4", "fsfreeze", "mount"):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            pytest.skip(f"needs {program}: apt-get install e2fsprogs mount util-linux")
    below, folder = tmp_path / "below", tmp_path / "disk"
    below.mkdir()
    folder.mkdir()
    if not _run("mount", "-o", "loop", str(_made(tmp_path / "image", 40_000_000)), str(below)):
        pytest.skip("may not mount a file system here")
    try:
        found = Disk(_made(below / "image", 24_000_000), folder, below)
        assert found.mount()
        yield found
        found.unmount()
    finally:
        assert _run("umount", str(below))


@asynccontextmanager
async def watched(disk: Disk, log: Path) -> AsyncGenerator[tuple[Plant, Agent]]:
    """Six presses that mold fast, and an agent whose record is on the disk and whose log is not."""
    async with (
        open_plant(load("six"), speed=40, seed=5, free_ports=True) as plant,
        an_agent(plant, disk.folder) as agent,
    ):
        agent.log = log
        await stand_still(plant)
        await agent.start()
        await until_all_seen(agent, plant)
        await until("pages are served", lambda: "http://" in log.read_text(encoding="utf-8"))
        for press in plant.presses.values():
            press.resume()
        yield plant, agent


def address(agent: Agent) -> str:
    found = re.findall(r"http://[\d.:]+", agent.log.read_text(encoding="utf-8"))
    return str(found[-1])


async def asked(agent: Agent) -> tuple[dict[str, Any], str, str]:
    """What health, the overview and the metrics say."""
    here = address(agent)
    health = json.loads((await get(f"{here}/healthz")).text)
    return health, (await get(here)).text, (await get(f"{here}/metrics")).text


def path_of(agent: Agent) -> Path:
    return agent.config.parent / "plant.db"


async def until_told(agent: Agent, words: str) -> None:
    """Until health, the overview and the metrics all say why nothing is written."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            health, overview, metrics = await asked(agent)
            if all((
                health["status"] == "trouble",
                words in health.get("record", ""),
                words in overview,
                "sprue_record_writable 0.0" in metrics,
            )):  # fmt: skip
                return
            await asyncio.sleep(0.1)


async def until_beat(viewer: Viewer, words: str) -> None:
    """Until an open page hears so; beats come all the time."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                trouble = (await viewer.hear("beat"))["trouble"]
            except TimeoutError:  # a busy computer
                continue
            if words in trouble and bool(words) == bool(trouble):
                return


async def until_well(agent: Agent) -> None:
    """Until none of them does any more."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            health, overview, metrics = await asked(agent)
            said = overview.partition("data-trouble")[2][:200]
            if health["status"] == "ok" and said and "Trouble" not in said:
                assert "sprue_record_writable 1.0" in metrics
                return
            await asyncio.sleep(0.1)


async def until_molded(plant: Plant, shots: int) -> None:
    """Until every press has made so many more."""
    ends = {name: press.counter + shots for name, press in plant.presses.items()}

    def made() -> bool:
        return all(press.counter >= ends[name] for name, press in plant.presses.items())

    await until("presses have gone on", made)


async def caught_up(plant: Plant, agent: Agent) -> None:
    await stand_still(plant)
    await until_caught_up(agent, plant)
    for press in plant.presses.values():
        press.resume()


def lost(agent: Agent) -> dict[str, set[int]]:
    return {machine: gone for machine, gone in unobserved(agent.runs()).items() if gone}


async def test_a_disk_that_hangs_or_is_full_costs_no_shot_and_one_that_fails_none_of_the_count(
    disk: Disk, tmp_path: Path
) -> None:
    async with watched(disk, tmp_path / "log") as (plant, agent):
        await until_molded(plant, 2)

        async with viewing(address(agent)) as viewer:
            await viewer.hear("snapshot")
            with disk.hangs():
                # Who reads the record may have to wait for such a disk; who watches has not.
                await until_beat(viewer, "the disk is slow")
                health = json.loads((await get(f"{address(agent)}/healthz")).text)
                assert health["status"] == "trouble"
                await until_molded(plant, 3)
                await until_beat(viewer, "the disk is slow")
            await until_beat(viewer, "")
        await until_well(agent)

        reserve = path_of(agent).with_name("plant.db.reserve")
        assert reserve.exists()
        with disk.is_full():
            await until_told(agent, "the disk is full since")
            assert not reserve.exists()
            before = len(agent.cycles())
            await until_molded(plant, 3)
            await until("shots are kept all the same", lambda: len(agent.cycles()) > before + 6)
            assert any(FLAG in each.cycle.flags for each in agent.cycles()[before:])
        await until_well(agent)
        assert reserve.exists()
        await caught_up(plant, agent)
        assert lost(agent) == {}

        disk.turns_read_only()
        await until_told(agent, "nothing can be written")
        await until_molded(plant, 2)
        status, _ = await agent.stop()
        assert status == 1
        assert "batches are lost" in agent.log.read_text(encoding="utf-8")

        disk.unmount()
        assert disk.mount()
        await agent.start()
        await until_all_seen(agent, plant)
        await caught_up(plant, agent)
        assert lost(agent)  # what had no disk is counted, and said to be unseen
        assert gaps_are_blind(agent) == []
        status, _ = await agent.stop()
        assert status == 0
