"""Dashboards and data sources as Grafana reads them from files."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from agent.forward.measurements import Measurement
from scripts.grafana import flux, promql, sql
from scripts.grafana.boards import BOARDS, Panel
from scripts.grafana.questions import Life, Listing

FOLDER = Path(__file__).parents[2] / "dashboards" / "grafana"

LANGUAGES: Mapping[str, ModuleType] = {each.NAME: each for each in (promql, flux, sql)}

SCHEMA_VERSION = 39
"""Of Grafana 11; newer ones bring it up to date when they read it."""

COLUMNS = 24
"""Width of Grafana's grid."""

GAP_MS = 300_000
"""A press without a cycle for so long has stopped: no line is drawn across."""

LEAST_INTERVAL = "30s"
"""A step shorter than a usual cycle would be empty more often than not."""

ROWS_MOST = 200
"""Bars of one panel; Grafana's own limit is 25."""


def texts() -> dict[Path, str]:
    """Every file that is made, by its path."""
    return {
        FOLDER / language / f"{name}.json": json.dumps(
            dashboard(name, language), indent=2, ensure_ascii=False
        )
        + "\n"
        for language in LANGUAGES
        for name in BOARDS
    }


def dashboard(name: str, language: str) -> dict[str, Any]:
    """One dashboard, for the servers that speak a language."""
    board, said = BOARDS[name], LANGUAGES[language]
    return {
        "uid": f"sprue-{language}-{name}",
        "title": f"Sprue: {board.title}",
        "tags": ["sprue", language],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-8h", "to": "now"},
        "timezone": "browser",
        "links": [
            {"type": "dashboards", "tags": ["sprue", language], "title": "Sprue",
             "asDropdown": True, "includeVars": True, "keepTime": True}
        ],
        "templating": {"list": [_variable(said, *each) for each in board.variables]},
        "panels": _laid_out(said, board.panels),
    }  # fmt: skip


def _variable(said: ModuleType, label: str, measurement: Measurement) -> dict[str, Any]:
    number = next(each.name for each in measurement.fields if each.type == "integer")
    all_value = {"allValue": said.ALL_VALUE} if said.ALL_VALUE else {}
    return {
        "name": label, "label": label.capitalize(), "type": "query", "datasource": said.SOURCE,
        **said.variable(label, measurement.name, number),
        "refresh": 2, "sort": 7, "multi": True, "includeAll": True, **all_value,
        "current": {"text": ["All"], "value": ["$__all"]},
    }  # fmt: skip


def _laid_out(said: ModuleType, panels: Sequence[Panel]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    x, y, tallest = 0, 0, 0
    for panel in panels:
        if not said.targets(panel.asked):
            continue
        if x + panel.width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
        found.append(_panel(said, len(found) + 1, panel, place))
        x, tallest = x + panel.width, max(tallest, panel.height)
    return found


def _panel(said: ModuleType, number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
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
        if said is not promql and not isinstance(panel.asked, Life | Listing):
            names = [f"${{__field.labels.{label}}}" for label in panel.asked.by]
            names += ["${__field.name}"] if len(panel.asked.fields) > 1 else []
            defaults["displayName"] = " ".join(names)
    return {
        "id": number, "type": panel.kind, "title": panel.title, "description": panel.text,
        "datasource": said.SOURCE, "gridPos": place, "interval": LEAST_INTERVAL,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(panel.kind, rows=said is not promql),
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": said.SOURCE, **said.as_read(target)}
            for at, target in enumerate(said.targets(panel.asked))
        ],
    }  # fmt: skip


def _options(kind: str, *, rows: bool) -> dict[str, Any]:
    if kind == "timeseries":
        return {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "none"},
        }
    if kind == "table":
        return {"showHeader": True, "cellHeight": "sm"}
    reduced: dict[str, Any] = {"calcs": ["lastNotNull"], "fields": "", "values": rows}
    if rows:  # a bar for every row of the answer, called by what is in its other columns
        reduced["limit"] = ROWS_MOST
    return {"orientation": "horizontal", "displayMode": "basic", "reduceOptions": reduced}


def write() -> None:
    """Write every file."""
    for path, text in texts().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
