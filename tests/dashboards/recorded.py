"""The story's record: an afternoon of press 07, molds with a past, and anomalies of every state."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from agent.anomalies import act
from agent.anomaly import Anomaly
from agent.audit import Author, change
from agent.batch import Batch, Blind, MachineRow, MoldRow
from agent.cycle import Curve
from agent.ledger import Ledger, Standing
from agent.molds.desk import Desk
from agent.molds.servicelog import Service
from agent.record import open_record
from drivers import Change, Notice
from tests.agent.makers import at, cycle
from tests.dashboards.story import AT

MACHINES = [MachineRow(name=f"IMM-{n:02d}", driver="modbus") for n in (7, 12, 15)]

PLAN = [{"level": 1, "shots": 120}, {"level": 3, "shots": 20_000, "days": 120}]

MOLDS = [
    MoldRow(
        name="A-2217",
        revision="C",
        fields={
            "part": "Hub cover", "alloy": "7075-T6", "cavities": 2, "resin": "PA66-GF30",
            "life_plan": {"PA66-GF30": 150},
            "wall_mm": 3.2, "service_plan": PLAN, "location": "Rack B3",
        },
    ),
    MoldRow(
        name="A-2149", fields={"part": "Filter cup", "alloy": "QC-10", "planned_shots": 60_000}
    ),
    MoldRow(name="A-2118", fields={"part": "Clamp base", "location": "Rack B3"}),
]  # fmt: skip

SHOTS = 140
CYCLE_S = 24.0
FIRST_LONG = 127
"""The shot from which on cooling takes longer."""


def anomaly(key: str, **changes: Any) -> Anomaly:
    """One on press 07, raised six minutes ago."""
    fields: dict[str, Any] = {
        "id": key,
        "time": AT - timedelta(minutes=6),
        "machine": "IMM-07",
        "mold": "A-2217",
        "revision": "C",
        "segment": 1,
        "counter": FIRST_LONG + 1,
        "since_counter": FIRST_LONG,
        "kind": "cooling_time",
        "cause": "timer_changed",
        "signal": "cooling_time_s",
        "value": 12.21,
        "expected": 11.8,
        "limit": 12.05,
        "severity": "warning",
        "message": f"Cooling takes 12.21 s, 0.41 s longer than usual, since shot {FIRST_LONG}.",
        "short": "cooling +0.41 s",
        "likely": "the timer was set from 11.8 to 12.2 s",
        "advice": "Ask who changed the timer, and why.",
        "evidence": {
            "cooling_time_s": 0.41,
            "cycle_time_s": 0.41,
            "mold_open_time_s": -0.01,
            "cycles": 14,
            "provisional": True,
            "who": "Operator 2",
        },
    }
    return Anomaly(**(fields | changes))


ANOMALIES = [
    anomaly("a"),
    anomaly(
        "b", machine="IMM-15", mold=None, revision=None, segment=None, counter=None,
        since_counter=None, kind="blind", cause="unreachable", signal=None, value=None,
        expected=None, limit=None, severity="alarm", time=AT - timedelta(minutes=12),
        message="IMM-15 can't be reached.", short="no data", likely="", advice="", evidence={},
    ),
    anomaly(
        "c", machine="IMM-12", mold="A-2149", revision="A", kind="process", cause="cushion_shift",
        signal="cushion_mm", severity="info", time=AT - timedelta(hours=5),
        message="The cushion is 0.3 mm smaller than usual.", short="cushion -0.3 mm", follows="a",
        evidence={"cushion_mm": 3.7, "cushion_mm:usual": 4.0},
    ),
    anomaly(
        "d", kind="shot_count", cause="shots_unobserved", signal=None, severity="info",
        time=AT - timedelta(hours=2), closed_at=AT - timedelta(hours=1), until_counter=130,
        message="2 shots were not seen.", short="2 shots not seen",
    ),
]  # fmt: skip


def curve(ended: datetime, seed: int) -> Curve:
    """Ten seconds of a pressure, a hundred samples a second, with half a second missing."""
    t_s = np.arange(0, 10, 0.01)
    values = 900 * np.exp(-(((t_s - 1.2) / 0.9) ** 2)) + seed % 7
    seen = (t_s < 6.0) | (t_s >= 6.5)
    return Curve(started_at=ended - timedelta(seconds=20), t_s=t_s[seen], values=values[seen])


async def recorded(folder: Path, **molds: Mapping[str, Any]) -> str:
    """Write the story into a record; its URL.

    Args:
        folder: For the record.
        molds: More of them: fields by name.
    """
    url = f"sqlite:///{folder}/plant.db"
    more = [MoldRow(name=name, fields=fields) for name, fields in molds.items()]
    chance = random.Random(7)
    start = (AT - at(0)).total_seconds() - SHOTS * CYCLE_S
    async with open_record(url, MACHINES, [*MOLDS, *more]) as record:
        book = Ledger("IMM-07", Standing(), lambda _mold: "C", None)
        for n in range(1, SHOTS + 1):
            longer = 0.4 if n >= FIRST_LONG else 0.0
            shot = cycle(
                n, start + CYCLE_S * n, machine="IMM-07", mold="A-2217", job="48211",
                values={"cooling_time_s": round(11.8 + longer + chance.gauss(0, 0.02), 2),
                        "cycle_time_s": CYCLE_S + longer},
            )  # fmt: skip
            if n >= SHOTS - 1:
                shot = replace(shot, curves={"injection_pressure_bar": curve(shot.time, n)})
            await record.keep(Batch(machine="IMM-07", entries=[book.take(shot)]))
        blind = Blind(
            machine="IMM-07", since=AT - timedelta(hours=3), until=AT - timedelta(hours=2.75),
            cause="unreachable", why="switch restarted",
        )  # fmt: skip
        noticed = Notice(
            machine="IMM-07", at=AT - timedelta(minutes=6), received_at=AT, change=Change.PARAMETER,
            name="cooling_time_set_s", old=11.8, new=12.2, who="Operator 2",
        )  # fmt: skip
        done = await record.keep(
            Batch(machine="IMM-07", anomalies=ANOMALIES, blinds=[blind], notices=[noticed])
        )
        await done
    by = Author(who="D. Braun", at=AT - timedelta(hours=4))
    with change(url) as connection:
        act(connection, by, "c", "ack")
        desk = Desk(connection, by)
        desk.service(
            Service(mold="A-2217", at=AT - timedelta(days=3), level=1, what="Clean and grease",
                    hours=0.6)
        )  # fmt: skip
    return url
