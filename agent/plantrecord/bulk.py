"""Rows that are many, by COPY into a table of the transaction's own, and from there by their keys.

What is there already is found by its natural key, not by a constraint: a hypertable's constraints
hold the time, too.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table

from agent import schema
from agent.forward.topics import CURVES

CYCLE = [column.name for column in schema.cycle.c if column.name != "id"]
CURVE = [column.name for column in schema.curve.c]


def cycles(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add cycles that are not there yet, in their order."""
    key = ("machine_id", "segment", "counter")
    _add(connection, schema.cycle, CYCLE, key, ([row[name] for name in CYCLE] for row in rows))


def curves(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add curves that are not there yet."""
    key = ("machine", "segment", "counter", "signal")

    def each() -> Iterator[list[Any]]:
        for row in rows:
            for curve in row[CURVES]:
                whole = {**row, **curve, "data": b64decode(curve["data"])}
                yield [whole[name] for name in CURVE]

    _add(connection, schema.curve, CURVE, key, each())


def _add(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    key: Sequence[str],
    rows: Iterator[list[Any]],
) -> None:
    quoted = ", ".join(f'"{name}"' for name in names)
    raw = connection.connection.driver_connection
    assert raw is not None
    coming = f"coming_{table.name}"
    connection.exec_driver_sql(
        f"CREATE TEMP TABLE {coming} ON COMMIT DROP AS "
        f"SELECT 0::bigint AS place, {quoted} FROM {table.name} LIMIT 0"
    )
    with raw.cursor() as cursor, cursor.copy(f"COPY {coming} (place, {quoted}) FROM STDIN") as copy:
        for place, row in enumerate(rows):
            copy.write_row([place, *row])
    same = " AND ".join(f"there.{name} = {coming}.{name}" for name in key)
    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({quoted}) SELECT {quoted} FROM {coming} "
        f"WHERE NOT EXISTS (SELECT 1 FROM {table.name} AS there WHERE {same}) "
        "ORDER BY place ON CONFLICT DO NOTHING"
    )
    connection.exec_driver_sql(f"DROP TABLE {coming}")
