"""A machine's task ends when it is told to, whatever the library below makes of it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from agent.machine import follow
from drivers import MachineError, Observation
from drivers.condition import Condition
from drivers.settings import MachineSettings
from tests.agent.makers import frame


class Forgetful:
    """A press whose library loses a cancellation, as `asyncio.wait_for` may in Python 3.11."""

    reports = False
    counter_modulus = None
    condition = Condition()

    def __init__(self, *, fails: bool) -> None:
        self.fails = fails
        self.waiting = asyncio.Event()

    async def observations(self) -> AsyncIterator[Observation]:
        while True:
            try:
                self.waiting.set()
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if self.fails:
                    raise MachineError("IMM-01", "cut off") from None
            yield frame(0, counter=1)


class Deaf:
    """A line that takes everything."""

    def connected(self, press: object) -> None: ...

    async def take(self, observation: object) -> None: ...


@pytest.mark.parametrize("fails", [False, True])
async def test_a_lost_cancellation_ends_the_task_all_the_same(fails: bool) -> None:
    press = Forgetful(fails=fails)

    @asynccontextmanager
    async def connect() -> AsyncGenerator[Any]:
        yield press

    line: Any = Deaf()
    task = asyncio.create_task(
        follow(MachineSettings(name="IMM-01"), connect, line, lambda: datetime.now(UTC))
    )
    await press.waiting.wait()

    task.cancel()
    done, _ = await asyncio.wait([task], timeout=2)

    assert done
    assert task.cancelled()
