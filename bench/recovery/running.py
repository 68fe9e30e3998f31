"""One trial run: plant and agent on real sockets, the fault on for some seconds, then off."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from agent.batch import Blind
from agent.config import load
from agent.cycle import Booked
from agent.files import RecordError
from agent.history import Filter, History, MachineSums, open_history
from agent.ledger import Run, Segment
from agent.live import Plant as Pages
from agent.run import now, run
from bench.recovery.trials import AT_RECONNECT, NEIGHBOR, PRESS, SPARE, Trial
from simulators.orders import Order
from simulators.plant import Plant, open_plant
from simulators.printedconfig import print_config

SPEED = 15.0
"""A shot every second or two."""
SHOWN = "server.der"
SETTLED_S = 3.0
"""For what a press said last to be in the record; a counter ahead counts after two seconds."""
LOOK_S = 0.01
"""How often the neighbor's signs of life are looked at; it is polled ten times a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """How long the parts of a trial are, wall seconds."""

    warm_up_s: float = 4.0
    before_s: float = 4.0
    on_s: float = 7.0
    recovery_s: float = 20.0
    """Given up after this long."""
    after_s: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a trial leaves behind."""

    trial: Trial
    truth: Path
    began: datetime
    ended: datetime
    """Of the fault."""
    from_counter: int
    """Of the afflicted press as the agent first saw it; what was before is not its business."""
    cycles: Sequence[Booked]
    runs: Sequence[Run]
    segments: Sequence[Segment]
    blinds: Sequence[Blind]
    sums: MachineSums
    seen: Sequence[datetime] = ()
    """When the afflicted press gave signs of life."""
    neighbor_before: float
    """Signs of life a second, before the fault."""
    neighbor_during: float


async def run_trial(trial: Trial, folder: Path, *, seed: int, lengths: Lengths) -> Evidence:
    """Run one trial in an empty folder."""
    truth = folder / "truth.jsonl"
    certificates = folder / "certificates" if trial.fault.needs_security else None
    async with open_plant(
        trial.fleet(),
        speed=SPEED, seed=seed, truth=truth, free_ports=True, certificates=certificates,
    ) as plant:  # fmt: skip
        config = _write_config(plant, folder, certificates)
        async with _agent(config) as pages:
            pulses = [_Pulse(pages, name) for name in (PRESS, NEIGHBOR)]
            watchers = [asyncio.create_task(pulse.watch(), name="pulse") for pulse in pulses]
            try:
                return await _story(trial, plant, folder, pulses, lengths)
            finally:
                for watcher in watchers:
                    watcher.cancel()
                await asyncio.gather(*watchers, return_exceptions=True)


@asynccontextmanager
async def _agent(config: Path) -> AsyncGenerator[Pages]:
    """The whole agent, with a page that nobody looks at; one that fails fails the trial."""
    pages: asyncio.Future[Pages] = asyncio.get_running_loop().create_future()

    async def watch(live: Pages) -> None:
        pages.set_result(live)
        await asyncio.Event().wait()

    agent = asyncio.create_task(run(load(config), watch), name="agent")
    try:
        await asyncio.wait((agent, pages), return_when=asyncio.FIRST_COMPLETED)
        if not agent.done():
            yield pages.result()
        if agent.done():
            await agent
    finally:
        agent.cancel()
        await asyncio.gather(agent, return_exceptions=True)


def _write_config(plant: Plant, folder: Path, certificates: Path | None) -> Path:
    """The printed one, with copies pinned: a server that renews its certificate writes over it."""
    config = folder / "sprue.toml"
    head = '[record]\nurl = "sqlite:///plant.db"\n'
    machines = print_config(plant.fleet, plant.ports, certificates=certificates)
    if certificates is not None:
        for name in plant.presses:
            kept = certificates / name / SHOWN
            (folder / f"{name}.der").write_bytes(kept.read_bytes())
            machines = machines.replace(str(kept.resolve()), str(folder.resolve() / f"{name}.der"))
    config.write_text(head + machines, encoding="utf-8")
    return config


def _trust(folder: Path) -> None:
    """What a person does who has compared the fingerprint: pin what the machine shows now."""
    shown = folder / "certificates" / PRESS / SHOWN
    (folder / f"{PRESS}.der").write_bytes(shown.read_bytes())


class _Pulse:
    """Notes the signs of life of one machine: every poll that was answered, every event."""

    def __init__(self, pages: Pages, machine: str) -> None:
        self._pages, self._machine = pages, machine
        self.seen: list[datetime] = []

    async def watch(self) -> None:
        while True:
            at = self._pages.tile(self._machine).seen_at
            if at is not None and self.seen[-1:] != [at]:
                self.seen.append(at)
            await asyncio.sleep(LOOK_S)

    async def rate(self, meanwhile: Awaitable[None]) -> float:
        """Signs of life a second while something else happens."""
        loop = asyncio.get_running_loop()
        began, count = loop.time(), len(self.seen)
        await meanwhile
        return (len(self.seen) - count) / (loop.time() - began)


async def _story(
    trial: Trial, plant: Plant, folder: Path, pulses: Sequence[_Pulse], lengths: Lengths
) -> Evidence:
    ours, neighbor = pulses
    url = f"sqlite:///{folder}/plant.db"
    await _until(lambda: bool(_cycles(url, PRESS)) and bool(_cycles(url, NEIGHBOR)), 30)
    await asyncio.sleep(lengths.warm_up_s)
    before = await neighbor.rate(asyncio.sleep(lengths.before_s))

    began = now()
    ends: list[datetime] = []
    during = await neighbor.rate(_afflict(trial, plant, lengths.on_s * trial.longer, ends))
    if trial.fault.name == "certificate_changed":
        _trust(folder)
        ends = [now()]
    (ended,) = ends

    def fresh() -> bool:
        return any(seen_after(booked, ended) for booked in _cycles(url, PRESS))

    await _until(fresh, lengths.recovery_s)
    await asyncio.sleep(lengths.after_s)
    await _stand_still(plant)
    with open_history(url) as history:
        evidence = _evidence(trial, history, folder, began, ended, (before, during))
    return replace(evidence, seen=ours.seen)


def _evidence(
    trial: Trial,
    history: History,
    folder: Path,
    began: datetime,
    ended: datetime,
    rates: tuple[float, float],
) -> Evidence:
    segments = history.segments(PRESS)
    (sums,) = (each for each in history.sums(now()) if each.machine == PRESS)
    return Evidence(
        trial=trial,
        truth=folder / "truth.jsonl",
        began=began,
        ended=ended,
        from_counter=segments[0].first,
        cycles=list(history.cycles(Filter(machine=PRESS))),
        runs=history.runs(PRESS),
        segments=segments,
        blinds=history.blinds(PRESS),
        sums=sums,
        neighbor_before=rates[0],
        neighbor_during=rates[1],
    )


async def _afflict(trial: Trial, plant: Plant, on_s: float, ends: list[datetime]) -> None:
    """Have the fault for a while; note when it was over."""
    fault, loop = trial.fault, asyncio.get_running_loop()
    until = loop.time() + on_s
    await plant.inject(PRESS, fault.name, **trial.given)
    over = now() + timedelta(seconds=trial.over_s)
    if fault.name in AT_RECONNECT:
        await plant.inject(PRESS, "link_dropped")
    if fault.kind == "mold":
        await plant.order(PRESS, Order(what="mold", given={"mold": SPARE}))
    while loop.time() < until:
        await asyncio.sleep(LOOK_S)
        if not ends and not fault.once and plant.faults[PRESS].active(fault.name) is None:
            ends.append(now() + timedelta(seconds=trial.over_s))  # it happens so often, no oftener
    if fault.once:
        ends.append(over)
        await asyncio.sleep((over - now()).total_seconds())
    elif not ends:
        await plant.clear(PRESS, fault.name)
        ends.append(now())


def seen_after(booked: Booked, at: datetime) -> bool:
    """Whether a cycle was seen to end after an instant, by our clock: the machine's may jump."""
    return booked.cycle.fresh and booked.cycle.received_at > at


def _cycles(url: str, machine: str) -> list[Booked]:
    with suppress(RecordError), open_history(url) as history:
        return list(history.cycles(Filter(machine=machine)))
    return []


async def _until(done: Callable[[], bool], patience_s: float) -> None:
    """Look again and again; what never comes shows in the record."""
    with suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            while not await asyncio.to_thread(done):  # noqa: ASYNC110 - a file has no event
                await asyncio.sleep(0.2)


async def _stand_still(plant: Plant) -> None:
    """Let every press end its cycle and stop, and the agent hear of it."""
    for press in plant.presses.values():
        press.pause()
    for press in plant.presses.values():
        with suppress(TimeoutError):
            await asyncio.wait_for(press.paused(), 5)
    await asyncio.sleep(SETTLED_S)
