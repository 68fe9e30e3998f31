"""A configuration as text: what `sprue discover` prints."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.ending import CommandError


class DiscoverError(CommandError):
    """Nothing was found out; the message says why."""


@dataclass(slots=True)
class Found:
    """What to print: the tables of a configuration, and files of maps that they name."""

    config: str
    files: dict[str, str] = field(default_factory=dict)


def table_of(name: str, entries: Mapping[str, Any]) -> str:
    """One table of an array, as TOML."""
    lines = [f"{key} = {toml(value)}" for key, value in entries.items()]
    return "\n".join([f"[[{name}]]", *lines, ""])


def toml(value: Any) -> str:
    """A value as TOML writes it.

    >>> toml({"event_field": "CoolingTime"}), toml('a "b"'), toml(False)
    ('{ event_field = "CoolingTime" }', '"a \\\\"b\\\\""', 'false')
    """
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} = {toml(each)}" for key, each in value.items())
        return f"{{ {inside} }}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def plain(found: object) -> str:
    """A machine's own words in one line of a comment."""
    text = str(getattr(found, "Text", found))
    return "".join(each if each.isprintable() else " " for each in text)
