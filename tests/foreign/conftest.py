"""Clients that somebody else wrote, as they come from Debian and from npm."""

import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from simulators.fleet import load
from simulators.plant import Plant, open_plant
from tests.npm import installed

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
    return installed(pytestconfig, CLIENT)


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
