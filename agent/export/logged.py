"""Exports that were made, as the audit log tells: to find again, and to prove a file by."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, select

from agent.rows import from_ns
from agent.schema import audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """One export that was written whole."""

    number: int
    """Of its row in the audit log."""
    name: str
    form: str
    rows: int
    sha256: str
    manifest_name: str
    manifest_sha256: str
    at: datetime
    who: str


def exports(connection: Connection, *, newest: int) -> list[Exported]:
    """The newest exports, newest first; whoever made them, by page or by command."""
    return _all(connection, _logged().limit(newest))


def exported_as(connection: Connection, sha256: str) -> Sequence[Exported]:
    """Exports whose file, or whose manifest, has this digest; newest first.

    Files that hold the same rows are the same bytes, so that there may be several.
    """
    digest = sha256.strip().lower()
    # The digest stands in the row's JSON, and nowhere else would 64 such letters stand by chance.
    found = _all(connection, _logged().where(audit.c.new.contains(digest, autoescape=True)))
    return [each for each in found if digest in (each.sha256, each.manifest_sha256)]


def digest_of(path: Path) -> str:
    """SHA-256 of a file, as the log has it.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _logged() -> Select[Any]:
    return select(audit).where(audit.c.kind == "export").order_by(audit.c.id.desc())


def _all(connection: Connection, query: Select[Any]) -> list[Exported]:
    found = []
    for row in connection.execute(query).mappings():
        said = json.loads(row["new"])
        found.append(
            Exported(
                number=row["id"],
                name=row["subject"],
                form=said["format"],
                rows=said["rows"],
                sha256=said["sha256"],
                manifest_name=said["manifest"]["name"],
                manifest_sha256=said["manifest"]["sha256"],
                at=from_ns(row["at_ns"]),
                who=row["who"],
            )
        )
    return found
