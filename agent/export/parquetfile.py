"""Parquet: typed columns with their units, and curves as lists; needs the extra `records`."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from agent.export.curvepages import Curves
from agent.export.page import Page
from agent.export.table import Column, Table, Type
from drivers.signals import signal_named

GROUP = 5_000
"""Rows of a row group: what is in memory at a time."""
GROUP_WITH_CURVES = 200

TYPES = {
    Type.TIME: pa.timestamp("us", tz="UTC"),
    Type.TEXT: pa.string(),
    Type.WHOLE: pa.int64(),
    Type.NUMBER: pa.float64(),
}


def write_parquet(
    table: Table,
    path: Path,
    *,
    curves: Curves | None = None,
    progress: Callable[[int], None] = lambda n: None,
) -> int:
    """Write a table; a value that is missing is null, a curve that is missing too.

    Args:
        table: What.
        path: Where to.
        curves: Where the curves are, if they are wanted. Each signal's are two columns: values, and
            seconds since the first sample.
        progress: Told how many rows are written.

    Returns:
        How many rows there are.

    Raises:
        OSError: it can't be written.
    """
    signals = curves.signals(table.survey) if curves else []
    schema = pa.schema([*map(_field, table.columns), *_curve_fields(signals)])
    n = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for page in table.pages(GROUP_WITH_CURVES if signals else GROUP):
            arrays = [
                pa.array(column.cells(page), type=TYPES[column.type]) for column in table.columns
            ]
            if curves and signals:
                arrays += _curve_arrays(curves, page, signals)
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            n += len(page.rows)
            progress(n)
    return n


def _field(column: Column) -> Any:
    metadata = {"unit": column.unit} if column.unit else None
    return pa.field(column.name, TYPES[column.type], metadata=metadata)


def _curve_fields(signals: Iterable[str]) -> Iterable[Any]:
    for name in signals:
        signal = signal_named(name)
        metadata = {"unit": signal.unit} if signal and signal.unit else None
        yield pa.field(f"curve_{name}", pa.list_(pa.float64()), metadata=metadata)
        yield pa.field(f"curve_{name}_t_s", pa.list_(pa.float64()), metadata={"unit": "s"})


def _curve_arrays(curves: Curves, page: Page, signals: Iterable[str]) -> Iterable[Any]:
    rows = curves.of(page)
    for name in signals:
        found = [row.get(name) for row in rows]
        for of in ("values", "t_s"):
            cells = [None if each is None else getattr(each, of) for each in found]
            yield pa.array(cells, type=pa.list_(pa.float64()))
