"""The dashboards: which panels, what each asks, and what it says to a person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agent.forward.measurements import (
    ADJUSTMENT,
    ANOMALY,
    BLIND,
    CYCLE,
    HEALTH,
    LEDGER,
    LINK,
    NOTICE,
    SINK,
    Measurement,
)
from scripts.grafana.questions import Age, Asked, Course, Latest, Life, Listing, Tally

UNITS = {"_s": "s", "_c": "celsius", "_bar": "pressurebar", "_mm": "lengthmm", "_kn": "suffix: kN"}
UNITS |= {"_l_min": "flowlpm", "_cm3": "suffix: cm³", "_nm": "suffix: Nm", "_bytes": "bytes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel."""

    title: str
    text: str
    asked: Asked
    kind: Literal["timeseries", "bargauge", "table"] = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    steps: Sequence[tuple[float | None, str]] = ((None, "green"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard; `variables` are pairs of a label and the measurement whose it is."""

    title: str
    variables: Sequence[tuple[str, Measurement]]
    panels: Sequence[Panel]


def unit_of(field: str) -> str:
    """Grafana's name of the unit that a field's name ends in."""
    return next((unit for end, unit in UNITS.items() if field.endswith(end)), "short")


def course(
    title: str,
    by: Sequence[str],
    chosen: Sequence[str],
    *fields: str,
    measurement: Measurement = CYCLE,
    width: int = 12,
) -> Panel:
    """Values over time; of cycles, where nothing else is said."""
    texts = {each.name: each.text for each in measurement.fields}
    return Panel(
        title=title,
        asked=Course(measurement=measurement, fields=fields, by=by, chosen=chosen),
        text="; ".join(f"{field}: {texts[field]}" for field in fields),
        unit=unit_of(fields[0]),
        width=width,
    )


def shots(by: str, chosen: Sequence[str], per: Literal["range", "hour"]) -> Tally:
    """Shots, not dry cycles, that were seen."""
    return Tally(
        measurement=CYCLE, fields=("counter",), by=(by,), chosen=chosen, how="count",
        fixed={"closing": "shot"}, per=per,
    )  # fmt: skip


def last_cycle(chosen: Sequence[str]) -> Panel:
    """How long ago a machine's last cycle ended."""
    return Panel(
        title="Time since the last cycle",
        text="By the end of the last cycle in the chosen time. A press that has stopped and one "
        "that can't be seen look alike here: blind intervals tell them apart.",
        asked=Age(measurement=CYCLE, fields=("counter",), by=("machine",), chosen=chosen),
        kind="bargauge",
        unit="s",
        steps=[(None, "green"), (120, "yellow"), (300, "red")],
    )


def seen_shots(by: str, chosen: Sequence[str]) -> Panel:
    """Shots seen in the time that the dashboard shows."""
    return Panel(
        title=f"Shots by {by}",
        text="Shots that were seen in the chosen time; dry cycles are left out. Shots that nobody "
        "saw are in the ledger, and so is a mold's life.",
        asked=shots(by, chosen, "range"),
        kind="bargauge",
    )


def blind_time(chosen: Sequence[str]) -> Panel:
    """How long machines could not be seen, by cause."""
    return Panel(
        title="Blind for",
        text="Sum of the blind intervals that ended in the chosen time, by machine and cause. One "
        "that is still open has no length yet.",
        asked=Tally(
            measurement=BLIND, fields=("duration_s",), by=("machine", "cause"), chosen=chosen,
            how="sum",
        ),
        kind="bargauge",
        unit="s",
        steps=[(None, "green"), (1, "yellow"), (300, "red")],
    )  # fmt: skip


def raised(by: Sequence[str], chosen: Sequence[str]) -> Panel:
    """Anomalies raised; `open` is true where one is raised and false where it is closed."""
    return Panel(
        title=f"Anomalies raised, by {' and '.join(by)}",
        text="How many were raised in the chosen time. Which are open now, and what was found, "
        "Sprue's own pages say.",
        asked=Tally(measurement=ANOMALY, fields=("open",), by=by, chosen=chosen, how="true"),
        kind="bargauge",
        steps=[(None, "yellow"), (10, "red")],
    )


def raised_over_time(chosen: Sequence[str]) -> Panel:
    """The same, when."""
    panel = raised(("kind",), chosen)
    assert isinstance(panel.asked, Tally)
    return replace(panel, kind="timeseries", width=24, asked=replace(panel.asked, per="step"))


def found(chosen: Sequence[str]) -> Panel:
    """The anomalies themselves, in words."""
    return Panel(
        title="What was found",
        text="Anomalies raised in the chosen time, newest first.",
        asked=Listing(
            measurement=ANOMALY, chosen=chosen, true="open",
            columns=("machine", "mold", "revision", "severity", "kind", "cause", "message"),
        ),
        kind="table",
        width=24,
        height=10,
    )  # fmt: skip


def changes(chosen: Sequence[str]) -> Panel:
    """What machines said has changed: set points, modes, jobs."""
    return Panel(
        title="Changes at the machine",
        text="Notices in the chosen time: mode, job, mold, parameters by name.",
        asked=Tally(
            measurement=NOTICE, fields=("n",), by=("machine", "change", "name"), chosen=chosen,
            how="sum",
        ),
        kind="bargauge",
    )  # fmt: skip


def life(chosen: Sequence[str]) -> Panel:
    """Shots in a mold's life."""
    return Panel(
        title="Shots in its life",
        text="Ledger and adjustments in all time, whatever time is chosen: seen, unobserved and "
        "entered shots of each revision, as `sprue molds` has them.",
        asked=Life(measurements=(LEDGER, ADJUSTMENT), chosen=chosen),
        kind="bargauge",
        width=24,
    )


def now(
    title: str,
    text: str,
    measurement: Measurement,
    field: str,
    *by: str,
    steps: Sequence[tuple[float | None, str]],
) -> Panel:
    """The newest value of what is told all the time."""
    return Panel(
        title=title,
        text=text,
        asked=Latest(measurement=measurement, fields=(field,), by=by, chosen=()),
        kind="bargauge",
        unit=unit_of(field),
        steps=steps,
    )


NONE: Sequence[str] = ()
M = ("machine",)
MOLDS = ("mold",)
BOTH = ("machine", "mold")
UP = ((None, "red"), (1, "green"))
FEW = ((None, "green"), (1, "yellow"), (100, "red"))
MACHINES = ("machine", CYCLE)
ALL_MOLDS = ("mold", CYCLE)

BOARDS = {
    "plant": Board(
        title="plant",
        variables=(),
        panels=[
            seen_shots("machine", NONE),
            last_cycle(NONE),
            course("Cycle time", M, NONE, "cycle_time_s", width=24),
            Panel(
                title="Shots an hour",
                text="Shots that were seen in the hour before.",
                asked=shots("machine", NONE, "hour"),
            ),
            blind_time(NONE),
            raised(("kind",), NONE),
            raised(("machine",), NONE),
        ],
    ),
    "machine": Board(
        title="machine",
        variables=(MACHINES,),
        panels=[
            seen_shots("mold", M),
            last_cycle(M),
            course("Cycle and cooling", M, M, "cycle_time_s", "cooling_time_s", width=24),
            course("Cooling, set and done", M, M, "cooling_time_set_s", "cooling_time_s"),
            course("Fill, hold, recovery", M, M, "fill_time_s", "hold_time_s", "recovery_time_s"),
            course("Pressures", M, M, "injection_pressure_peak_bar", "transfer_pressure_bar",
                   "hold_pressure_bar"),
            course("Cushion", M, M, "cushion_mm"),
            course("Melt", M, M, "melt_temp_c"),
            course("Oil", M, M, "oil_temp_c"),
            changes(M),
            blind_time(M),
        ],
    ),
    "mold": Board(
        title="mold",
        variables=(ALL_MOLDS,),
        panels=[
            life(MOLDS),
            seen_shots("revision", MOLDS),
            seen_shots("machine", MOLDS),
            course("Cooling time", ("revision",), MOLDS, "cooling_time_s", width=24),
            course("Cycle time", M, MOLDS, "cycle_time_s"),
            course("Mold temperature", M, MOLDS, "mold_temp_c", "mold_temp_set_c"),
            course("Coolant in and out", M, MOLDS, "coolant_in_c", "coolant_out_c"),
            course("Coolant flow", M, MOLDS, "coolant_flow_l_min"),
            course("Cavity pressure", M, MOLDS, "cavity_pressure_peak_bar"),
            raised(("kind", "cause"), MOLDS),
        ],
    ),
    "anomalies": Board(
        title="anomalies",
        variables=(MACHINES, ALL_MOLDS),
        panels=[
            raised(("kind", "cause"), BOTH),
            raised(("severity",), BOTH),
            raised_over_time(BOTH),
            found(BOTH),
            raised(("mold",), BOTH),
            raised(("machine",), BOTH),
        ],
    ),
    "sight": Board(
        title="what was seen",
        variables=(MACHINES,),
        panels=[
            last_cycle(M),
            blind_time(M),
            Panel(
                title="Blind intervals begun",
                text="How often a machine could not be seen any more; `open` is true at a "
                "beginning.",
                asked=Tally(
                    measurement=BLIND, fields=("open",), by=("machine", "cause"), chosen=M,
                    how="true",
                ),
                kind="bargauge",
            ),
            course("Uncertainty of a cycle's end", M, M, "time_uncertainty_s"),
        ],
    ),
    "agent": Board(
        title="agent health",
        variables=(),
        panels=[
            Panel(
                title="Time since the agent was heard",
                text="An agent tells how it does every 30 s. One that is silent is gone, or can't "
                "reach this server: then all below is old.",
                asked=Age(measurement=HEALTH, fields=("machines",), by=("agent",), chosen=()),
                kind="bargauge",
                unit="s",
                steps=((None, "green"), (90, "yellow"), (300, "red")),
            ),
            now("Links to machines", "1 where a link stands.", LINK, "up", "machine", steps=UP),
            now("Record is written", "0 where the disk takes nothing; all is in memory then.",
                HEALTH, "record_writable", "agent", steps=UP),
            now("Disk free", "Where the record lies.", HEALTH, "disk_free_bytes", "agent",
                steps=((None, "red"), (2e9, "yellow"), (10e9, "green"))),
            course("Last sign of life", M, NONE, "seen_age_s", measurement=LINK),
            course("Machines seen", ("agent",), NONE, "machines", "machines_up",
                   measurement=HEALTH),
            course("Rows that wait", ("agent", "sink"), NONE, "rows", measurement=SINK),
            course("What waits longest", ("agent", "sink"), NONE, "oldest_age_s",
                   measurement=SINK),
            now("Sinks that take rows", "0 where one takes nothing.", SINK, "up", "agent", "sink",
                steps=UP),
            now("Dead letters", "Rows that a sink refused, and that wait for a person: "
                "`sprue outbox`.", SINK, "letters", "agent", "sink", steps=FEW),
            now("Cycles refused", "Cycles that came and were not kept, so far.", LINK, "refused",
                "machine", steps=FEW),
            now("Shots not seen", "Shots so far that the counter proves and no cycle came for.",
                LINK, "unobserved", "machine", steps=FEW),
            course("Memory", ("agent",), NONE, "memory_bytes", measurement=HEALTH),
            course("Processor time", ("agent",), NONE, "processor_s", measurement=HEALTH),
        ],
    ),
}  # fmt: skip
