"""`python -m bench.plantrecord`: three agents, one PostgreSQL, molds that move across all three.

PostgreSQL is stopped for ten minutes, and one of the agents is killed for good meanwhile. At the
end its disk is delivered by hand, and the plant record is compared with truth and disks.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.files import RecordError
from agent.history import Filter, open_history
from agent.molds.life import sum_of
from agent.molds.shelf import read_shelf
from bench.postgres import PASSWORD, Postgres
from simulators.fleet import Fleet, load
from simulators.plant import Plant, open_plant
from simulators.printedconfig import print_config

PRESSES = {"IMM-01": "modbus", "IMM-02": "flat", "IMM-03": "euromap77"}
MOLDS = ("A-1", "A-2", "A-3", "A-4")
GONE = "IMM-03"
"""The press of the agent that is killed for good."""

PARTS = 40
PATIENCE_S = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Seconds of wall time."""

    before: float
    away: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was found."""

    shots: Mapping[str, int]
    """By mold: in the plant record."""
    truth: Mapping[str, int]
    """By mold: of presses whose agents lived, by their truth; of the other, by its disk."""
    cycles: int
    missing: int
    """Cycles on a disk and not in the plant record."""
    extra: int
    """Cycles in the plant record, and on no disk."""
    twice: int
    moves: int
    """How often a mold came to another press."""
    waiting: int
    """Cycles that were not told when PostgreSQL came back."""
    caught_up_s: float

    @property
    def wrong(self) -> list[str]:
        """What should not be, a sentence each."""
        said = [
            f"{mold}: {self.shots.get(mold, 0)} shots, should be {n}"
            for mold, n in sorted(self.truth.items())
            if self.shots.get(mold, 0) != n
        ]
        for what, n in (("missing", self.missing), ("extra", self.extra), ("twice", self.twice)):
            said += [f"{n} cycles {what}"] if n else []
        return said


def fleet(folder: Path, parts: int = PARTS) -> Fleet:
    """Three presses and four molds that go round, one run after the other."""
    lines = ["repeat = true", "run = ["]
    names = list(PRESSES)
    for n in range(12):
        press, mold = names[n % 3], MOLDS[(n + 3) % 4]
        lines.append(
            f'  {{ press = "{press}", mold = "{mold}", job = "J-{n + 10}", parts = {parts}, '
            "set_up_s = 60.0 },"
        )
    lines.append("]")
    for (name, protocol), mold in zip(PRESSES.items(), MOLDS, strict=False):
        lines.append(
            f'[[press]]\nname = "{name}"\nprotocol = "{protocol}"\nmold = "{mold}"\n'
            f'job = "J-1"\nparts = {parts}'
        )
    lines += [f'[[mold]]\nid = "{mold}"\nexpected_cycle_s = 20.0' for mold in MOLDS]
    file = folder / "fleet.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    return load(file)


async def campaign(
    folder: Path, postgres: Postgres, url: str, lengths: Lengths, *, speed: float, parts: int
) -> Outcome:
    """Run it whole in an empty folder."""
    truth = folder / "truth.jsonl"
    async with open_plant(
        fleet(folder, parts), speed=speed, seed=5, truth=truth, free_ports=True
    ) as plant:
        await _stand_still(plant)
        async with _agents(plant, folder, url) as agents:
            await _until("every press is seen", lambda: all(map(_seen, agents)))
            for press in plant.presses.values():
                press.resume()
            await asyncio.sleep(lengths.before)
            await asyncio.to_thread(postgres.stop)
            await asyncio.sleep(lengths.away / 2)
            gone = next(each for each in agents if each.press == GONE)
            gone.process.kill()
            await gone.process.wait()
            await asyncio.sleep(lengths.away / 2)
            await asyncio.to_thread(postgres.start)
            alive = [each for each in agents if each is not gone]
            loop = asyncio.get_running_loop()
            began, waiting = loop.time(), _untold(url, alive)
            await asyncio.sleep(lengths.after)
            await _stand_still(plant)
            await _until("all is told", lambda: not _untold(url, alive) and _level(plant, alive))
            caught_up_s = loop.time() - began - lengths.after
        await _deliver(gone, url)
        return _compared(url, agents, truth, waiting, max(0.0, caught_up_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Agent:
    press: str
    record: str
    process: asyncio.subprocess.Process


@asynccontextmanager
async def _agents(plant: Plant, folder: Path, url: str) -> AsyncGenerator[list[_Agent]]:
    started: list[_Agent] = []
    try:
        for press in PRESSES:
            home = folder / press
            home.mkdir()
            config = _one_machine(print_config(plant.fleet, plant.ports), press)
            (home / "sprue.toml").write_text(
                '[record]\nurl = "sqlite:///plant.db"\n[web]\nlisten = "127.0.0.1:0"\n'
                f'[[forward]]\nkind = "postgresql"\nurl = "{url}"\n'
                f'password = {{ env = "PLANT_PASSWORD" }}\n{config}',
                encoding="utf-8",
            )
            with (home / "agent.log").open("wb") as log:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "agent", "run", str(home / "sprue.toml"),
                    stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                    env={**os.environ, "PLANT_PASSWORD": PASSWORD},
                )  # fmt: skip
            record = f"sqlite:///{home}/plant.db"
            started.append(_Agent(press=press, record=record, process=process))
        yield started
    finally:
        for each in started:
            if each.process.returncode is None:
                each.process.terminate()
                await each.process.wait()


def _one_machine(printed: str, press: str) -> str:
    """The machines of a printed configuration without those of other agents."""
    tables = f"\n{printed}".split("\n[[")[1:]
    kept = [
        table
        for table in tables
        if not table.startswith("machine]]") or f'name = "{press}"' in table
    ]
    return "".join(f"\n[[{table}" for table in kept)


async def _stand_still(plant: Plant) -> None:
    for press in plant.presses.values():
        press.pause()
    for press in plant.presses.values():
        await press.paused()


def _seen(agent: _Agent) -> bool:
    with suppress(RecordError), open_history(agent.record) as history:
        return all(each.link == "up" for each in history.sums(datetime.now(UTC)))
    return False


def _level(plant: Plant, agents: Sequence[_Agent]) -> bool:
    """Whether the agents' ledgers are where their presses are, which stand still."""
    for each in agents:
        with open_history(each.record) as history:
            last = max((run.segment, run.last) for run in history.runs(each.press))
        if last[1] != plant.presses[each.press].counter:
            return False
    return True


def _cycles(url: str) -> Counter[tuple[str, int, int]]:
    with open_history(url) as history:
        return Counter(
            (each.cycle.machine, each.segment, each.cycle.counter)
            for each in history.cycles(Filter())
        )


def _untold(url: str, agents: Sequence[_Agent]) -> int:
    """Cycles and closings on disks, and not in the plant record yet."""
    missing = 0
    with open_history(url) as plant:
        for each in agents:
            with open_history(each.record) as own:
                wanted = Filter(machine=each.press)
                missing += own.count(wanted) - plant.count(wanted)
                missing += sum(run.closings for run in own.runs(each.press))
                missing -= sum(run.closings for run in plant.runs(each.press))
    return missing


async def _deliver(agent: _Agent, url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", "plant", "deliver", "--record", agent.record, "--to", url,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    if await process.wait():
        raise RuntimeError("the disk of the agent that is gone could not be delivered")


def _compared(
    url: str, agents: Sequence[_Agent], truth: Path, waiting: int, caught_up_s: float
) -> Outcome:
    rows = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    wanted = Counter(
        row["mold"] for row in rows if row["closing"] == "shot" and row["machine"] != GONE
    )
    disks: Counter[tuple[str, int, int]] = Counter()
    for each in agents:
        disks += _cycles(each.record)
        if each.press == GONE:
            with open_history(each.record) as history:
                for run in history.runs():
                    wanted[run.mold or ""] += run.shots
    with open_history(url) as history, history.connect() as connection:
        took = read_shelf(connection).took
    plant = _cycles(url)
    places = {(row["machine"], row["mold"], row["job"]) for row in rows}
    return Outcome(
        shots={mold: sum_of(each).shots for mold, each in took.items()},
        truth={mold: n for mold, n in wanted.items() if n},
        cycles=sum(plant.values()),
        missing=sum((disks - plant).values()),
        extra=sum((plant - disks).values()),
        twice=sum(n - 1 for n in plant.values()),
        moves=len(places) - len(PRESSES),
        waiting=waiting,
        caught_up_s=caught_up_s,
    )


async def _until(what: str, done: Callable[[], bool]) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await asyncio.to_thread(done):  # noqa: ASYNC110 - other processes
                await asyncio.sleep(0.5)
    except TimeoutError:
        raise RuntimeError(f"not within {PATIENCE_S:.0f} s: {what}") from None


def main() -> int:
    """Run it and print a table; 1 where anything is wrong."""
    one = argparse.ArgumentParser(description=__doc__)
    one.add_argument("--away", type=float, default=600.0, metavar="SECONDS")
    one.add_argument("--speed", type=float, default=20.0, metavar="X")
    args = one.parse_args()
    postgres = Postgres()
    os.environ["PGPASSWORD"] = PASSWORD
    try:
        postgres.start()
        lengths = Lengths(before=args.away / 5, away=args.away, after=args.away / 10)
        with tempfile.TemporaryDirectory(prefix="sprue-plantrecord-") as folder:
            outcome = asyncio.run(
                campaign(
                    Path(folder), postgres, postgres.database(), lengths, speed=args.speed,
                    parts=PARTS,
                )
            )  # fmt: skip
    finally:
        postgres.remove()
    print("| cycles | mold changes | waiting then | caught up in | missing | extra | twice |")
    print("|---|---|---|---|---|---|---|")
    print(
        f"| {outcome.cycles} | {outcome.moves} | {outcome.waiting} | {outcome.caught_up_s:.1f} s | "
        f"{outcome.missing} | {outcome.extra} | {outcome.twice} |\n"
    )
    print("| mold | shots in the plant record | by truth and disk |\n|---|---|---|")
    for mold, n in sorted(outcome.truth.items()):
        print(f"| {mold} | {outcome.shots.get(mold, 0)} | {n} |")
    for sentence in outcome.wrong:
        print(sentence, file=sys.stderr)
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
