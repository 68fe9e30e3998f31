"""Clients that somebody else wrote, as they come from Debian and from npm."""

import fcntl
import shutil
import subprocess
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from simulators.fleet import load
from simulators.plant import Plant, open_plant

CLIENT = Path(__file__).parent / "node-opcua"


@pytest.fixture
async def plant() -> AsyncGenerator[Plant]:
    """Two presses of each protocol that mold by hand, each with a cycle behind it."""
    async with open_plant(load("six"), speed=None, free_ports=True) as plant:
        for press in plant.presses.values():
            await press.mold()
        yield plant


@pytest.fixture(scope="session")
def node_opcua(pytestconfig: pytest.Config) -> Path:
    """Folder with our client and node-opcua, installed as its lock says; kept until that changes.

    2.182 is the last that runs on Debian 12's Node.js 18, and there only with the `hexy` of before
    it became an ES module.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("needs Node.js 18 or later and npm: apt-get install nodejs npm")
    assert pytestconfig.cache is not None
    folder = Path(pytestconfig.cache.mkdir("node-opcua"))
    left_out = shutil.ignore_patterns("node_modules")
    shutil.copytree(CLIENT, folder, dirs_exist_ok=True, ignore=left_out)
    lock, installed = folder / "package-lock.json", folder / "installed-lock.json"
    with (folder / "installing").open("w") as one_at_a_time:  # of the processes that share tests
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not installed.exists() or installed.read_bytes() != lock.read_bytes():
            installed.unlink(missing_ok=True)
            run = subprocess.run([npm, "ci"], cwd=folder, capture_output=True, text=True)
            if run.returncode != 0:
                pytest.skip(f"needs node-opcua, which npm can't install: {run.stderr}")
            shutil.copy(lock, installed)
    return folder


@pytest.fixture(scope="session")
def mbpoll() -> str:
    """Path of mbpoll."""
    return _tool("mbpoll")


@pytest.fixture(scope="session")
def socat() -> str:
    """Path of socat."""
    return _tool("socat")


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"needs {name}: apt-get install {name}")
    return path
