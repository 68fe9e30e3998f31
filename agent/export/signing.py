"""Signing an export off: who, when and what for, as a row of the audit log that names its hash."""

import hashlib
import json
from pathlib import Path

from sqlalchemy import Connection, select

from agent.audit import Author, note
from agent.export.error import ExportError
from agent.export.proof import SIGNED, verify_file
from agent.export.writing import beside_of
from agent.schema import audit
from agent.users.people import checked, find_person, is_anybody

MEANING_MOST = 200
SIGNERS = ("qa", "admin")
"""Roles that may sign, where people log in."""


def prove(path: Path, url: str) -> str:
    """Refuse to sign what is not as it was written; the SHA-256 of its manifest.

    Raises:
        ExportError: it differs, or the record knows of no such export.
    """
    proof = verify_file(path, url)
    if proof.differences:
        raise ExportError("\n".join([*proof.differences, "nothing was signed"]))
    manifest = path if path.name.endswith(".manifest.json") else beside_of(path)
    return hashlib.sha256(manifest.read_bytes()).hexdigest()


def needs_password(connection: Connection) -> bool:
    """Whether people log in here, so that a name alone is no signature."""
    return is_anybody(connection)


def sign(
    connection: Connection,
    author: Author,
    path: Path,
    digest: str,
    meaning: str,
    *,
    password: str | None = None,
    corrects: int | None = None,
) -> int:
    """Sign an export; the number of the row in the audit log.

    Args:
        connection: Of `agent.audit.change`.
        author: Who.
        path: The exported file, or its manifest.
        digest: Of its manifest, by `prove`.
        meaning: What the signature says: `reviewed`, `released`, ...
        password: Theirs, where people log in.
        corrects: The row of a signature in whose place this one is; that one stays.

    Raises:
        ExportError: who signs may not, the password is wrong, or what it corrects is no signature.
    """
    meaning = meaning.strip()
    if not meaning or len(meaning) > MEANING_MOST or not meaning.isprintable():
        raise ExportError(f"say in 1 to {MEANING_MOST} characters what the signature means")
    if is_anybody(connection):
        person = find_person(connection, author.who)
        if person.role not in SIGNERS:
            raise ExportError(f"{author.who} is {person.role}: {' or '.join(SIGNERS)} may sign")
        if checked(connection, author.who, password or "") is None:
            raise ExportError(f"that is not {author.who}'s password: nothing was signed")
    name = beside_of(path).name if not path.name.endswith(".manifest.json") else path.name
    said = {"meaning": meaning, "manifest": {"name": name, "sha256": digest}}
    if corrects is not None:
        _is_signature(connection, corrects, digest)
    new = said if corrects is None else said | {"corrects": corrects}
    subject = name.removesuffix(".manifest.json")
    return note(connection, author, SIGNED, "export", subject, new=new)


def _is_signature(connection: Connection, number: int, digest: str) -> None:
    query = select(audit.c.new).where(audit.c.id == number, audit.c.action == SIGNED)
    new = connection.execute(query).scalar()
    if new is None or json.loads(new)["manifest"]["sha256"] != digest:
        raise ExportError(f"row {number} of the audit log is no signature of this export")
