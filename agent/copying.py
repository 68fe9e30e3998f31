"""Copies of SQLite files, checked by reading all of them; and what SQLite says, in words.

Only SQLite itself ever opens the file that is copied: any other opening in the agent's process
would drop the locks that keep the record whole.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
PASSING = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
)


class CopyError(Exception):
    """A file can't be copied, or is not sound; the message names it and says what was found."""


def copy_database(source: Path, target: Path) -> None:
    """Copy one SQLite file as it is at one moment, whoever writes to it meanwhile, and check it.

    Raises:
        CopyError: it can't be read, or the copy is not sound.
        FileNotFoundError: there is no such file.
    """
    if not source.is_file():
        raise FileNotFoundError(source)
    target.unlink(missing_ok=True)
    name = quote(str(source.absolute()))
    try:
        with closing(sqlite3.connect(f"file:{name}?mode=ro", uri=True)) as reading:
            reading.execute("PRAGMA busy_timeout=10000")
            with closing(sqlite3.connect(target)) as writing:
                # In one go: step by step it begins anew at every commit of the agent.
                reading.backup(writing, pages=-1)
                writing.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
    except sqlite3.DatabaseError as error:
        target.unlink(missing_ok=True)
        raise CopyError(told(source, error)) from error
    check(target)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def check(path: Path) -> None:
    """Read all of a SQLite file that nobody else uses.

    Raises:
        CopyError: it is damaged.
    """
    try:
        with closing(open_alone(path)) as database:
            found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise CopyError(told(path, error)) from error
    if found != "ok":
        raise CopyError(f"{path} is damaged: {found}")


def open_alone(path: Path) -> sqlite3.Connection:
    """Open a file that nobody writes to, for reading; nothing is made beside it."""
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True)


def is_damaged(error: BaseException | None) -> bool:
    """Whether SQLite found the file itself broken."""
    return _code(error) in DAMAGED


def may_pass(error: BaseException | None) -> bool:
    """Whether a write failed for the disk's sake: full, read-only, unplugged, busy."""
    return _code(error) in PASSING


def is_full(error: BaseException | None) -> bool:
    """Whether a write failed because there is no room."""
    return _code(error) == sqlite3.SQLITE_FULL


def _code(error: BaseException | None) -> int | None:
    """SQLite's own number for what happened, whatever it was wrapped in."""
    while error is not None:
        found = getattr(getattr(error, "orig", None) or error, "sqlite_errorcode", None)
        if found is not None:
            return int(found) & 0xFF
        error = error.__cause__
    return None


def told(path: Path, error: BaseException) -> str:
    """What SQLite says of a file, for a person."""
    if is_damaged(error):
        return (
            f"{path} is damaged ({error}): put the newest backup in its place with "
            "'sprue restore', after moving it away; keep it, most of it can be read still"
        )
    if str(error) == "interrupted":
        return (
            f"{path}: reading was cut off after a minute: its log could not be emptied meanwhile, "
            "and had grown too long; ask for less at once"
        )
    return f"{path}: {error}"
