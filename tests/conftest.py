"""What every test lives by: no skip in CI, and nothing left running behind."""

import asyncio
import os
import shutil
import socket
import threading
import time
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import psutil
import pytest

REQUIRE_ALL = os.environ.get("SPRUE_REQUIRE_ALL") == "1"
NODESETS = Path(__file__).parents[2] / "shared" / "reference" / "nodesets"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under SPRUE_REQUIRE_ALL=1 a skip is a failure: what CI does not run, it does not know."""
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped under SPRUE_REQUIRE_ALL=1: {report.longrepr}"
    return report


def _sockets() -> set[int]:
    return {
        connection.fd
        for connection in psutil.Process().net_connections("inet")
        if connection.status != psutil.CONN_CLOSE_WAIT
    }


def _until_gone(what: str, left: object, still: object) -> None:
    """Give what is just closing half a second, then fail the test that left it."""
    assert callable(still)
    end = time.monotonic() + 0.5
    while left and time.monotonic() < end:
        time.sleep(0.01)
        left = still()
    if left:
        pytest.fail(f"the test left {what} behind: {left}")


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Generator[None]:
    """Fail a test that leaves a thread or a socket behind."""
    threads, sockets = set(threading.enumerate()), _sockets()
    yield

    def new_threads() -> set[threading.Thread]:
        # An event loop's own workers end with it, and a loop may outlast a test.
        found = {t for t in set(threading.enumerate()) - threads if t.is_alive()}
        return {t for t in found if not t.name.startswith("asyncio_")}

    def new_sockets() -> set[int]:
        return _sockets() - sockets

    _until_gone("threads", new_threads(), new_threads)
    _until_gone("sockets", new_sockets(), new_sockets)


@pytest.fixture(autouse=True)
async def nothing_stays_running(nothing_stays_open: None) -> AsyncGenerator[None]:
    """Fail a test that leaves a task running in its event loop."""
    before = asyncio.all_tasks()
    yield
    left: set[asyncio.Task[object]] = set()
    for _ in range(50):
        left = {task for task in asyncio.all_tasks() - before if not task.done()}
        left.discard(asyncio.current_task())
        if not left:
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"the test left tasks running: {sorted(task.get_name() for task in left)}")


@pytest.fixture
def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the system's Chromium; tests without it skip, and say how to get it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    return path


@pytest.fixture(scope="session")
def nodesets() -> Path:
    """Folder of the official OPC UA NodeSet files, where this checkout has them beside it."""
    if not NODESETS.is_dir():
        pytest.skip(f"needs the official NodeSet files in {NODESETS}")
    return NODESETS
