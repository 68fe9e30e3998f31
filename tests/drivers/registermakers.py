"""Register maps for tests, written as a person writes them."""

from pathlib import Path
from typing import Any

from drivers.register import Register
from drivers.registerentry import MapFile, RegisterEntry, register_of
from drivers.registers import RegisterMap, load_map


def a_register(signal: str = "vendor_value", address: int = 0, **keys: Any) -> Register:
    """One entry of a map whose defaults are ours."""
    entry = RegisterEntry.model_validate({"signal": signal, "address": address} | keys)
    return register_of(entry, MapFile.model_validate({"register": [entry]}))


def a_map(folder: Path, text: str) -> RegisterMap:
    """A map of some lines of TOML."""
    (folder / "map.toml").write_text(text, encoding="utf-8")
    return load_map("map.toml", folder)


def a_sheet(folder: Path, text: str, encoding: str = "utf-8") -> RegisterMap:
    """A map of some lines of a spreadsheet."""
    (folder / "map.csv").write_text(text, encoding=encoding)
    return load_map("map.csv", folder)
