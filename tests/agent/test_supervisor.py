"""A service manager hears that the agent runs, how it does, and that it still turns."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.supervisor import keep_told

HOW_TO = Path(__file__).parents[2] / "docs/how-to/run-as-a-service.md"

CONFIG = """
[record]
url = "sqlite:///plant.db"
[web]
listen = "127.0.0.1:0"
[[machine]]
name = "IMM-07"
driver = "modbus"
host = "127.0.0.1"
port = 9
map = "retrofit-plc"
"""


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """Where a service manager listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(30)
        yield listening


def said(manager: socket.socket) -> str:
    return manager.recv(4096).decode()


def test_a_running_agent_tells_its_manager(manager: socket.socket, tmp_path: Path) -> None:
    config = tmp_path / "sprue.toml"
    config.write_text(CONFIG, encoding="utf-8")
    environment = {
        **os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "agent", "run", str(config)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as agent:
        try:
            heard = [said(manager) for _ in range(5)]
            agent.send_signal(signal.SIGTERM)
            while (last := said(manager)).startswith(("STATUS=", "WATCHDOG=")):
                pass
            assert agent.wait(20) == 0
        finally:
            agent.kill()

    status = "STATUS=0 of 1 machines are seen"
    assert heard == ["READY=1", status, "WATCHDOG=1", status, "WATCHDOG=1"]
    assert last == "STOPPING=1"


async def test_a_loop_that_does_not_turn_gives_no_sign_of_life(
    manager: socket.socket, tmp_path: Path
) -> None:
    manager.setblocking(False)
    loop = asyncio.get_running_loop()
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "100000"}
    task = asyncio.create_task(keep_told(lambda: "", environment))
    for expected in ("READY=1", "STATUS=", "WATCHDOG=1"):
        assert (await loop.sock_recv(manager, 100)).decode() == expected

    def blocked_for(seconds: float) -> int:
        """Signs of life while the loop does not turn."""
        end = loop.time() + seconds
        signs = 0
        while loop.time() < end:
            with contextlib.suppress(BlockingIOError):
                signs += manager.recv(100) == b"WATCHDOG=1"
        return signs

    assert blocked_for(0.4) == 0
    assert (await loop.sock_recv(manager, 100)).decode() == "STATUS="
    task.cancel()
    await asyncio.wait([task])


async def test_nobody_is_told_where_nobody_listens(tmp_path: Path) -> None:
    await keep_told(lambda: "", {})

    gone = {"NOTIFY_SOCKET": str(tmp_path / "gone")}
    task = asyncio.create_task(keep_told(lambda: "", gone))
    await asyncio.sleep(0.05)
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])


def test_a_watchdog_of_another_process_is_not_ours(manager: socket.socket, tmp_path: Path) -> None:
    environment = {
        "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000", "WATCHDOG_PID": "1"
    }  # fmt: skip

    async def a_while() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(keep_told(lambda: "well", environment), 0.3)

    asyncio.run(a_while())
    assert [said(manager) for _ in range(3)] == ["READY=1", "STATUS=well", "STOPPING=1"]


def test_the_unit_of_the_how_to_is_one(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing: apt-get install systemd")
    found = re.search(r"```ini\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    unit = tmp_path / "sprue.service"
    text = re.sub(r"^   ", "", found[1], flags=re.MULTILINE)
    unit.write_text(text.replace("/opt/sprue/bin/sprue", sys.executable), encoding="utf-8")

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in done.stderr.splitlines() if "sprue.service" in line] == []

    unit.write_text(text.replace("Type=notify", "Type=notifies"), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "sprue.service" in done.stderr
