"""`python -m bench`: every benchmark once; the figures go to docs/reference/performance.md."""

import argparse
import asyncio
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from bench import pages, plant, starting
from bench.counting import speed
from bench.counting.speed import Speed
from bench.devices import VALUES
from bench.plant import PlantOutcome
from bench.polling import LIBRARIES, ROOT, TURNS, Driver, Outcome, new_loop, run, told
from bench.pollparts import Part, parts, table
from bench.watch.cost import Cost, costs
from bench.watch.page import cost
from drivers.polling import SLOTS

PAGE = ROOT / "docs" / "reference" / "performance.md"

RUNS: tuple[tuple[Driver, int, int, float], ...] = (
    ("modbus", 100, 1000, 24),
    ("modbus", 100, 100, 16),
    ("opcua", 20, 1000, 32),
    ("opcua", 20, 200, 24),
    ("subscription", 20, 1000, 32),
    ("subscription", 20, 200, 24),
)
"""Driver, machines, poll in ms, seconds of measuring."""

PLANTS: tuple[tuple[str, float], ...] = (("demo", 30), ("wall", 60))
"""Fleet, seconds of measuring."""


def machine() -> str:
    """What it ran on, without any name of it."""
    system = platform.system()
    if hasattr(platform, "freedesktop_os_release"):
        try:
            system = platform.freedesktop_os_release()["PRETTY_NAME"]
        except (OSError, KeyError):
            system = platform.system()
    return f"{os.cpu_count()} cores of {_processor()}, {system}, Python {platform.python_version()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _versions() -> Iterator[str]:
    for name in ("pymodbus", "asyncua", "uvloop"):
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"no {name}"


def page(
    outcomes: Sequence[Outcome],
    plants: Sequence[PlantOutcome],
    ledger: Speed,
    watch: Sequence[Cost],
    steps: Sequence[Part],
    on: datetime,
) -> str:
    """The reference page."""
    rows = "\n".join(_row(outcome) for outcome in outcomes)
    plant_rows = "\n".join(_plant_row(outcome) for outcome in plants)
    libraries = ", ".join(_versions())
    return f"""# Performance

What one poll costs: our driver, from its connection to a whole frame (addresses merged, bytes
decoded, scaled, converted and judged), beside the bare library reading the same {VALUES} values of
the same devices at the same ticks, in the same run. The two take turns, {TURNS} each.

Processor time is user and system of the polling process; the simulated devices are in another.
**Read the ratios**: times move with the processor and with whatever else runs on it.

| | machines | poll | our driver, CPU s per 1,000 polls | bare | ratio | polls made, missed |
|---|---|---|---|---|---|---|
{rows}

In brackets: lowest and highest turn. {on.day} {on:%B %Y}; {machine()};
{libraries}.

Bare pymodbus is `read_holding_registers(0, count={VALUES})`, registers as the library gives them.
Bare asyncua is `Client.read_attributes` of {VALUES} nodes, values with their status. In the rows
of `subscription` nothing is polled: each poll is one publish response with {VALUES} notifications,
ours with `read = "subscribe"`, asyncua's by its own subscription and a handler that only counts.

Over Modbus our values, decoded, scaled and judged, cost what the library's registers do (4 and 5 us
for 40 of them, measured alone), a frame and the look at each answer 1 us each. What ours costs
beyond the library is the line: turns among machines, the breaker, pauses and time limits.

One line of it:
`python -m bench.polling --driver modbus --machines 100 --poll-ms 1000 --seconds 20`.

## Where a poll over OPC UA goes

{table(steps)}

Processor time of {VALUES} nodes without a socket. Signed or encrypted, the two frames cost more on
both sides. The rest of a poll's price above is to wake up, to send, to be woken by the answer and
to receive it: machines of one period share {SLOTS} instants in it, so that one waking serves
several. A request is made once a connection; of an answer only what is no number, text or time is
left to asyncua.

`python -m bench.pollparts` measures them.

## A simulated plant at real speed

What the simulator costs on the same computer: physics, 100 Hz curves and all servers in one
process, alone and while an agent watches every press with the configuration that the simulator
prints. Cores are processor seconds a second.

| fleet | presses | plant alone | plant, watched | the agent that watches | shots meanwhile |
|---|---|---|---|---|---|
{plant_rows}

One line of it: `python -m bench.plant --fleet wall --seconds 30`.

{_ledger(ledger)}
`python -m bench.counting.speed` measures them.

## A cycle in the watch, and a file replayed

Our own processor time: the watch alone, and everything from a line of CSV to the anomaly, as
`sprue replay` walks it.

{cost(watch)}

`python -m bench.watch` measures them. `make bench` renews this page.
"""


def _ledger(speed: Speed) -> str:
    return f"""## A shot in the ledger

Our own processor time, without the record's disk.

| step | us a shot |
|---|---|
| judged and booked, where the counter rises by one at its pace | **{speed.ordinary_us:.0f}** |
| the same, where nine of ten shots are gaps, resets or duplicates | {speed.odd_us:.0f} |
| looked at for what a person should know | {speed.told_us:.0f} |
| where the ledger stands made ready to be kept, once a machine and commit | {speed.kept_us:.0f} |
"""


def _row(outcome: Outcome) -> str:
    ours, bare = outcome.ours, outcome.bare
    cells = (
        f"{outcome.driver}, beside {LIBRARIES[outcome.driver]}",
        str(outcome.machines),
        f"{outcome.poll_ms} ms",
        *(
            f"{median(side.cpu_s):.3f} ({min(side.cpu_s):.3f} to {max(side.cpu_s):.3f})"
            for side in (ours, bare)
        ),
        f"**{outcome.ratio:.2f}**",
        f"{ours.polls:,}, {ours.missed}; bare {bare.polls:,}, {bare.missed}",
    )
    return f"| {' | '.join(cells)} |"


def _plant_row(outcome: PlantOutcome) -> str:
    used = (outcome.alone, outcome.watched, outcome.agent)
    cells = [f"**{each.cores:.3f} cores**, {each.memory_mb:.0f} MB" for each in used]
    shots = f"{outcome.shots} in {outcome.seconds:.0f} s"
    return f"| {' | '.join([f'`{outcome.fleet}`', str(outcome.presses), *cells, shots])} |"


def main(argv: Sequence[str] | None = None) -> int:
    """Run all, print each as it comes, write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--out", type=Path, default=PAGE, help="the page to write")
    args = parser.parse_args(argv)
    outcomes: list[Outcome] = []
    plants: list[PlantOutcome] = []
    with asyncio.Runner(loop_factory=new_loop) as runner:
        for driver, machines, poll_ms, seconds in RUNS:
            outcome = runner.run(run(driver, machines, poll_ms, seconds))
            print(told(outcome), flush=True)
            outcomes.append(outcome)
        for fleet, seconds in PLANTS:
            plants.append(runner.run(plant.run(fleet, seconds)))
            print(plant.told(plants[-1]), flush=True)
    ledger = speed.run()
    print(speed.told(ledger), flush=True)
    watch = costs()
    print(cost(watch), flush=True)
    steps = parts()
    print(table(steps), flush=True)
    text = page(outcomes, plants, ledger, watch, steps, datetime.now(UTC))
    with asyncio.Runner() as runner:
        text += starting.section(runner.run(starting.measured(starting.STARTS)))
        text += pages.section(runner.run(pages.run(15)))
    args.out.write_text(text, encoding="utf-8")
    print(f"written: {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
