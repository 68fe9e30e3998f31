"""A machine together with the devices at it: one stream of observations, one table of signals.

A device that goes away takes only its own values with it: they are missing, `status` says why, and
a notice tells when it went and when it came back. The machine itself is never blind for it.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from agent.backoff import backoff
from agent.devices import Device
from drivers import Change, Column, Frame, MachineError, Notice, Observation, Quality, Value
from drivers.condition import Condition
from drivers.press import Press
from drivers.signals import Kind, further, kind_of, signal_named

log = logging.getLogger(__name__)

Connect = Callable[[], AbstractAsyncContextManager[Press]]
KEPT_NOTICES = 100
CONNECTED, LOST = "connected", "lost"


class Attached:
    """One device, followed through its own outages.

    Args:
        settings: The device.
        machine: The machine that it is at.
        connect: What connects to the device.
    """

    def __init__(self, settings: Device, machine: str, connect: Connect) -> None:
        self.settings = settings
        self.columns: tuple[Column, ...] = ()
        """Of its newest frame, under the device's own names; they outlive the link."""
        self.why = "not connected yet"
        self.tried = asyncio.Event()
        """Whether it has answered or failed by now."""
        self._machine = machine
        self._connect = connect
        self._frame: Frame | None = None
        self._at_s = 0.0
        self._notices: list[Notice] = []
        self._is_there: bool | None = None

    async def follow(self) -> None:
        """Take in what the device shows, until cancelled."""
        waits = backoff()
        while True:
            try:
                async with self._connect() as press:
                    async for observation in press.observations():
                        waits = backoff()
                        self._take(observation)
                raise MachineError(self.settings.name, "the connection ended")
            except MachineError as error:
                self._lose(error.what)
                await asyncio.sleep(next(waits))

    def shown(self, now_s: float) -> tuple[Sequence[Value | None], Sequence[Quality]]:
        """What its columns show now; all missing where nothing fresh is known.

        Args:
            now_s: By the loop's clock.
        """
        if self._frame is None or now_s - self._at_s > self.settings.max_age_s:
            count = len(self.columns)
            return [None] * count, [Quality.MISSING] * count
        return self._frame.values, self._frame.qualities

    def unavailable(self, now_s: float) -> Iterator[str]:
        """What of it is not to be had now, and why; for a person."""
        if self._frame is None:
            yield f"{self.settings.name}: {self.why}"
        elif now_s - self._at_s > self.settings.max_age_s:
            yield f"{self.settings.name}: nothing new for over {self.settings.max_age_s:g} s"

    def notices(self) -> Iterator[Notice]:
        """What changed at it since the last call, told of the machine that it is at."""
        while self._notices:
            yield self._notices.pop(0)

    def _take(self, observation: Observation) -> None:
        if isinstance(observation, Notice):
            self._tell(replace(observation, machine=self._machine))
        if not isinstance(observation, Frame):
            return
        self._frame, self._at_s = observation, asyncio.get_running_loop().time()
        if observation.columns is not self.columns:
            self.columns = observation.columns
        if self._is_there is not True:
            self._changed(CONNECTED, there=True)
        self.tried.set()

    def time(self, at: int) -> datetime | None:
        """The device's own time of one of its values; None where it says none."""
        times = self._frame.source_times if self._frame else ()
        return times[at] if at < len(times) else None

    def _lose(self, why: str) -> None:
        self._frame, self.why = None, why
        if self._is_there is not False:
            log.warning("%s: %s; its values are missing until it answers", self.settings.name, why)
            self._changed(f"{LOST}: {why}", there=False)
        self.tried.set()

    def _changed(self, now: str, *, there: bool) -> None:
        before = {None: None, True: CONNECTED, False: LOST}[self._is_there]
        self._is_there = there
        if before is None and there:
            return  # it is as it should be
        at = datetime.now(UTC)
        self._tell(
            Notice(
                machine=self._machine,
                change=Change.MESSAGE,
                name=self.settings.name,
                old=before,
                new=now,
                at=at,
                received_at=at,
            )
        )

    def _tell(self, notice: Notice) -> None:
        if len(self._notices) < KEPT_NOTICES:
            self._notices.append(notice)


class PressWithDevices:
    """A press with devices at it, in the shape of a press; `with_devices` makes one."""

    def __init__(
        self, press: Press, devices: Sequence[Attached], followers: Sequence[asyncio.Task[None]]
    ) -> None:
        self._press = press
        self._devices = tuple(devices)
        self._followers = tuple(followers)
        self._from: list[tuple[Column, ...]] = []
        self._columns: tuple[Column, ...] = ()
        self._taken: list[list[int]] = []

    @property
    def columns(self) -> tuple[Column, ...]:
        """The machine's signals, and then the devices'; another table when one of them has."""
        tables = [self._press.columns, *(device.columns for device in self._devices)]
        if len(tables) != len(self._from) or any(
            new is not old for new, old in zip(tables, self._from, strict=True)
        ):
            self._from = tables
            self._columns, self._taken = _joined(tables[0], self._devices)
        return self._columns

    @property
    def report_columns(self) -> tuple[Column, ...]:
        """The machine's."""
        return self._press.report_columns

    @property
    def reports(self) -> bool:
        """Whether the machine yields a report per cycle."""
        return self._press.reports

    @property
    def counter_modulus(self) -> int | None:
        """The machine's."""
        return self._press.counter_modulus

    @property
    def identity(self) -> Mapping[str, str]:
        """The machine's."""
        return self._press.identity

    @property
    def condition(self) -> Condition:
        """The machine's, and which devices are away."""
        condition, now_s = self._press.condition, asyncio.get_running_loop().time()
        away = [why for device in self._devices for why in device.unavailable(now_s)]
        if not away:
            return condition
        return replace(condition, unavailable=(*condition.unavailable, *away))

    async def read(self) -> Frame:
        """Every signal once, now; each device has the time that it is given to connect."""
        for device in self._devices:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(device.settings.connect_timeout_s):
                    await device.tried.wait()
        return self._with(await self._press.read())

    async def observations(self) -> AsyncIterator[Observation]:
        """What the machine tells; its frames hold what the devices show as well."""
        async for observation in self._press.observations():
            for follower in self._followers:
                if follower.done():
                    follower.result()  # a mistake of ours is no outage
            for device in self._devices:
                for notice in device.notices():
                    yield notice
            yield self._with(observation) if isinstance(observation, Frame) else observation

    def _with(self, frame: Frame) -> Frame:
        columns, now_s = self.columns, asyncio.get_running_loop().time()
        values, qualities = [*frame.values], [*frame.qualities]
        times = [*frame.source_times] or [None] * len(values)
        for device, taken in zip(self._devices, self._taken, strict=True):
            shown, good = device.shown(now_s)
            values += [shown[at] for at in taken]
            qualities += [good[at] for at in taken]
            times += [device.time(at) for at in taken]
        return replace(
            frame,
            columns=columns,
            values=tuple(values),
            qualities=tuple(qualities),
            source_times=tuple(times),
        )


@asynccontextmanager
async def with_devices(
    machine: str, connect: Connect, devices: Sequence[tuple[Device, Connect]]
) -> AsyncGenerator[Press]:
    """Connect to a machine, and follow the devices at it for as long.

    Args:
        machine: Its name.
        connect: What connects to it.
        devices: Each with what connects to it.

    Raises:
        MachineError: of the machine; a device's is never raised.
    """
    async with connect() as press:
        attached = [Attached(device, machine, each) for device, each in devices]
        followers = [
            asyncio.create_task(device.follow(), name=f"follow {device.settings.name}")
            for device in attached
        ]
        try:
            yield PressWithDevices(press, attached, followers)
        finally:
            for follower in followers:
                follower.cancel()
            await asyncio.gather(*followers, return_exceptions=True)


def _joined(
    own: tuple[Column, ...], devices: Sequence[Attached]
) -> tuple[tuple[Column, ...], list[list[int]]]:
    """One table of all signals, and which columns of each device are in it."""
    columns, places = [*own], list[list[int]]()
    taken = {column.signal for column in own}
    for device in devices:
        places.append([])
        for at, column in enumerate(device.columns):
            if kind_of(column.signal) not in (Kind.LEVEL, Kind.CYCLE, Kind.STATE):
                continue  # a counter of a device counts no shots
            name = _name(column.signal, device.settings.zone, taken)
            taken.add(name)
            source = f"{device.settings.name} {column.source}"
            columns.append(replace(column, signal=name, source=source))
            places[-1].append(at)
    return tuple(columns), places


def _name(signal: str, zone: int, taken: set[str]) -> str:
    """What a device's signal is called at the machine, which keeps its own names."""
    if signal_named(signal) is None:
        first, _, rest = signal.partition("/")
        numbered = f"{first}_{zone}/{rest}" if rest else f"{first}_{zone}"
        return signal if zone == 1 and signal not in taken else numbered
    name = further("circuit", zone, signal)
    return f"circuit_{zone}_{signal}" if name in taken else name
