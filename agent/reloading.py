"""A configuration taken in while the agent runs: whole, or not at all, and on the record."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

from sqlalchemy import Connection, select

from agent.audit import Author, note
from agent.config import Loaded, load
from agent.difference import Difference, difference
from agent.ending import CommandError
from agent.record import Record
from agent.schema import audit

log = logging.getLogger(__name__)

ACTION, REFUSED, KIND = "reload", "refuse", "configuration"
"""What the audit log says."""


async def reload_when_asked(
    asked: asyncio.Event,
    loaded: Loaded,
    take: Callable[[Loaded, Difference], Awaitable[None]],
    record: Record,
    clock: Callable[[], datetime],
) -> NoReturn:
    """Read the configuration anew whenever somebody asks for it, until cancelled.

    A file that is wrong, or that changes what is taken at a start only, changes nothing.

    Args:
        asked: Set by whoever asks.
        loaded: What is in force.
        take: Puts another one in force.
        record: Keeps what was done.
        clock: Our clock.
    """
    while True:
        await asked.wait()
        asked.clear()
        path = loaded.path
        digest = digest_of(path)
        try:
            new = await asyncio.to_thread(load, path)
            found = difference(loaded, new)
            _refuse(path, found, record)
            if found:
                await take(new, found)
        except CommandError as error:
            await _tell(record, clock(), path, digest, REFUSED, str(error).splitlines())
            continue
        loaded = new
        await _tell(record, clock(), path, digest, ACTION, found.sentences())


def _refuse(path: Path, found: Difference, record: Record) -> None:
    """Refuse what can't be done while the agent runs.

    Raises:
        CommandError: what, and why.
    """
    if found.fixed:
        raise CommandError(f"{path}: takes a new start of the agent: {', '.join(found.fixed)}")
    if trouble := record.trouble:
        raise CommandError(f"{path}: not while the record takes nothing: {trouble}")


def digest_of(path: Path) -> str:
    """By which two readings of a file are known to be of the same text."""
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


async def _tell(
    record: Record, at: datetime, path: Path, digest: str, action: str, sentences: list[str]
) -> None:
    """Log it, and write it into the audit log, where `sprue reload` looks for it."""
    level = logging.ERROR if action == REFUSED else logging.INFO
    head = "the old configuration stays" if action == REFUSED else "configuration"
    for sentence in sentences:
        log.log(level, "%s: %s", head, sentence)
    author = Author(who="sprue run", origin="signal", at=at)
    subject, new = str(path.absolute()), {"said": sentences, "sha256": digest}

    def write(connection: Connection) -> None:
        note(connection, author, action, KIND, subject, new=new)

    await (await record.change(write))


@dataclass(frozen=True, slots=True)
class Told:
    """What an agent said of the configuration that it was to take in."""

    audit: int
    """Number of the audit row."""
    taken: bool
    path: str
    digest: str
    sentences: tuple[str, ...]

    def is_about(self, path: Path, digest: str) -> bool:
        """Whether it answers to a file as it was; an agent of another file answers to its own."""
        return self.digest == digest or self.path != str(path)


def last_told(connection: Connection) -> Told | None:
    """What was said last; None where nobody ever asked."""
    query = select(audit).where(audit.c.kind == KIND).order_by(audit.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    if row is None:
        return None
    new = json.loads(row.new)
    return Told(row.id, row.action == ACTION, row.subject, new["sha256"], tuple(new["said"]))
