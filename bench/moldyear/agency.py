"""The agent as a process of its own that takes what a shop shows, and that dies by SIGKILL.

Lines, record, molds and their news are the agent's own; only the sockets are left out, as what
comes over them is handed over in chunks, with the time of the simulation.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from zoneinfo import ZoneInfo

from agent.batch import MachineRow, MoldRow
from agent.before import unknown
from agent.display import Display, first_tile
from agent.line import Line
from agent.live import Plant, Site, Today
from agent.molds.moldlife import MoldLife
from agent.molds.shelf import Shelf
from agent.record import Record, open_record
from agent.run import follow_molds
from agent.today import Tally
from agent.watch import Supply
from bench.moldyear.shop import START, Shown, moment
from drivers import Column, Frame, Observation, Origin, Quality, Report
from drivers.settings import MachineSettings

POLL_S = 0.2
"""A polled press is looked at so long before a closing ends, and after it."""

ACK_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """How a press is read, and which of its counters it shows."""

    name: str
    protocol: str
    by_job: bool = False
    """Its only counter of closings is the job's."""
    modulus: int | None = None

    @property
    def reports(self) -> bool:
        """Whether it announces each cycle."""
        return self.protocol == "euromap77"

    @property
    def signals(self) -> Sequence[str]:
        """What it shows beside the counter."""
        others = {
            "modbus": ("job_counter",),
            "flat": (),
            "euromap77": ("job_counter", "parts_counter"),
        }
        return ("closing", "job", "mold", "resin", *others[self.protocol])

    def counter(self, shown: Shown) -> int:
        """The number by which it identifies a closing."""
        return shown.job_counter if self.by_job else shown.counter


@dataclass(slots=True)
class Watched:
    """One press as its line sees it."""

    interface: Interface
    line: Line
    columns: tuple[Column, ...] = ()
    last: Frame | None = None
    condition: None = None
    identity: Mapping[str, str] = field(default_factory=dict)
    """It shows nothing of itself."""

    def __post_init__(self) -> None:
        names = ("counter", *self.interface.signals)
        self.columns = tuple(Column(signal=name, source="") for name in names)

    @property
    def reports(self) -> bool:
        """As a connected press has it."""
        return self.interface.reports

    @property
    def counter_modulus(self) -> int | None:
        """As a connected press has it."""
        return self.interface.modulus

    def observations(self, shown: Shown) -> list[Observation]:
        """What a driver makes of it."""
        at, states = moment(shown.at_s), _states(shown)
        found: list[Observation] = []
        before = at - timedelta(seconds=POLL_S / 2)
        if self.last is not None and before > self.last.received_at:
            found.append(self._frame(self.last.values, before))  # the look just before it
        values = (self.interface.counter(shown), *(states[n] for n in self.interface.signals))
        first = self.last = self._frame(values, at + timedelta(seconds=POLL_S / 2))
        if not shown.closed:  # a fall is believed when it is seen twice
            self.last = self._frame(values, at + timedelta(seconds=1.5 * POLL_S))
            return [*found, first, self.last]
        if not self.reports:
            return [*found, first]
        numbers = ("job_counter", "parts_counter")
        report = Report(
            machine=shown.machine,
            counter=self.interface.counter(shown),
            ended_at=at,
            received_at=at + timedelta(seconds=POLL_S / 4),
            origin=Origin.REPORTED,
            values={name: states[name] for name in numbers},
            states={n: str(v) for n, v in states.items() if n not in numbers},
        )
        return [*found, report]

    def _frame(self, values: tuple[str | int | float | bool | None, ...], at: datetime) -> Frame:
        return Frame(
            machine=self.interface.name,
            columns=self.columns,
            values=values,
            qualities=(Quality.GOOD,) * len(values),
            received_at=at,
        )


def _states(shown: Shown) -> dict[str, str | int]:
    return {
        "closing": "dry" if shown.dry else "shot",
        "job": shown.job,
        "mold": shown.mold,
        "resin": shown.resin,
        "job_counter": shown.job_counter,
        "parts_counter": shown.parts,
    }


@dataclass(slots=True, kw_only=True)
class Agency:
    """Starts the agent, feeds it and kills it."""

    url: str
    interfaces: Sequence[Interface]
    molds: Sequence[MoldRow]
    kills: int = 0
    _process: multiprocessing.process.BaseProcess | None = None
    _pipe: "Connection | None" = field(default=None)

    @property
    def runs(self) -> bool:
        """Whether it is alive."""
        return self._process is not None

    def start(self, at_s: float) -> None:
        """Start it, with what the record has."""
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        args = (self.url, self.interfaces, self.molds, theirs, at_s)
        self._process = context.Process(target=_main, args=args, daemon=True)
        self._process.start()
        theirs.close()
        self._wait()

    def tell(self, shown: Sequence[Shown]) -> None:
        """Hand a chunk over, and wait until it is on the disk."""
        assert self._pipe is not None
        self._pipe.send(list(shown))
        self._wait()

    def kill(self, shown: Sequence[Shown], after_s: float) -> None:
        """Hand a last few over and kill it on their way: nothing of them may have been kept, a
        part, or all.

        Args:
            shown: What is on its way.
            after_s: How long after that the kill comes, in real time.
        """
        assert self._pipe is not None
        assert self._process is not None
        self._pipe.send(list(shown))
        time.sleep(after_s)
        self._process.kill()
        self._process.join()
        self._pipe.close()
        self._process, self._pipe = None, None
        self.kills += 1

    def stop(self) -> None:
        """Let it end as it does on SIGTERM."""
        assert self._pipe is not None
        assert self._process is not None
        self._pipe.send(None)
        self._process.join(ACK_S)
        self._pipe.close()
        self._process, self._pipe = None, None

    def _wait(self) -> None:
        assert self._pipe is not None
        if not self._pipe.poll(ACK_S):
            raise RuntimeError("the agent took nothing for a minute")
        self._pipe.recv()


def _main(
    url: str,
    interfaces: Sequence[Interface],
    molds: Sequence[MoldRow],
    pipe: Connection,
    at_s: float,
) -> None:
    with suppress(EOFError):
        asyncio.run(_run(url, interfaces, molds, pipe, at_s))


async def _run(
    url: str,
    interfaces: Sequence[Interface],
    molds: Sequence[MoldRow],
    pipe: Connection,
    at_s: float,
) -> None:
    now = [moment(at_s)]
    machines = [MachineRow(name=each.name, driver=each.protocol) for each in interfaces]
    async with open_record(url, machines, molds) as record:
        lives = MoldLife(record.shelf, record.alerts)
        watched = _watched(interfaces, record, lives, lambda: now[0])
        lines = {name: each.line for name, each in watched.items()}
        changes: asyncio.Queue[Shelf] = asyncio.Queue()
        record.on_change = changes.put_nowait
        for each in watched.values():
            await each.line.begin()
            each.line.connected(each)  # type: ignore[arg-type]  # nothing else of a press is asked
        following = asyncio.create_task(follow_molds(lives, lines, record, changes))
        pipe.send(True)
        while (chunk := await asyncio.to_thread(pipe.recv)) is not None:
            for shown in chunk:
                now[0] = moment(shown.at_s)
                for observation in watched[shown.machine].observations(shown):
                    await watched[shown.machine].line.take(observation)
            done = await record.change(lambda _connection: None)
            await done
            pipe.send(True)
        following.cancel()


def _watched(
    interfaces: Sequence[Interface],
    record: Record,
    lives: MoldLife,
    now: Callable[[], datetime],
) -> dict[str, Watched]:
    settings = [MachineSettings(name=each.name) for each in interfaces]
    plant = Plant(Site(name="", timezone="UTC"), [first_tile(each) for each in settings], now)
    tally, supply = Tally(Today(since=START), ZoneInfo("UTC")), Supply()
    found = {}
    for interface, each in zip(interfaces, settings, strict=True):
        before = record.before.get(each.name) or unknown()
        display = Display(each.name, plant, lives)
        line = Line(each, record, display, tally, before, lives, supply, now)
        found[each.name] = Watched(interface, line)
    return found
