"""Plants for the tests of the pages: an afternoon in hall A, and as many presses as needed."""

import math
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from agent.live import SPARK_CYCLES, Life, Plant, Site, State, Tile, Today

AT = datetime(2026, 11, 23, 13, 32, 7, tzinfo=UTC)
"""14:32:07 in the plant."""

SITE = Site(name="Plant 2", timezone="Europe/Berlin")

RUNNING: tuple[tuple[int, int, str, str, float, float, float, int, int, str, int, int], ...] = (
    # press, t, mold, part, cycle, target, cooling, taken, planned, job, done, ordered
    (1, 45, "A-2188", "Sensor cap", 16.45, 16.5, 6.42, 48760, 60000, "48193", 3100, 10000),
    (2, 45, "A-2203", "Clip, 4-cav", 12.84, 12.8, 4.75, 93690, 100000, "48196", 7000, 10000),
    (3, 60, "A-2196", "Lens ring", 20.96, 21.0, 8.99, 48130, 50000, "48199", 1240, 2000),
    (4, 60, "A-2231", "Gear 18T", 15.41, 15.4, 6.96, 1400, 24000, "48202", 3500, 10000),
    (5, 80, "A-2174", "Cable gland", 17.19, 17.2, 7.13, 75950, 80000, "48205", 1100, 5000),
    (6, 80, "A-2209", "Vial tray", 14.57, 14.6, 5.77, 18100, 50000, "48208", 900, 10000),
    (7, 180, "A-2217", "Hub cover, 2-cav", 24.48, 24.0, 12.21, 59680, 60000, "48211", 2264, 3600),
    (8, 180, "A-2222", "Pump lid", 28.55, 28.5, 13.34, 57020, 60000, "48214", 520, 2000),
    (9, 110, "A-2160", "Handle half L", 31.10, 31.0, 15.69, 42580, 50000, "48217", 1660, 2000),
    (10, 110, "A-2161", "Handle half R", 31.03, 31.0, 15.60, 42605, 50000, "48220", 240, 2000),
    (11, 110, "A-2240", "Bezel", 26.38, 26.4, 12.36, 14890, 20000, "48223", 540, 3000),
    (12, 110, "A-2149", "Filter cup", 22.90, 22.8, 10.30, 59060, 60000, "48226", 1800, 10000),
    (14, 150, "A-2211", "Drip ring", 19.52, 19.6, 9.49, 47250, 60000, "48232", 3500, 10000),
    (16, 200, "A-2236", "Knob, 8-cav", 18.41, 18.4, 7.52, 61560, 65000, "48238", 1200, 10000),
    (17, 200, "A-2142", "Duct elbow", 38.05, 38.2, 19.39, 88710, 88070, "48241", 500, 1000),
    (18, 220, "A-2229", "Bracket rib", 33.95, 34.0, 15.44, 38590, 40000, "48244", 810, 1000),
    (22, 350, "A-2184", "Housing base", 42.52, 42.6, 21.39, 35110, 40000, "48256", 400, 1000),
    (23, 350, "A-2185", "Housing lid", 41.76, 41.8, 20.94, 34980, 40000, "48259", 310, 1000),
    (24, 350, "A-2133", "Crate corner", 46.19, 46.0, 24.64, 11700, 30000, "48262", 570, 1000),
)

OTHERS: tuple[tuple[int, int, State, str, int, str | None, str | None, str | None], ...] = (
    # press, t, state, reason, minutes, mold, part, job
    (13, 150, "setup", "Changeover", 34, "A-2251", "Valve body", "48244"),
    (15, 150, "stopped", "Ejector did not report back position", 12, "A-2198", "Fan shroud", None),
    (19, 220, "no_data", "Connection refused", 3, "A-2244", "Cover plate", "48219"),
    (20, 280, "waiting", "Door open", 2, "A-2207", "Panel strip", "48225"),
    (21, 280, "idle", "No job planned", 95, None, None, None),
)

TWELVE = ("01", "02", "04", "07", "08", "10", "11", "13", "15", "17", "19", "20")
"""The presses of the smaller plant."""

PHASES = ("fill", "cool", "open", "cool", "hold", "eject", "cool", "hold")


def story(count: int = 24, clock: Callable[[], datetime] | None = None) -> Plant:
    """A plant of up to 24 presses, told at `AT`; its clock goes on from there."""
    tiles = [_running(*row) for row in RUNNING] + [_other(*row) for row in OTHERS]
    tiles.sort(key=lambda tile: tile.label)
    shown = tiles if count > len(TWELVE) else [tile for tile in tiles if tile.label in TWELVE]
    plant = Plant(SITE, shown[:count], clock or ticking())
    plant.today = Today(
        since=AT.replace(hour=5, minute=0, second=0),
        shots=23651,
        cycles=23614,
        unobserved=37,
        blind_s=6735.0,
    )
    return plant


def crowd(count: int, halls: tuple[str, ...] = ("A",), seed: int = 7) -> Plant:
    """A plant of any size, most of it running."""
    chance = random.Random(seed)
    tiles = []
    for n in range(count):
        row = RUNNING[n % len(RUNNING)]
        tile = replace(
            _running(*row),
            machine=f"IMM-{n + 1:03d}",
            label=f"{n + 1:03d}",
            hall=halls[n * len(halls) // count],
        )
        if chance.random() < 0.06:
            state: State = chance.choice(["stopped", "no_data", "waiting", "setup"])
            tile = replace(tile, state=state, reason="Door open", since=AT - timedelta(minutes=n))
        tiles.append(tile)
    plant = Plant(SITE, tiles, ticking())
    plant.today = Today(since=AT.replace(hour=5, minute=0, second=0), shots=9, cycles=9)
    return plant


def ticking() -> Callable[[], datetime]:
    """A clock that stands at `AT` now and goes on."""
    start = time.monotonic()
    return lambda: AT + timedelta(seconds=time.monotonic() - start)


def spark_of(value: float, seed: int, drift: float = 0.0) -> tuple[float, ...]:
    """Fifty cooling times around a value that end at it."""
    chance = random.Random(seed)
    line = [
        value * (1 + chance.gauss(0, 0.004)) - drift * min(1.0, n / 14)
        for n in range(SPARK_CYCLES - 1, -1, -1)
    ]
    return (*(round(each, 2) for each in line[:-1]), value)


def _running(
    press: int,
    tonnage: int,
    mold: str,
    part: str,
    cycle: float,
    target: float,
    cooling: float,
    taken: int,
    planned: int,
    job: str,
    done: int,
    ordered: int,
) -> Tile:
    phase = PHASES[press % len(PHASES)]
    spark: tuple[float | None, ...] = spark_of(cooling, press, 0.41 if press == 7 else 0.0)
    if press == 10:  # an outage of five shots
        spark = (*spark[:20], None, None, None, None, None, *spark[25:])
    return Tile(
        machine=f"IMM-{press:02d}",
        label=f"{press:02d}",
        tonnage=tonnage,
        hall="A",
        state="running",
        since=AT - timedelta(hours=3),
        mold=mold,
        revision="C",
        part=part,
        job=job,
        parts_done=done,
        parts_planned=ordered,
        cycle_time_s=cycle,
        target_s=target,
        cooling_time_s=cooling,
        cooling_origin="edges" if press in (4, 11) else "reported",
        cooling_uncertainty_s=0.1 if press in (4, 11) else None,
        cooling_spark=spark,
        life=Life(shots=taken, planned=planned),
        phase=phase,
        phase_since=AT - timedelta(seconds=math.fmod(press * 0.37, 2.0)),
        phase_lengths_s=(0.06 * cycle, 0.2 * cycle, cooling, 0.09 * cycle, 0.13 * cycle),
        shots=1132 if press == 7 else 900 + press,
        cycles=1095 if press == 7 else 900 + press,
        last_cycle_at=AT - timedelta(seconds=press % 7),
        last_counter=8000 + press,
        seen_at=AT,
        stale_after_s=86400.0,
    )


def _other(
    press: int,
    tonnage: int,
    state: State,
    reason: str,
    minutes: int,
    mold: str | None,
    part: str | None,
    job: str | None,
) -> Tile:
    since = AT - timedelta(minutes=minutes, seconds=16)
    return Tile(
        machine=f"IMM-{press:02d}",
        label=f"{press:02d}",
        tonnage=tonnage,
        hall="A",
        state=state,
        reason=reason,
        since=since,
        mold=mold,
        part=part,
        job=job,
        parts_done=440 if state == "no_data" else 120 if state == "waiting" else None,
        parts_planned=1000,
        cycle_time_s=29.84 if mold else None,
        target_s=29.8 if mold else None,
        life=Life(shots=1200, planned=30000) if mold else None,
        last_cycle_at=since - timedelta(seconds=4) if mold else None,
        last_counter=8114 if mold else None,
        seen_at=since if state == "no_data" else AT,
        stale_after_s=60.0 if state == "no_data" else 86400.0,
    )
