"""The agent as its users run it, beside a simulated plant; record and truth compared."""

import asyncio
import json
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from agent.cycle import Booked
from agent.files import RecordError
from agent.history import Filter, open_history
from agent.ledger import Run
from simulators.plant import Plant
from simulators.printedconfig import print_config

PATIENCE_S = 60.0


@dataclass(slots=True)
class Agent:
    """An agent that runs as a process of its own."""

    config: Path
    log: Path
    process: asyncio.subprocess.Process | None = None
    starts: int = 0

    @property
    def url(self) -> str:
        return f"sqlite:///{self.config.parent}/plant.db"

    async def start(self) -> None:
        assert self.process is None
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "agent", "run", str(self.config),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.starts += 1

    async def kill(self) -> None:
        """SIGKILL: no handler runs."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()
        self.process = None

    async def stop(self) -> tuple[int, float]:
        """SIGTERM; the exit status and how long it took, s."""
        assert self.process is not None
        loop = asyncio.get_running_loop()
        before = loop.time()
        self.process.send_signal(signal.SIGTERM)
        status = await asyncio.wait_for(self.process.wait(), 20)
        self.process = None
        return status, loop.time() - before

    def cycles(self) -> list[Booked]:
        """Everything in the record now; nothing where there is no record yet."""
        with suppress(RecordError), open_history(self.url) as history:
            return list(history.cycles(Filter()))
        return []

    def runs(self) -> list[Run]:
        with open_history(self.url) as history:
            return history.runs()


@asynccontextmanager
async def an_agent(plant: Plant, folder: Path, poll_s: float = 0.05) -> AsyncGenerator[Agent]:
    """An agent configured for a plant; not started yet, and gone in the end."""
    machines = print_config(plant.fleet, plant.ports).replace("poll_s = 0.1", f"poll_s = {poll_s}")
    config = folder / "sprue.toml"
    head = '[record]\nurl = "sqlite:///plant.db"\nreserve_mb = 4\n[web]\nlisten = "127.0.0.1:0"\n'
    config.write_text(head + machines, encoding="utf-8")
    agent = Agent(config, folder / "agent.log")
    try:
        yield agent
    finally:
        if agent.process is not None:
            await agent.kill()


async def until(what: str, done: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Look again and again until something holds."""
    try:
        async with asyncio.timeout(patience_s):
            while not await asyncio.to_thread(done):  # noqa: ASYNC110 - another process has no event
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"not within {patience_s:.0f} s: {what}") from None


async def until_all_seen(agent: Agent, plant: Plant) -> None:
    """Wait until the agent has seen every press on this start of it."""

    def seen() -> bool:
        with suppress(RecordError), open_history(agent.url) as history:
            sums = {each.machine: each for each in history.sums(datetime.now().astimezone())}
            return all(
                name in sums and sums[name].seen_at and not sums[name].blind_now
                for name in plant.presses
            )
        return False

    await until("every press is seen", seen)


async def until_caught_up(agent: Agent, plant: Plant) -> None:
    """Wait until the ledger's counters are those of the presses, which stand still."""

    def caught_up() -> bool:
        last: dict[str, tuple[int, int]] = {}
        for run in agent.runs():
            last[run.machine] = max(last.get(run.machine, (0, 0)), (run.segment, run.last))
        return all(
            last.get(name, (0, 0))[1] == press.counter
            for name, press in plant.presses.items()
            if press.counter
        )

    await until("the record has caught up with the presses", caught_up)


@dataclass(slots=True)
class Comparison:
    """Where record and truth differ."""

    wrong: list[str] = field(default_factory=list)
    compared: int = 0

    def fail(self, sentence: str) -> None:
        if len(self.wrong) < 30:
            self.wrong.append(sentence)


def read_truth(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


RESOLUTION = {"s": 0.0051, "bar": 0.051, "mm": 0.0051, "cm3": 0.0051, "kn": 0.51, "c": 0.051}
"""Half a step of the coarsest interface, by the end of a signal's name, and a little for floats."""


def same_values(booked: Booked, truth: dict[str, Any], comparison: Comparison) -> None:
    """Every value of the record that belongs to the cycle is the truth's, within its resolution."""
    cycle, where = booked.cycle, f"{truth['machine']} {truth['counter']}"
    for name, value in cycle.values.items():
        if cycle.provenance[name] == "sampled" or not isinstance(value, int | float):
            continue
        if name not in truth["values"]:
            continue
        within = RESOLUTION.get(name.rsplit("_", 1)[-1], 0.5)
        if abs(value - truth["values"][name]) > within:
            comparison.fail(f"{where}: {name} is {value}, was {truth['values'][name]}")
        comparison.compared += 1


def compare(cycles: Iterable[Booked], truth: list[dict[str, Any]], *, poll_s: float) -> Comparison:
    """Record against truth, shot by shot: identity, mold, job, time, values; once each."""
    comparison = Comparison()
    found: dict[tuple[str, int], list[Booked]] = defaultdict(list)
    for booked in cycles:
        found[booked.cycle.machine, booked.cycle.counter].append(booked)
    for row in truth:
        key = (row["machine"], row["counter"])
        match found.pop(key, []):
            case []:
                comparison.fail(f"{key} is missing")
            case [booked]:
                same_shot(booked, row, comparison, poll_s)
            case several:
                comparison.fail(f"{key} is there {len(several)} times")
    for key in found:
        comparison.fail(f"{key} is in the record and never was")
    return comparison


def same_shot(booked: Booked, row: dict[str, Any], comparison: Comparison, poll_s: float) -> None:
    cycle, where = booked.cycle, f"{row['machine']} {row['counter']}"
    for name, was, ought in (
        ("mold", booked.mold, row["mold"]),
        ("job", cycle.job, row["job"]),
        ("closing", cycle.closing, row["closing"]),
    ):
        if was != ought:
            comparison.fail(f"{where}: {name} is {was}, was {ought}")
    ended = datetime.fromisoformat(row["time"])
    late = (cycle.time - ended).total_seconds()
    # One poll, or what the record itself says where a poll came late on a busy computer.
    most = max(poll_s, cycle.time_uncertainty_s) + 0.25
    if cycle.fresh and not -0.01 <= late <= most:
        comparison.fail(f"{where}: ended {late:.3f} s after the truth, at most {most:.3f}")
    same_values(booked, row, comparison)


def unobserved(runs: Iterable[Run]) -> dict[str, set[int]]:
    """Counters that the ledger counts as not observed, by machine, less those that came late."""
    missing: dict[str, set[int]] = defaultdict(set)
    for run in runs:
        span = set(range(run.first, run.last + 1))
        if run.kind == "unobserved":
            missing[run.machine] |= span
        elif run.kind == "seen_late":
            missing[run.machine] -= span
    return missing


async def stand_still(plant: Plant) -> None:
    """Let every press finish its cycle and stop."""
    for press in plant.presses.values():
        press.pause()
    for press in plant.presses.values():
        await press.paused()


def shots_by_mold(runs: Iterable[Run]) -> Counter[str]:
    """The ledger's sum of shots, by mold."""
    sums: Counter[str] = Counter()
    for run in runs:
        sums[run.mold or "?"] += run.shots
    return sums


def true_shots_by_mold(truth: Iterable[dict[str, Any]]) -> Counter[str]:
    return Counter(row["mold"] for row in truth if row["closing"] == "shot")


def gaps_are_blind(agent: Agent, slack: timedelta = timedelta(seconds=1.5)) -> list[str]:
    """Runs that nobody observed and that lie in no blind interval."""
    wrong = []
    with open_history(agent.url) as history:
        blinds = history.blinds()
        for run in history.runs():
            if run.kind != "unobserved":
                continue
            if not any(
                blind.machine == run.machine
                and blind.until is not None
                and blind.since - slack <= run.until
                and run.until <= blind.until + slack
                for blind in blinds
            ):
                wrong.append(f"{run.machine} {run.first}..{run.last} at {run.until} is not blind")
    return wrong
