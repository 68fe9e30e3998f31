"""The manifest beside an export: what the file is, by whom and when, so that it can be proved."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from agent.audit import Author
from agent.export.coverage import Coverage
from agent.export.seal import sealed
from agent.export.table import Column
from agent.history import Filter
from agent.schema import VERSION

FORMAT = 2
"""Of the manifest itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file that is whole."""

    name: str
    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path, name: str) -> "Written":
        """Read a file once more, from the disk.

        Args:
            path: Where it is now.
            name: What it is going to be called.
        """
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(name=name, bytes=path.stat().st_size, sha256=digest)


def manifest(
    written: Sequence[Written],
    *,
    form: str,
    rows: int,
    content: Mapping[str, Any],
    chain: Mapping[str, Any],
    wanted: Filter,
    covered: Sequence[Coverage],
    columns: Sequence[Column],
    zone: ZoneInfo,
    author: Author,
    agent: str,
    previous: Mapping[str, Any] | None,
    lines: str = "",
) -> str:
    """The manifest's text, JSON, sealed.

    Args:
        written: The files.
        form: Their format.
        rows: How many cycles.
        content: Header, summary, limits and events; `agent.export.content`.
        chain: How far the record's hash chain was when it was read.
        wanted: The selection.
        covered: What it covers, by machine.
        columns: Of the table.
        zone: Of times that people read in it.
        author: Who exported, when.
        agent: Who counts in this record.
        previous: Name and SHA-256 of the manifest of the export before; None for the first.
        lines: Digests of the file's lines, where it has some.
    """
    body: dict[str, Any] = {
        "manifest": FORMAT,
        "format": form,
        "files": [asdict(each) for each in written],
        "rows": rows,
        "query": query(wanted),
        "timezone": zone.key,
        "coverage": [said(each) for each in covered],
        "columns": [
            {"name": each.name, "type": each.type.value, "unit": each.unit} for each in columns
        ],
        "record": {"agent": agent, "schema": VERSION},
        "software": software(),
        "by": author.who,
        "at": author.at.isoformat(),
        "chain": chain,
        "previous": previous,
        **content,
    }
    if lines:
        body["lines"] = lines
    return sealed(json.dumps(body, indent=1, ensure_ascii=False) + "\n")


def software() -> str:
    """What wrote it."""
    return f"sprue {version('sprue')}"


def query(wanted: Filter) -> dict[str, Any]:
    """A selection as JSON values; what does not matter is left out."""
    values = {
        "machine": wanted.machine,
        "mold": wanted.mold,
        "revision": wanted.revision,
        "job": wanted.job,
        "lot": wanted.lot,
        "box": wanted.box,
        "part_id": wanted.part_id,
        "state": wanted.state,
        "segment": wanted.segment,
        "shots": list(wanted.counters) if wanted.counters else None,
        "since": wanted.since.isoformat() if wanted.since else None,
        "until": wanted.until.isoformat() if wanted.until else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def said(covered: Coverage) -> dict[str, Any]:
    """What is covered of a machine as JSON values."""
    return {
        "machine": covered.machine,
        "since": covered.since.isoformat(),
        "until": covered.until.isoformat(),
        "cycles": covered.cycles,
        "shots": covered.shots,
        "unobserved": covered.unobserved,
        "unobserved_at_edges": covered.unobserved_at_edges,
        "blind_s": round(covered.blind_s, 3),
        "blind": [[since.isoformat(), until.isoformat()] for since, until in covered.blind],
    }
