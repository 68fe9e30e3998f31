"""Parquet: typed columns with their units, and curves as lists; needs the extra `records`."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

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

NUMBERS = {Type.TIME: "int64", Type.WHOLE: "int64", Type.NUMBER: "float64"}
"""Of what each number is to numpy."""


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
                _array(column.cells(page), TYPES[column.type], NUMBERS.get(column.type))
                for column in table.columns
            ]
            if curves and signals:
                arrays += _curve_arrays(curves, page, signals)
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            n += len(page.rows)
            progress(n)
    return n


def _array(cells: Sequence[Any], type_: Any, numbers: str | None) -> Any:
    """A column of cells, None where one is missing.

    Made of its buffers: `pyarrow.array` of a list loads pandas where it is installed, which takes
    as long as 20,000 rows do.
    """
    if numbers is None:
        return _texts(cells)
    try:
        values = np.array(cells, dtype=numbers)
        missing = np.isnan(values)
    except TypeError:  # a whole number can't be missing
        missing = np.array([each is None for each in cells])
        values = np.array([0 if each is None else each for each in cells], dtype=numbers)
    if pa.types.is_timestamp(type_):
        values //= 1000
    return pa.Array.from_buffers(type_, len(cells), [_known(missing), pa.py_buffer(values)])


def _texts(cells: Sequence[str | None]) -> Any:
    missing = None
    if None in cells:
        missing = np.array([each is None for each in cells])
    texts = [each or "" for each in cells]
    data = "".join(texts).encode()
    sizes = map(len, texts)
    ends = np.zeros(len(cells) + 1, np.int32)
    np.cumsum(np.fromiter(sizes, np.int32, len(cells)), out=ends[1:])
    if ends[-1] != len(data):  # not all of them are plain letters
        np.cumsum([len(each.encode()) for each in texts], out=ends[1:])
    buffers = [_known(missing), pa.py_buffer(ends), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.string(), len(cells), buffers)


def _known(missing: NDArray[np.bool_] | None) -> Any:
    """A bit for each cell that is there; None where all are."""
    if missing is None or not missing.any():
        return None
    return pa.py_buffer(np.packbits(~missing, bitorder="little"))


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
