"""Rows of the record by column, and what is found out of them once for all columns."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row


class Page:
    """Some rows; what is asked of them is found out at the first time."""

    def __init__(self, rows: Sequence[Row[Any]]) -> None:
        self.rows = rows
        self._columns = dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))
        self._extras: list[Mapping[str, Any]] | None = None
        self.warm_up: Sequence[int] = ()
        """By row, 1 for a shot of the warm-up; filled in by the table."""
        self.outside: Sequence[str] = ()
        """By row, what lies outside its limits, as `cooling_time_s:low`; by the table too."""
        self.said: Mapping[str, Sequence[str]] = {}
        """By row, what people said, by column; by the table too."""

    def __getitem__(self, name: str) -> Sequence[Any]:
        """A column of the record."""
        return self._columns[name]

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def extra(self, name: str) -> list[Any]:
        """Values under a vendor's own name."""
        if self._extras is None:
            self._extras = [json.loads(each) if each else {} for each in self["extra"]]
        return [values.get(name) for values in self._extras]
