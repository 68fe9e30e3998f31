"""What the drivers rely on in asyncua, and what they keep it from doing by itself."""

import asyncio
from importlib.metadata import version
from pathlib import Path
from typing import Any

from asyncua import ua

from drivers.opcua import open_press
from tests.drivers.flatserver import FlatServer, flat_server
from tests.drivers.test_opcua import mapped, settings

ROOT = Path(__file__).parents[2]
STATE = ua.NodeId(ua.ObjectIds.Server_ServerStatus_State)
WATCHED_S = 2.5
"""Long enough for the library's own watchdog to ask twice, if it went at its own pace."""


def asked_for_state(server: FlatServer) -> list[int]:
    """Grows with every request that asks whether the server lives."""
    service = server._server._server.iserver.attribute_service
    read, asked = service.read, list[int]()

    def noting(params: ua.ReadParameters) -> Any:
        if any(each.NodeId == STATE for each in params.NodesToRead):
            asked.append(len(params.NodesToRead))
        return read(params)

    service.read = noting
    return asked


def test_the_asyncua_is_the_one_that_these_tests_know() -> None:
    """Minor releases change what is raised, and what a session is called."""
    assert version("asyncua").startswith("2.1.")
    assert "asyncua>=2.1,<2.2" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


async def test_the_librarys_watchdog_does_not_judge_a_server_by_the_second() -> None:
    async with flat_server(A=50.0) as server:
        asked = asked_for_state(server)
        async with open_press(settings(server.url), mapped(mold_temp_c="A")):
            await asyncio.sleep(WATCHED_S)

    assert len(asked) <= 1


async def test_no_type_of_a_server_is_made_known_to_the_whole_process() -> None:
    before = {*ua.extension_objects_by_typeid}, {*vars(ua)}
    async with (
        flat_server(A=50.0) as server,
        open_press(settings(server.url), mapped(mold_temp_c="A")) as press,
    ):
        await press.read()

    assert ({*ua.extension_objects_by_typeid}, {*vars(ua)}) == before
