"""Writes dashboards/grafana/*.json for VictoriaMetrics from the measurements; a test compares.

python scripts/grafana.py

A panel names a field of a measurement, and gets its metric, its unit and its words from there: one
that is no longer forwarded, or a label that is none, ends this script and not a person's evening.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.forward.measurements import ANOMALY, BLIND, CYCLE, NOTICE, Measurement

FOLDER = Path(__file__).parent.parent / "dashboards" / "grafana"

SCHEMA_VERSION = 39
"""Of Grafana 11; newer ones bring it up to date when they read it."""

SOURCE = {"type": "prometheus", "uid": "sprue-victoriametrics"}

UNITS = {"_s": "s", "_c": "celsius", "_bar": "pressurebar", "_mm": "lengthmm", "_kn": "suffix: kN"}
UNITS |= {"_l_min": "flowlpm", "_cm3": "suffix: cm³", "_nm": "suffix: Nm"}

COLUMNS = 24
"""Width of Grafana's grid."""

GAP_MS = 300_000
"""A press without a cycle for so long has stopped: no line is drawn across."""

LEAST_INTERVAL = "30s"
"""A step shorter than a usual cycle would be empty more often than not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel; `queries` are pairs of what is asked and how an answer is called."""

    title: str
    text: str
    queries: Sequence[tuple[str, str]]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    steps: Sequence[tuple[float | None, str]] = ((None, "green"),)


def series(measurement: Measurement, field: str, *chosen: str, **fixed: str) -> str:
    """The metric of a field, with the labels that a person chooses and those that are fixed.

    Raises:
        ValueError: the measurement has no such number, or no such label.
    """
    numbers = {each.name for each in measurement.fields if each.type not in ("text", "word")}
    words = {each.name for each in measurement.fields if each.type == "word"}
    if field not in numbers:
        raise ValueError(f"{measurement.name} has no number {field}")
    if strange := {*chosen, *fixed} - {*measurement.tags, *words}:
        raise ValueError(f"{measurement.name} has no label {', '.join(sorted(strange))}")
    labels = [f'{name}=~"${name}"' for name in chosen]
    labels += [f'{name}="{value}"' for name, value in fixed.items()]
    return f"{measurement.name}_{field}{{{','.join(labels)}}}"


def unit_of(field: str) -> str:
    """Grafana's name of the unit that a field's name ends in."""
    return next((unit for end, unit in UNITS.items() if field.endswith(end)), "short")


def course(title: str, by: str, chosen: Sequence[str], *fields: str, width: int = 12) -> Panel:
    """Values of cycles over time; the last one of every step, so that none is made up."""
    texts = {each.name: each.text for each in CYCLE.fields}
    return Panel(
        title=title,
        text="; ".join(f"{field}: {texts[field]}" for field in fields),
        queries=[
            (
                f"max by ({by}) (last_over_time({series(CYCLE, field, *chosen)}[$__interval]))",
                f"{{{{{by}}}}} {field}" if len(fields) > 1 else f"{{{{{by}}}}}",
            )
            for field in fields
        ],
        unit=unit_of(fields[0]),
        width=width,
    )


def shots(by: str, chosen: Sequence[str], window: str) -> str:
    """Shots, not dry cycles, that were seen in a window."""
    return f"sum by ({by}) (count_over_time({series(CYCLE, 'counter', *chosen, closing='shot')}[{window}]))"  # noqa: E501


def last_cycle(chosen: Sequence[str], width: int = 12) -> Panel:
    """How long ago a machine's last cycle ended."""
    found = series(CYCLE, "counter", *chosen)
    return Panel(
        title="Time since the last cycle",
        text="By the end of the last cycle in the chosen time. A press that has stopped and one "
        "that can't be seen look alike here: blind intervals tell them apart.",
        queries=[
            (f"time() - max by (machine) (tlast_over_time({found}[$__range]))", "{{machine}}")
        ],
        kind="bargauge",
        unit="s",
        width=width,
        steps=[(None, "green"), (120, "yellow"), (300, "red")],
    )


def seen_shots(by: str, chosen: Sequence[str], width: int = 12) -> Panel:
    """Shots seen in the time that the dashboard shows."""
    return Panel(
        title=f"Shots by {by}",
        text="Shots that were seen in the chosen time; dry cycles are left out. Shots that nobody "
        "saw are in the ledger, and so is a mold's life.",
        queries=[(shots(by, chosen, "$__range"), f"{{{{{by}}}}}")],
        kind="bargauge",
        width=width,
    )


def blind_time(chosen: Sequence[str], width: int = 12) -> Panel:
    """How long machines could not be seen, by cause."""
    found = series(BLIND, "duration_s", *chosen)
    return Panel(
        title="Blind for",
        text="Sum of the blind intervals that ended in the chosen time, by machine and cause. One "
        "that is still open has no length yet.",
        queries=[
            (f"sum by (machine, cause) (sum_over_time({found}[$__range]))", "{{machine}} {{cause}}")
        ],
        kind="bargauge",
        unit="s",
        width=width,
        steps=[(None, "green"), (1, "yellow"), (300, "red")],
    )


def raised(by: str, chosen: Sequence[str], width: int = 12, kind: str = "bargauge") -> Panel:
    """Anomalies raised; `open` is 1 where one is raised and 0 where it is closed, so sums count."""
    window = "$__interval" if kind == "timeseries" else "$__range"
    return Panel(
        title=f"Anomalies raised, by {by.replace(', ', ' and ')}",
        text="How many were raised in the chosen time. Which are open now, and what was found, "
        "Sprue's own pages say.",
        queries=[
            (
                f"sum by ({by}) (sum_over_time({series(ANOMALY, 'open', *chosen)}[{window}])) > 0",
                " ".join(f"{{{{{label}}}}}" for label in by.split(", ")),
            )
        ],
        kind=kind,
        width=width,
        steps=[(None, "yellow"), (10, "red")],
    )


def changes(chosen: Sequence[str], width: int = 12) -> Panel:
    """What machines said has changed: set points, modes, jobs."""
    return Panel(
        title="Changes at the machine",
        text="Notices in the chosen time: mode, job, mold, parameters by name.",
        queries=[
            (
                "sum by (machine, change, name) "
                f"(sum_over_time({series(NOTICE, 'n', *chosen)}[$__range]))",
                "{{machine}} {{change}} {{name}}",
            )
        ],
        kind="bargauge",
        width=width,
    )


M = ("machine",)
MOLDS = ("mold",)
BOTH = ("machine", "mold")

DASHBOARDS: dict[str, tuple[str, Sequence[str], Sequence[Panel]]] = {
    "plant": (
        "Sprue: plant",
        (),
        [
            seen_shots("machine", ()),
            last_cycle(()),
            course("Cycle time", "machine", (), "cycle_time_s", width=24),
            Panel(
                title="Shots an hour",
                text="Shots that were seen in the hour before.",
                queries=[(shots("machine", (), "1h"), "{{machine}}")],
            ),
            blind_time(()),
            raised("kind", ()),
            raised("machine", ()),
        ],
    ),
    "machine": (
        "Sprue: machine",
        M,
        [
            seen_shots("mold", M),
            last_cycle(M),
            course("Cycle and cooling", "machine", M, "cycle_time_s", "cooling_time_s", width=24),
            course("Cooling, set and done", "machine", M, "cooling_time_set_s", "cooling_time_s"),
            course("Fill, hold, recovery", "machine", M, "fill_time_s", "hold_time_s",
                   "recovery_time_s"),
            course("Pressures", "machine", M, "injection_pressure_peak_bar",
                   "transfer_pressure_bar", "hold_pressure_bar"),
            course("Cushion", "machine", M, "cushion_mm"),
            course("Melt", "machine", M, "melt_temp_c"),
            course("Oil", "machine", M, "oil_temp_c"),
            changes(M),
            blind_time(M),
        ],
    ),
    "mold": (
        "Sprue: mold",
        MOLDS,
        [
            seen_shots("revision", MOLDS),
            seen_shots("machine", MOLDS),
            course("Cooling time", "revision", MOLDS, "cooling_time_s", width=24),
            course("Cycle time", "machine", MOLDS, "cycle_time_s"),
            course("Mold temperature", "machine", MOLDS, "mold_temp_c", "mold_temp_set_c"),
            course("Coolant in and out", "machine", MOLDS, "coolant_in_c", "coolant_out_c"),
            course("Coolant flow", "machine", MOLDS, "coolant_flow_l_min"),
            course("Cavity pressure", "machine", MOLDS, "cavity_pressure_peak_bar"),
            raised("kind, cause", MOLDS),
        ],
    ),
    "anomalies": (
        "Sprue: anomalies",
        BOTH,
        [
            raised("kind, cause", BOTH),
            raised("severity", BOTH),
            raised("kind", BOTH, width=24, kind="timeseries"),
            raised("mold", BOTH),
            raised("machine", BOTH),
        ],
    ),
    "sight": (
        "Sprue: what was seen",
        M,
        [
            last_cycle(M),
            blind_time(M),
            Panel(
                title="Blind intervals begun",
                text="How often a machine could not be seen any more; `open` is 1 at a beginning.",
                queries=[
                    (
                        "sum by (machine, cause) "
                        f"(sum_over_time({series(BLIND, 'open', *M)}[$__range])) > 0",
                        "{{machine}} {{cause}}",
                    )
                ],
                kind="bargauge",
            ),
            course("Uncertainty of a cycle's end", "machine", M, "time_uncertainty_s"),
        ],
    ),
}  # fmt: skip


def dashboard(name: str) -> dict[str, Any]:
    """One dashboard, as Grafana reads it from a file."""
    title, variables, panels = DASHBOARDS[name]
    return {
        "uid": f"sprue-{name}",
        "title": title,
        "tags": ["sprue"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-8h", "to": "now"},
        "timezone": "browser",
        "links": [
            {"type": "dashboards", "tags": ["sprue"], "title": "Sprue", "asDropdown": True,
             "includeVars": True, "keepTime": True}
        ],
        "templating": {"list": [_variable(label) for label in variables]},
        "panels": _laid_out(panels),
    }  # fmt: skip


def _variable(label: str) -> dict[str, Any]:
    question = f"label_values({CYCLE.name}_counter, {label})"
    return {
        "name": label, "label": label.capitalize(), "type": "query", "datasource": SOURCE,
        "query": {"query": question, "refId": label}, "definition": question,
        "refresh": 2, "sort": 7, "multi": True, "includeAll": True, "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }  # fmt: skip


def _laid_out(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    found, x, y, tallest = [], 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
        found.append(_panel(number, panel, place))
        x, tallest = x + panel.width, max(tallest, panel.height)
    return found


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    over_time = panel.kind == "timeseries"
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "color": {"mode": "palette-classic" if over_time else "thresholds"},
        "thresholds": {
            "mode": "absolute",
            "steps": [{"value": value, "color": color} for value, color in panel.steps],
        },
    }
    if over_time:
        defaults["custom"] = {"spanNulls": GAP_MS, "lineWidth": 1, "showPoints": "auto"}
        options: dict[str, Any] = {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "none"},
        }
    else:
        options = {
            "orientation": "horizontal",
            "displayMode": "basic",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        }
    return {
        "id": number, "type": panel.kind, "title": panel.title, "description": panel.text,
        "datasource": SOURCE, "gridPos": place, "interval": LEAST_INTERVAL,
        "fieldConfig": {"defaults": defaults, "overrides": []}, "options": options,
        "targets": [
            {
                "refId": chr(ord("A") + at), "datasource": SOURCE, "expr": query,
                "legendFormat": legend, "range": over_time, "instant": not over_time,
            }
            for at, (query, legend) in enumerate(panel.queries)
        ],
    }  # fmt: skip


def text_of(name: str) -> str:
    """A dashboard's file."""
    return json.dumps(dashboard(name), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for each in DASHBOARDS:
        (FOLDER / f"{each}.json").write_text(text_of(each), encoding="utf-8")
