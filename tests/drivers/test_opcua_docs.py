"""What the reference pages of OPC UA show is what the drivers take."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from drivers.euromap77 import Euromap77Settings, FieldSignal
from drivers.immcurves import CurveArraysAt
from drivers.nodes import MapFile, NodeEntry, load_map, shipped
from drivers.opcua import OpcUaSettings
from drivers.plastics import UNIT_SIGNALS
from drivers.security import Security
from drivers.session import SessionSettings
from drivers.settings import MachineSettings

DOCS = Path(__file__).parents[2] / "docs" / "reference"
OPCUA = (DOCS / "opcua.md").read_text(encoding="utf-8")
EUROMAP = (DOCS / "euromap77.md").read_text(encoding="utf-8")


def examples(page: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL)


def machines(page: str) -> list[dict[str, Any]]:
    found = [tomllib.loads(example) for example in examples(page, "toml")]
    return [machine for each in found for machine in each.get("machine", [])]


def test_the_machines_of_the_pages_are_right(tmp_path: Path) -> None:
    for machine in machines(OPCUA):
        for key in ("certificate", "key", "server_certificate"):
            if "security" in machine:
                (tmp_path / key).touch()
                machine["security"][key] = str(tmp_path / key)
        OpcUaSettings.model_validate(machine)
    for machine in machines(EUROMAP):
        Euromap77Settings.model_validate(machine)
    assert len(machines(OPCUA)) == 2
    assert len(machines(EUROMAP)) == 2


def test_the_maps_of_the_page_are_right(tmp_path: Path) -> None:
    maps = [text for text in examples(OPCUA, "toml") if "[[node]]" in text]
    sheets = examples(OPCUA, "csv")
    for number, text in enumerate(maps):
        (tmp_path / f"{number}.toml").write_text(text, encoding="utf-8")
        assert load_map(f"{number}.toml", tmp_path).nodes
    for number, text in enumerate(sheets):
        (tmp_path / f"{number}.csv").write_text(text, encoding="utf-8")
        assert load_map(f"{number}.csv", tmp_path).nodes
    assert len(maps) == len(sheets) == 1


@pytest.mark.parametrize(
    ("page", "model", "besides"),
    [
        (OPCUA, OpcUaSettings, MachineSettings),
        (OPCUA, SessionSettings, MachineSettings),
        (OPCUA, MapFile, None),
        (OPCUA, NodeEntry, None),
        (OPCUA, Security, None),
        (EUROMAP, Euromap77Settings, MachineSettings),
        (EUROMAP, FieldSignal, None),
        (EUROMAP, CurveArraysAt, None),
    ],
)
def test_every_key_is_on_its_page(page: str, model: Any, besides: Any) -> None:
    keys = set(model.model_fields) - set(besides.model_fields if besides else ()) - {"driver"}

    assert {key for key in keys if f"`{key}`" not in page and f"{key} =" not in page} == set()


def test_every_shipped_node_map_is_on_the_page() -> None:
    assert all(f"`{name}`" in OPCUA for name in shipped())


def test_every_field_that_is_a_signal_is_on_the_page() -> None:
    for field, signal in UNIT_SIGNALS.items():
        assert f"`{field}`" in EUROMAP
        assert f"`{signal}`" in EUROMAP
