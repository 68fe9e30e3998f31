"""Moved cycles, asked with the very same questions as those in the record, by DuckDB.

DuckDB only ever opens the Parquet files. What a question needs beside them (names, and which
cycles count on another mold now) is little, and is handed to it from the record.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Double, Integer, Row, Select, Table, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData

from agent import schema
from agent.archive.catalogue import ArchiveFile, archive_folder
from agent.archive.parquet import damaged, library, sha256_of
from agent.files import RecordError

DIALECT = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
"""What DuckDB understands."""

MEMORY = "1GB"
"""What DuckDB may use before it takes to the disk."""

WINDOW = 4
"""How many times more ids than rows are looked through at first, for the next rows."""


class Cold:
    """The cycles of some files; the caller closes it.

    Args:
        connection: To the main file, at the moment that the question is about.
        main: The main file; the archive lies beside it.
        files: Which ones.

    Raises:
        RecordError: one is missing, or the library for it is not installed.
    """

    def __init__(self, connection: Connection, main: Path, files: Sequence[ArchiveFile]) -> None:
        self._duckdb: Any = library("duckdb", "read")
        folder = archive_folder(main)
        self._files = {folder / each.name: each for each in files}
        for path, each in self._files.items():
            if not path.is_file() or path.stat().st_size != each.size:
                raise RecordError(damaged(path, f"it should have {each.size} bytes"))
        self._db: Any = self._duckdb.connect(
            config={
                "memory_limit": MEMORY,
                "temp_directory": f"{tempfile.gettempdir()}/sprue-{os.getpid()}",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            }
        )
        self._view()
        for table in (schema.machine, schema.mold, schema.provenance):
            columns = [table.c.id, *(c for c in table.c if c.name in ("name", "body"))]
            self._hand_over(table, connection.execute(select(*columns)).all(), columns)
        self._hand_over(schema.attribution, _pieces(connection), list(schema.attribution.c))

    def close(self) -> None:
        """Let go of the files."""
        self._db.close()

    def rows(self, query: Select[Any]) -> list[Row[Any]]:
        """What a question brings.

        Raises:
            RecordError: a file is damaged.
        """
        cursor = self._asked(query)
        try:
            return _as_rows(cursor, cursor.fetchall())
        except self._duckdb.Error as error:
            raise self._broken(error) from error

    def stream(self, query: Select[Any], size: int) -> Iterator[Row[Any]]:
        """The same, a batch at a time, for answers that are larger than memory.

        Raises:
            RecordError: a file is damaged.
        """
        cursor = self._asked(query)
        while True:
            try:
                batch = cursor.fetchmany(size)
            except self._duckdb.Error as error:
                raise self._broken(error) from error
            yield from _as_rows(cursor, batch)
            if len(batch) < size:
                return

    def next(self, query: Select[Any], after: int, until: int, most: int) -> list[Row[Any]]:
        """The first rows of a question whose ids are above `after`, up to `until`.

        Looks through a window of ids, so that paging on does not read everything again and again.
        """
        least = min((each.first_id for each in self._files.values()), default=until + 1)
        last = min(until, max((each.last_id for each in self._files.values()), default=0))
        after, window = max(after, least - 1), WINDOW * most
        key = schema.cycle.c.id
        while after < last:
            end = min(after + window, last)
            asked = query.where(key > after, key <= end).order_by(key).limit(most)
            if (rows := self.rows(asked)) and (len(rows) == most or end == last):
                return rows
            if end == last:
                return rows
            window *= 2
        return []

    def arrays(self, query: Select[Any]) -> dict[str, Any]:
        """The answer as NumPy arrays by name; a missing number is NaN.

        Raises:
            RecordError: a file is damaged.
        """
        cursor = self._asked(query)
        try:
            found = cursor.fetchnumpy()
        except self._duckdb.Error as error:
            raise self._broken(error) from error
        return {
            name: values.filled(np.nan) if isinstance(values, np.ma.MaskedArray) else values
            for name, values in found.items()
        }

    def extras(self, query: Select[Any]) -> list[tuple[str, str]]:
        """Names under `extra` in a question's rows, each with a kind of value, as SQLite calls it.

        Raises:
            RecordError: a file is damaged.
        """
        words, values = _compiled(query)
        asked = (
            f"SELECT DISTINCT each.key, each.type FROM ({words}) AS found, "
            "json_each(found.extra) AS each WHERE found.extra IS NOT NULL"
        )
        try:
            pairs = self._db.cursor().execute(asked, values).fetchall()
        except self._duckdb.Error as error:
            raise self._broken(error) from error
        return sorted({(name, KINDS.get(kind, kind.lower())) for name, kind in pairs})

    def _asked(self, query: Select[Any]) -> Any:
        words, values = _compiled(query)
        try:
            return self._db.cursor().execute(words, values)
        except self._duckdb.Error as error:
            raise self._broken(error) from error

    def _view(self) -> None:
        """The table `cycle`, with every column of today; files of an older schema lack some."""
        paths = ", ".join(_quoted(path) for path in self._files)
        read = f"read_parquet([{paths}], union_by_name = true, hive_partitioning = false)"
        try:
            found = self._db.execute(f"DESCRIBE SELECT * FROM {read}").fetchall()
            there = {row[0] for row in found}
            columns = ", ".join(
                f'"{each.name}"' if each.name in there else f'NULL::{_kind(each)} AS "{each.name}"'
                for each in schema.cycle.c
            )
            self._db.execute(f"CREATE VIEW cycle AS SELECT {columns} FROM {read}")
        except self._duckdb.Error as error:
            raise self._broken(error) from error

    def _hand_over(self, table: Table, rows: Sequence[Any], columns: Sequence[Any]) -> None:
        declared = ", ".join(f'"{each.name}" {_kind(each)}' for each in columns)
        self._db.execute(f'CREATE TABLE "{table.name}" ({declared})')
        if rows:
            arrow = library("pyarrow", "read")
            handed = arrow.table(
                [list(values) for values in zip(*rows, strict=True)],
                names=[each.name for each in columns],
            )
            self._db.register("handed", handed)
            self._db.execute(f'INSERT INTO "{table.name}" SELECT * FROM handed')
            self._db.unregister("handed")

    def _broken(self, error: Exception) -> RecordError:
        """Which file it is, if one is: reading all of them is worth that now."""
        for path, each in self._files.items():
            if not path.is_file() or sha256_of(path) != each.sha256:
                return RecordError(damaged(path, error))
        return RecordError(f"record: its moved cycles can't be read: {error}")


KINDS = {
    "UBIGINT": "integer",
    "BIGINT": "integer",
    "HUGEINT": "integer",
    "DOUBLE": "real",
    "VARCHAR": "text",
    "BOOLEAN": "true",
}
"""Kinds of JSON values: DuckDB's names, and SQLite's."""


def _compiled(query: Select[Any]) -> tuple[str, list[Any]]:
    compiled = query.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    names = compiled.positiontup or []
    return str(compiled), [compiled.params[name] for name in names]


def _as_rows(cursor: Any, values: Sequence[tuple[Any, ...]]) -> list[Row[Any]]:
    names = [each[0] for each in cursor.description]
    result: Any = IteratorResult(SimpleResultMetaData(names), iter(values))
    return list(result.all())


def _quoted(path: Path) -> str:
    """A file's name as DuckDB takes it: as it is, and no pattern.

    >>> _quoted(Path("it's [1]/a.parquet"))
    "'it''s [[]1]/a.parquet'"
    """
    plain = "".join(f"[{letter}]" if letter in "[*?" else letter for letter in str(path))
    return "'" + plain.replace("'", "''") + "'"


def _kind(column: Any) -> str:
    if isinstance(column.type, Integer):
        return "BIGINT"
    return "DOUBLE" if isinstance(column.type, Double) else "VARCHAR"


def _pieces(connection: Connection) -> list[tuple[Any, ...]]:
    """Attributions without overlap: of those that cover a counter, the newest counts."""
    table, run = schema.attribution, schema.run
    query = (
        select(table)
        .join(run, run.c.id == table.c.ledger_id)
        .where(run.c.kind.in_(("seen", "unobserved")))
        .order_by(table.c.id.desc())
    )
    found: list[tuple[Any, ...]] = []
    taken: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for row in connection.execute(query):
        spans = taken.setdefault((row.machine_id, row.segment), [])
        for first, last in _free(row.first, row.last, spans):
            found.append(tuple({**row._mapping, "first": first, "last": last}.values()))
        spans.append((row.first, row.last))
    return found


def _free(first: int, last: int, taken: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What of a span is in none of the others.

    >>> _free(1, 10, [(3, 4), (8, 12)])
    [(1, 2), (5, 7)]
    """
    free = [(first, last)]
    for a, b in taken:
        free = [
            piece
            for low, high in free
            for piece in ((low, min(high, a - 1)), (max(low, b + 1), high))
            if piece[0] <= piece[1]
        ]
    return free
