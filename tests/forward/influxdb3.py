"""What a server has stored, as tables of the engine that answers SQL in InfluxDB 3."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from datafusion import SessionContext

from agent.forward.measurements import MEASUREMENTS, Measurement
from tests.forward.forwarded import Influx

TYPES = {
    "float": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_(), "text": pa.utf8(),
    "word": pa.utf8(),
}  # fmt: skip
TAG = pa.dictionary(pa.int32(), pa.utf8())
TIME = pa.timestamp("ns")


async def tables(database: Influx) -> SessionContext:
    """Every measurement as a table: tags and fields as columns, as InfluxDB 3 has them."""
    context = SessionContext()
    for each in MEASUREMENTS:
        found = await database.ask(f"SELECT * FROM {each.name}")
        batch = pa.RecordBatch.from_pylist(
            [{name: row.get(name) for name in schema_of(each).names} for row in found],
            schema=schema_of(each),
        )
        context.register_record_batches(each.name, [[batch]])
    return context


def schema_of(measurement: Measurement) -> pa.Schema:
    """Columns of a measurement's table."""
    columns = {"time": TIME} | dict.fromkeys(measurement.tags, TAG)
    columns |= {each.name: TYPES[each.type] for each in measurement.fields}
    return pa.schema(columns)


def answer(context: SessionContext, query: str) -> list[dict[str, Any]]:
    """Rows of an answer."""
    rows: list[dict[str, Any]] = context.sql(query).to_pylist()
    return rows


def as_asked(query: str, since: datetime, until: datetime, chosen: Mapping[str, str]) -> str:
    """A query with Grafana's macros filled in, as its InfluxDB data source does for SQL.

    Its time filter is that of Grafana's SDK; bins are steps of 30 s.
    """
    begin, end = (f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for at in (since, until))
    query = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 >= '{begin}' AND \1 <= '{end}'", query)
    query = re.sub(
        r"\$__dateBin\((\w+)\)",
        r"date_bin(interval '30 second', \1, timestamp '1970-01-01T00:00:00Z')", query,
    )  # fmt: skip
    return re.sub(r"\$\{(\w+):sqlstring\}", lambda found: quoted(chosen[found[1]]), query)


def quoted(text: str) -> str:
    """As Grafana writes a chosen value into SQL."""
    return "'" + text.replace("'", "''") + "'"
