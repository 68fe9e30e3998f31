"""One export from the survey to the audit row: whole under its name, or not there at all."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from agent.audit import Author, change, note
from agent.export.content import Content, content
from agent.export.csvfile import write_csv
from agent.export.curvepages import open_curves
from agent.export.error import ExportError
from agent.export.jsonlines import write_json_lines
from agent.export.manifest import Written, manifest, query
from agent.export.seal import BY_LINES, digests_of
from agent.export.signature import private_key, signature_of
from agent.export.survey import Survey
from agent.export.table import Table, table
from agent.history import Filter, History
from agent.schema import audit, chain, identity

FORMATS = ("csv", "jsonl", "parquet", "xlsx", "dfq", "pdf")
"""What `Order.form` may be; each is the ending of its files, too."""


EXPORTED = "exported"
"""Action in the audit log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody wants."""

    form: str
    folder: Path
    """Made if it is missing."""
    zone: ZoneInfo
    """That people's times are in."""
    author: Author
    units: bool = False
    """CSV: a second row, of units."""
    curves: bool = False
    """Parquet: curves, too."""
    site: str = ""
    """Where the presses are."""
    key: Path | None = None
    """That the manifest is signed with, in a file of its own beside it."""


def export(
    history: History,
    url: str,
    survey: Survey,
    order: Order,
    progress: Callable[[int], None] = lambda n: None,
) -> Path:
    """Write what was surveyed, its manifest beside it, and who did it into the record's audit log.

    Memory does not grow with the number of rows. The file takes its name, and the audit row is
    kept, when all of it is on the disk; otherwise nothing of it is there.

    Args:
        history: The record as it was surveyed: `History.held`.
        url: Of the record.
        survey: What is exported.
        order: How.
        progress: Told how many rows are written. What it raises ends the export.

    Returns:
        The file; its manifest has the same name with `.manifest.json` after it.

    Raises:
        ExportError: nothing matches, or the folder can't be written to.
        RecordError: the record can't take the audit row.
    """
    if not history.is_held:
        raise ValueError("what is exported is one instant's: History.held")
    if not survey.rows:
        raise ExportError("no cycle in the record matches: nothing was written")
    signed = private_key(order.key) if order.key is not None else None
    wanted = table(history, survey)
    path = order.folder / f"{name_of(survey.wanted)}.{order.form}"
    try:
        order.folder.mkdir(parents=True, exist_ok=True)
        with part_of(path) as part, part_of(beside_of(path)) as beside:
            rows = write_rows(wanted, url, part, order, progress)
            to_disk(part)
            written = Written.of(part, path.name)
            lines = digests_of(part) if order.form in BY_LINES else ""
            said = content(wanted, order.zone, order.site)
            with change(url) as connection:
                text = _manifest(connection, wanted, written, rows, said, order, lines)
                beside.write_text(text, encoding="utf-8")
                to_disk(beside)
                _log(connection, survey.wanted, written, rows, order, text)
                signature = signature_of(beside_of(path))
                signature.unlink(missing_ok=True)
                if signed is not None:
                    signature.write_bytes(signed.sign(text.encode()))
                    to_disk(signature)
                part.replace(path)
                beside.replace(beside_of(path))
    except OSError as error:
        raise ExportError(f"{path}: can't be written: {error.strerror or error}") from error
    return path


def write_rows(
    wanted: Table,
    url: str,
    part: Path,
    order: Order,
    progress: Callable[[int], None] = lambda n: None,
) -> int:
    """Write a table's file alone, under any name; how many rows it has."""
    match order.form:
        case "jsonl":
            return write_json_lines(wanted, part, progress=progress)
        case "parquet":
            with _extra(), open_curves(url) as curves:
                from agent.export.parquetfile import write_parquet

                wanted_curves = curves if order.curves else None
                return write_parquet(wanted, part, curves=wanted_curves, progress=progress)
        case "pdf":
            with _extra():
                from agent.export.pdffile import write_pdf

                return write_pdf(wanted, part, zone=order.zone, site=order.site, progress=progress)
        case "dfq":
            from agent.export.dfqfile import write_dfq

            return write_dfq(wanted, part, zone=order.zone, progress=progress)
        case "xlsx":
            with _extra():
                from agent.export.xlsxfile import write_xlsx

                return write_xlsx(wanted, part, zone=order.zone, site=order.site, progress=progress)
        case _:
            return write_csv(wanted, part, zone=order.zone, units=order.units, progress=progress)


@contextlib.contextmanager
def _extra() -> Iterator[None]:
    """Say which libraries are missing, rather than that a module is."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ExportError(
            f"{error.name} is not installed: 'make records', or install sprue[records]"
        ) from error


def _manifest(
    connection: Connection,
    wanted: Table,
    written: Written,
    rows: int,
    said: Content,
    order: Order,
    lines: str,
) -> str:
    who = select(identity.c.value).where(identity.c.name == "agent")
    return manifest(
        [written],
        form=order.form,
        rows=rows,
        content=said.to_json(),
        chain=_head(wanted.history),
        wanted=wanted.survey.wanted,
        covered=wanted.survey.coverage,
        columns=wanted.columns,
        zone=order.zone,
        author=order.author,
        agent=connection.execute(who).scalar() or "",
        previous=previous_export(connection),
        lines=lines,
    )


def previous_export(connection: Connection) -> dict[str, Any] | None:
    """Name and SHA-256 of the manifest of the export before, whatever of."""
    newest = (
        select(audit.c.new)
        .where(audit.c.kind == "export", audit.c.action == EXPORTED)
        .order_by(audit.c.id.desc())
        .limit(1)
    )
    before = connection.execute(newest).scalar()
    found: dict[str, Any] | None = json.loads(before)["manifest"] if before else None
    return found


def _head(history: History) -> dict[str, Any]:
    """The newest row of the hash chain when the rows were read."""
    query = select(chain.c.id, chain.c.hash).order_by(chain.c.id.desc()).limit(1)
    with history.connect() as connection:
        row = connection.execute(query).first()
    return {"commit": row.id, "hash": row.hash} if row else {}


def _log(
    connection: Connection, wanted: Filter, written: Written, rows: int, order: Order, text: str
) -> None:
    said: dict[str, Any] = {
        "format": order.form,
        "rows": rows,
        "query": query(wanted),
        "sha256": written.sha256,
        "manifest": {
            "name": f"{written.name}.manifest.json",
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        },
    }
    note(connection, order.author, EXPORTED, "export", written.name, new=said)


@contextlib.contextmanager
def part_of(path: Path) -> Iterator[Path]:
    """A name for a file while it is not whole; whatever happens, nothing stays under it."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def beside_of(path: Path) -> Path:
    """The manifest of a file."""
    return path.with_name(f"{path.name}.manifest.json")


def to_disk(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def name_of(wanted: Filter) -> str:
    """What an export of a selection is called, without its ending.

    >>> name_of(Filter(mold="A/1", counters=(200, 260)))
    'sprue-A_1-shots-200-260'
    """
    parts = [
        "sprue",
        wanted.machine,
        wanted.mold,
        wanted.revision,
        wanted.job,
        f"lot-{wanted.lot}" if wanted.lot else None,
        f"box-{wanted.box}" if wanted.box else None,
        f"part-{wanted.part_id}" if wanted.part_id else None,
        wanted.state,
        f"segment-{wanted.segment}" if wanted.segment is not None else None,
        "shots-{}-{}".format(*wanted.counters) if wanted.counters else None,
        _day(wanted.since),
        _day(wanted.until),
    ]
    words = [part[:50] for part in parts if part]
    return "-".join("".join(c if c.isalnum() or c in "._-" else "_" for c in w) for w in words)


def _day(at: datetime | None) -> str | None:
    return at.strftime("%Y%m%dT%H%M%SZ") if at else None
