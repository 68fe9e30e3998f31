"""A simulated press that molds by hand on an OPC 40077 server, and events made by a test."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from asyncua import ua

from drivers import Frame, Notice, Observation, Report
from drivers.euromap77 import Euromap77Settings
from simulators.clock import Clock
from simulators.euromap77.cycleevent import cycle_fields
from simulators.euromap77.face import Euromap77Face
from simulators.euromap77.maker import EVENT_TYPE
from simulators.euromap77.types import MAKER
from simulators.mold import Job, Mold
from simulators.opcua.event import MachineEvent, Source
from simulators.press import Press
from simulators.setup import Setup

Wanted = TypeVar("Wanted", Frame, Report, Notice)

FIELDS = {
    "HoldTime": "hold_time_s",
    "MouldOpenTime": "mold_open_time_s",
    "MouldCloseTime": "mold_close_time_s",
    "EjectionTime": "ejection_time_s",
    "PauseTime": "pause_time_s",
    "CoolingTimeSet": "cooling_time_set_s",
    "ClampForce": "clamp_force_kn",
}


def settings(url: str, **more: Any) -> Euromap77Settings:
    """Settings of a press that is polled often, its cooling time configured."""
    keys: dict[str, Any] = {"name": "IMM-07", "driver": "euromap77", "url": url}
    usual = {"poll_s": 0.05, "timeout_s": 1, "cooling": {"event_field": "CoolingTime"}}
    return Euromap77Settings(**(keys | usual | more))


def hand_press(name: str = "IMM-07", counter: int = 0, job_counter: int = 0) -> Press:
    """A press that molds when a test says so."""
    mold = Mold(id="M-17", cavities=2, expected_cycle_s=24.0)
    job = Job(name="J-4", parts=5000, lot="L-9")
    start = Setup(name=name, mold=mold, job=job, counter=counter, job_counter=job_counter)
    return Press(start, Clock(None), 1)


@asynccontextmanager
async def serving(face: Euromap77Face) -> AsyncGenerator[Euromap77Face]:
    """The face, answering; sessions that lost their client end with it."""
    await face.start()
    server = face._server
    assert server is not None
    try:
        yield face
    finally:
        await face.stop()
        for session in [*server._server.iserver._external_sessions.values()]:
            await session.close_session()


async def fire(
    face: Euromap77Face,
    press: Press,
    fields: Mapping[str, ua.Variant],
    *,
    at: datetime | None = None,
    kind: ua.NodeId = EVENT_TYPE,
    times: int = 1,
) -> None:
    """Fire an event of a press's last shot, with some fields as a test wants them."""
    assert face._server is not None
    all_fields = dict(fields)
    if kind == EVENT_TYPE:
        assert press.last is not None
        measures = face.options.measures
        all_fields = {**cycle_fields(press, press.last, face.options, measures), **fields}
    name = f"IMM_SprueSim_{press.name}"
    source = Source(ua.NodeId(name, MAKER), name)
    made = MachineEvent(kind, source, at or datetime.now(UTC), "", all_fields)
    for _ in range(times):
        await face._server.fire(made)


async def write(face: Euromap77Face, path: str, value: ua.Variant, press: str = "IMM-07") -> None:
    """Set a variable of a machine, by its path of browse names."""
    assert face._server is not None
    name = f"IMM_SprueSim_{press}.{path.replace('/', '.')}"
    await face._server.write(ua.NodeId(name, MAKER), value)


class Stream:
    """The observations of a press, asked for by kind; none of another kind is lost meanwhile."""

    def __init__(self, observations: Any) -> None:
        self._observations = observations
        self._taken: dict[type, int] = {}
        self.seen: list[Observation] = []

    async def frame(self) -> Frame:
        """The next frame from now on."""
        self._taken[Frame] = len(self.frames_seen)
        return await self._of(Frame)

    async def frames(self, count: int) -> list[Frame]:
        return [await self.frame() for _ in range(count)]

    async def report(self) -> Report:
        """The oldest report that was not asked for yet."""
        return await self._of(Report)

    async def notice(self) -> Notice:
        """The oldest notice that was not asked for yet."""
        return await self._of(Notice)

    @property
    def frames_seen(self) -> list[Frame]:
        return [o for o in self.seen if isinstance(o, Frame)]

    @property
    def notices(self) -> list[Notice]:
        return [o for o in self.seen if isinstance(o, Notice)]

    @property
    def reports(self) -> list[Report]:
        return [o for o in self.seen if isinstance(o, Report)]

    async def _of(self, kind: type[Wanted]) -> Wanted:
        at = self._taken.get(kind, 0)
        async with asyncio.timeout(5):
            while len(found := [o for o in self.seen if isinstance(o, kind)]) <= at:
                self.seen.append(await anext(self._observations))
        self._taken[kind] = at + 1
        return found[at]
