"""Rows of the record by column, and what is found out of them once for all columns."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row

from agent.export.stops import Stop

PLACE = ("machine", "segment", "mold", "revision")
"""Columns that say where and on what a row was made."""


class Page:
    """Some rows; what is asked of them is found out at the first time."""

    def __init__(self, rows: Sequence[Row[Any]]) -> None:
        self.rows = rows
        self._columns = dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))
        self._extras: list[Mapping[str, Any]] | None = None
        self._arrays: dict[str, NDArray[Any]] = {}
        self._places: dict[tuple[str, ...], dict[tuple[Any, ...], NDArray[np.intp]]] = {}
        self.warm_up: Sequence[int] = ()
        """By row, 1 for a shot of the warm-up; filled in by the table."""
        self.stops: Sequence[Stop] = ()
        """Before any of its rows; by the table too."""
        self.judged: Sequence[str] = ()
        """By row, whether it kept its limits; `agent.export.limits`, by the table too."""
        self.outside: Sequence[str] = ()
        """By row, what lies outside its limits, as `cooling_time_s:low`; by the table too."""
        self.mold_shots: Sequence[Sequence[int | None]] = ()
        """Which shot of its mold's life, the least and the most it can be; by the table too."""
        self.said: Mapping[str, Sequence[str]] = {}
        """By row, what people said, by column; by the table too."""

    def __getitem__(self, name: str) -> Sequence[Any]:
        """A column of the record."""
        return self._columns[name]

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def get(self, name: str, default: Sequence[Any]) -> Sequence[Any]:
        """A column, or another where it was left out."""
        return self._columns.get(name, default)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A signal's values, a vendor's own too; NaN for what is missing, or no number."""
        if name in self:
            return self.floats(name)
        is_number = (int, float)
        cells = (each if isinstance(each, is_number) else np.nan for each in self.extra(name))
        return np.fromiter(cells, np.float64, len(self.rows))

    def floats(self, name: str) -> NDArray[np.float64]:
        """A column of numbers, NaN where one is missing."""
        return self._array(name, np.float64)

    def wholes(self, name: str) -> NDArray[np.int64]:
        """A column of whole numbers, none of which is missing."""
        return self._array(name, np.int64)

    def places(self, *names: str) -> Mapping[tuple[Any, ...], NDArray[np.intp]]:
        """Which rows each thing has that some of `PLACE` say together, in order of first sight."""
        if names not in self._places:
            found: dict[tuple[Any, ...], list[NDArray[np.intp]]] = {}
            at = [PLACE.index(name) for name in names]
            for key, rows in self._finest().items():
                found.setdefault(tuple(key[n] for n in at), []).append(rows)
            self._places[names] = {
                key: rows[0] if len(rows) == 1 else np.sort(np.concatenate(rows))
                for key, rows in found.items()
            }
        return self._places[names]

    def _finest(self) -> Mapping[tuple[Any, ...], NDArray[np.intp]]:
        """By all of `PLACE` together, which is the only walk over all rows."""
        if PLACE not in self._places:
            found: dict[tuple[Any, ...], list[int]] = {}
            for n, key in enumerate(zip(*(self[name] for name in PLACE), strict=True)):
                if key in found:
                    found[key].append(n)
                else:
                    found[key] = [n]
            self._places[PLACE] = {key: np.array(rows) for key, rows in found.items()}
        return self._places[PLACE]

    def _array(self, name: str, dtype: Any) -> NDArray[Any]:
        if name not in self._arrays:
            self._arrays[name] = np.array(self[name], dtype=dtype)
        return self._arrays[name]

    def extra(self, name: str) -> list[Any]:
        """Values under a vendor's own name."""
        if self._extras is None:
            self._extras = [json.loads(each) if each else {} for each in self["extra"]]
        return [values.get(name) for values in self._extras]
