"""The hash chain: every commit's rows, digested, in a row that names the one before it.

What was written once can't be changed afterwards without `sprue verify` (`agent/verifying.py`)
telling which row it was. A digest is over a row's values by their columns' names, with nulls left
out, so that a column that comes with a later schema changes no digest of an older row.
"""

import hashlib
import json
import sqlite3
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

BATCH_ROWS = 5000
"""Rows of a table in one row of the chain, at most; an old record is taken in by such batches."""

DIGEST_BYTES = 16
"""128 bits: nobody finds another row with the digest of a given one."""

_CURVE = struct.Struct("<IIq")

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """A table that the chain covers."""

    name: str
    key: str = "id"
    order: str = "id"
    """Rises with every row, and with every change of one where rows may change."""


CYCLE = Covered(name="cycle")
"""Its rows may lie in files that they were moved to."""

LEDGER = Covered(name="ledger", order="changed")
"""Its rows grow; only what each was at its last change can be compared."""

COVERED = (
    CYCLE,
    *(
        Covered(name=name)
        for name in (
            "audit",
            "anomaly_action",
            "attribution",
            "adjustment",
            "mold_revision",
            "mount_entry",
            "service",
            "mute",
            "sheet_limit",
            "golden",
            "context",
            "archive_file",
            "curves_retired",
            "hold",
        )
    ),
    Covered(name="archive_retired", key="file_id", order="audit_id"),
    Covered(name="hold_release", key="hold_id", order="audit_id"),
    Covered(name="unmute", key="mute_id", order="audit_id"),
    LEDGER,
)
"""All others only get rows, and never change one."""


def cover(connection: Connection, *, found: bool = False) -> None:
    """Take into the chain all covered rows that are not in it yet.

    Args:
        connection: Within the transaction that wrote them.
        found: These rows came by no transaction of Sprue's; they stay marked as that. What lies in
            a record without a chain is its beginning, and not marked.
    """
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    with text_as_bytes(raw):
        head = raw.execute(
            "SELECT id, hash, reached FROM chain ORDER BY id DESC LIMIT 1"
        ).fetchone()
        number, previous, reached = head or (0, b"", b"{}")
        marked = found and head is not None
        at: dict[str, int] = json.loads(reached)
        previous = previous.decode()
        while rows := _take(raw, at):
            number += 1
            body = json.dumps({"found": marked, "rows": rows}, separators=(",", ":"))
            link = (number, time.time_ns(), previous, json.dumps(at, sort_keys=True), body)
            previous = link_hash(link)
            raw.execute("INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?)", (*link, previous))


def _take(raw: sqlite3.Connection, at: dict[str, int]) -> dict[str, list[tuple[int, str]]]:
    """What comes after what is reached, by table; and that is reached then."""
    taken = {}
    for table in COVERED:
        cursor = raw.execute(
            f"SELECT * FROM {table.name} WHERE {table.order} > ? "
            f"ORDER BY {table.order} LIMIT {BATCH_ROWS}",
            (at.get(table.name, -1),),
        )
        if rows := cursor.fetchall():
            names = [each[0] for each in cursor.description]
            digest = digester(table.name, tuple(names))
            key, order = names.index(table.key), names.index(table.order)
            taken[table.name] = [(row[key], digest(row)) for row in rows]
            at[table.name] = rows[-1][order]
    return taken


def curves_digest(rows: Iterable[tuple[str, int, bytes]]) -> str:
    """What a cycle's row says of its curves, which so are in the chain without being in its file.

    BLAKE2b over each curve, by signal: the lengths of signal and bytes, 4 bytes each, its start,
    8 bytes, all little-endian; the signal; the bytes.

    Args:
        rows: Signal, start in ns and encoded bytes.
    """
    found = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for signal, started_ns, data in sorted(rows):
        name = signal.encode()
        found.update(_CURVE.pack(len(name), len(data), started_ns) + name + data)
    return found.hexdigest()


def link_hash(link: Sequence[object]) -> str:
    """The hash of a row of the chain: of its id, time, previous hash, what is reached and body."""
    return hashlib.sha256("\n".join(map(str, link)).encode()).hexdigest()


@contextmanager
def text_as_bytes(raw: sqlite3.Connection) -> Iterator[None]:
    """Read texts as the bytes that lie in the file, whether or not they are valid UTF-8."""
    before, raw.text_factory = raw.text_factory, bytes
    try:
        yield
    finally:
        raw.text_factory = before


def digester(table: str, names: tuple[str, ...]) -> Callable[[Row], str]:
    """What digests a table's rows.

    A digest is BLAKE2b over the SHA-256 of table, names and types of the values that are not
    null, sorted by name; the numbers in that order as 8 bytes each, little-endian, signed or IEEE
    754; the lengths of the texts as 4 bytes each; the texts.

    Args:
        table: Its name.
        names: Of the columns, in the order of the rows' values.
    """
    shapes: dict[tuple[type, ...], Callable[[Row], bytes]] = {}

    def digest(row: Row) -> str:
        types = tuple(map(type, row))
        shape = shapes.get(types)
        if shape is None:
            shape = shapes[types] = _shape(table, names, types)
        return hashlib.blake2b(shape(row), digest_size=DIGEST_BYTES).hexdigest()

    return digest


@cache
def _shape(table: str, names: tuple[str, ...], types: tuple[type, ...]) -> Callable[[Row], bytes]:
    places = sorted(
        (i for i, kind in enumerate(types) if kind is not type(None)), key=names.__getitem__
    )
    head = ",".join([table, *(f"{names[i]}:{types[i].__name__}" for i in places)])
    prefix = hashlib.sha256(head.encode()).digest()
    texts = [i for i in places if types[i] is bytes]
    numbers = [i for i in places if types[i] is not bytes]
    pack = struct.Struct("<" + "".join("q" if types[i] is int else "d" for i in numbers)).pack
    lengths = struct.Struct(f"<{len(texts)}I").pack
    all_numbers, all_texts = _several(numbers), _several(texts)

    def shape(row: Row) -> bytes:
        words = all_texts(row)
        return b"".join((prefix, pack(*all_numbers(row)), lengths(*map(len, words)), *words))

    return shape


def _several(places: list[int]) -> Callable[[Row], Row]:
    """Always a tuple, which `itemgetter` gives for two and more only."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: tuple(row[i] for i in places)
