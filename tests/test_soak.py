"""A slice of a day's polls leaves nothing behind; `python -m bench.soak` runs the whole day."""

import asyncio
import json
import sys
from typing import Any

from bench.polling import ROOT
from bench.soak import DAY_S

MACHINES = 10
SHARE = 0.006
"""Of the day's polls; at 60 times their rate some 9 s."""
DRIVERS = {
    "modbus": (),
    "flat": (),
    # The session of a reset connection with subscriptions stays for 30 s, by OPC 10000-4 §6.7.
    "euromap77": ("--no-resets",),
}


async def soaked(driver: str, *more: str) -> dict[str, Any]:
    words = ("--driver", driver, "--machines", str(MACHINES), "--day", str(SHARE), "--json", *more)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.soak", *words),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert out, err.decode()
    found: dict[str, Any] = json.loads(out)
    return found


async def test_nothing_is_left_behind_whatever_the_driver() -> None:
    runs = await asyncio.gather(*(soaked(driver, *more) for driver, more in DRIVERS.items()))

    for found in runs:
        polls = MACHINES * DAY_S * SHARE
        assert 0.95 * polls <= found["polls"] <= polls
        assert found["connections"] == 4 * MACHINES
        assert found["resets"] == (0 if found["driver"] == "euromap77" else 2 * MACHINES)
        assert found["reports"] > MACHINES
        assert found["growth"] <= 0.05, (found["driver"], found["ours_mb"])
        assert found["after"]["tasks"] <= found["before"]["tasks"]
        assert found["after"]["files"] <= found["before"]["files"]
        before, after = found["plant_files"]
        assert after <= before
