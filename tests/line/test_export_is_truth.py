"""A process record against the simulators' truth: every row, every gap, every blind minute."""

import asyncio
import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.__main__ import main
from simulators.fleet import load
from simulators.plant import open_plant
from tests.line.harness import (
    RESOLUTION,
    an_agent,
    read_truth,
    stand_still,
    until_all_seen,
    until_caught_up,
)

SHOTS, OUTAGE_S = 36, 4.0


async def test_every_row_is_the_truth_and_every_gap_is_told(tmp_path: Path) -> None:
    """Six presses, two a protocol: two can't be reached for a while, two servers start anew."""
    truth = tmp_path / "truth.jsonl"
    async with (
        open_plant(load("six"), speed=60, seed=5, truth=truth, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        await stand_still(plant)
        before = len(read_truth(truth))
        await agent.start()
        await until_all_seen(agent, plant)
        names = list(plant.presses)
        dark, restarted = names[:2], [names[2], names[4]]
        for press in plant.presses.values():
            press.resume()
        async with asyncio.timeout(300), asyncio.TaskGroup() as presses:
            for press in plant.presses.values():
                presses.create_task(press.until(press.counter + SHOTS))
            await asyncio.sleep(2)
            since = datetime.now(UTC)
            for name in dark:
                await plant.inject(name, "black_hole")
            for name in restarted:
                await plant.inject(name, "server_restart")
            await asyncio.sleep(OUTAGE_S)
            for name in dark:
                await plant.clear(name, "black_hole")
            until = datetime.now(UTC)
        await stand_still(plant)
        await until_all_seen(agent, plant)
        await until_caught_up(agent, plant)
        await agent.stop()
        made = read_truth(truth)[before:]

        argv = ["export", "--record", agent.url, "--out", str(tmp_path)]
        assert await asyncio.to_thread(main, argv) == 0
    path = tmp_path / "sprue.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = {(row["machine"], int(row["counter"])): row for row in csv.DictReader(file)}
    manifest = json.loads(path.with_name(f"{path.name}.manifest.json").read_text(encoding="utf-8"))
    covered = {each["machine"]: each for each in manifest["coverage"]}

    compared = 0
    for truth_row in made:
        row = rows.pop((truth_row["machine"], truth_row["counter"]), None)
        if row is not None:
            compared += same(row, truth_row)
    assert not rows, "rows of shots that never were"
    assert compared > 1000

    presses = manifest["header"]["Makers and serial numbers"]
    for name in names[4:]:  # of Euromap 77; a simulated press has its name as its number
        assert f"{name}: " in presses
        assert f"serial number {name}" in presses

    exported = manifest["counts"]["cycles"]
    assert sum(each["cycles"] for each in covered.values()) == exported
    for name, each in covered.items():
        true = sum(row["machine"] == name for row in made)
        assert each["unobserved_at_edges"] == 0
        assert each["cycles"] + each["unobserved"] == true, name
    for name in restarted:
        assert covered[name]["blind_s"] > 0
    for name in dark:
        lasted_s = (until - since).total_seconds()
        assert lasted_s - 1.5 <= covered[name]["blind_s"] <= lasted_s + 30
        blind = [tuple(map(datetime.fromisoformat, pair)) for pair in covered[name]["blind"]]
        assert any(begins < until and since < ends for begins, ends in blind)
    assert sum(covered[name]["unobserved"] for name in dark) > 0, "the outage hid some"


def same(row: dict[str, str], truth: dict[str, Any]) -> int:
    """How many values were compared; each is the truth's within the interface's resolution."""
    where = f"{truth['machine']} {truth['counter']}"
    assert (row["mold"], row["job"], row["closing"]) == (
        truth["mold"], truth["job"], truth["closing"],
    ), where  # fmt: skip
    origins = json.loads(row["provenance"])
    compared = 0
    for name, origin in origins.items():
        if origin == "sampled" or name not in truth["values"] or not row.get(name):
            continue
        within = RESOLUTION.get(name.rsplit("_", 1)[-1], 0.5)
        assert abs(float(row[name]) - truth["values"][name]) <= within, f"{where}: {name}"
        compared += 1
    return compared
