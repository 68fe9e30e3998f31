"""The record's files: where they lie, how they are opened, and what is refused.

SQLite here means: write-ahead log, `synchronous=FULL` (a commit survives a power cut), one writer
connection per file that also does the checkpoints, readers that can only read. Several SQLite
libraries on one file in one process lose data, so nothing else may open these files here.
"""

import glob
import logging
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlalchemy.pool import NullPool

from agent.copying import CopyError, copy_database, told
from agent.ending import CommandError
from agent.openlog import make_way
from agent.schema import CURVES_VERSION, VERSION

if sys.platform == "win32":  # SQLite's own locks must do there
    fcntl = None
else:
    import fcntl

log = logging.getLogger(__name__)

APPLICATION_ID = 0x53505255  # "SPRU": `file record.db` can tell what it is

MOUNTS = Path("/proc/self/mounts")
"""What lies where, on Linux."""

_SAID: dict[Path, str] = {}
"""What writers in this process have to say, by their records' files."""

LOG_PAGES, SCARCE_LOG_PAGES = 2000, 50
"""How long a file's log grows before it is written into the file: usually, and on a full disk."""

BOARD = 2048
"""Bytes of the lock file, for words."""

NETWORK_FILE_SYSTEMS = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs")
"""The write-ahead log needs shared memory between processes, which these do not give."""


NEWEST = {"main": VERSION, "curves": CURVES_VERSION}
"""The schema that this Sprue writes, by branch of its migrations."""


class RecordError(CommandError):
    """The record can't be used; the message says which file, why, and what would be right."""


def is_plant(url: str) -> bool:
    """Whether a record's URL means a plant record, which lies in no file of ours.

    >>> is_plant("postgresql://sprue@db/plant"), is_plant("sqlite:///sprue.db")
    (True, False)
    """
    return url.partition(":")[0] in ("postgresql", "postgres")


def main_path(url: str) -> Path:
    """The main file of a record's URL.

    Raises:
        RecordError: not an URL of a kind that this Sprue stores in.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise RecordError(f"record: {url!r} is not a URL such as sqlite:///sprue.db") from error
    if is_plant(url):
        place = parsed.set(query={}).render_as_string(hide_password=True)
        raise RecordError(
            f"record: {place} is a plant record; this is about an agent's own (sqlite:///FILE)"
        )
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise RecordError(f"record: {url!r} should be sqlite:///FILE (sqlite:////ROOT/FILE)")
    return Path(parsed.database)


def curves_path(main: Path, at: datetime) -> Path:
    """The file that holds the curves of a month beside a main file."""
    return main.with_name(f"{main.stem}-{at.astimezone(UTC):%Y-%m}.curves.db")


def curve_files(main: Path) -> list[Path]:
    """The months' files beside a main file, oldest first."""
    return sorted(main.parent.glob(f"{glob.escape(main.stem)}-????-??.curves.db"))


@contextmanager
def only_writer(path: Path, *, agent: bool = False) -> Iterator[Callable[[str], None]]:
    """Be the one process that writes a record; the lock ends with the process, however it ends.

    It is a file of its own: to open and close the database itself a second time in one process
    would drop SQLite's own locks. What the writer has to say while the disk takes nothing stands in
    it, too: its room is taken at the start.

    Args:
        path: The record's main file.
        agent: Whether we are an agent, which `agent_at` finds.

    Yields:
        Says why nothing can be written, in words for `trouble_of`; nothing where all is well. It
        may wait for a disk that hangs, after this process has been told.

    Raises:
        RecordError: another process holds it, or the folder can't be written to.
    """
    try:
        lock = os.fdopen(os.open(_lock_path(path), os.O_RDWR | os.O_CREAT, 0o644), "r+b", 0)
    except OSError as error:
        raise RecordError(f"record: {path}: {error.strerror}") from error

    def say(words: str) -> None:
        _SAID[path.absolute()] = words
        with suppress(OSError):  # a disk that takes not even this: other processes know nothing
            lock.seek(0)
            lock.write(words.encode()[:BOARD].ljust(BOARD))

    with lock:
        if fcntl is not None:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise RecordError(
                    f"record: another agent writes to {path}; stop it, or give this one a record "
                    "of its own ([record] url)"
                ) from error
        say("")
        with suppress(OSError):
            lock.seek(BOARD)
            lock.write(f"{os.getpid() if agent else 0:<10}".encode())
        try:
            yield say
        finally:
            say("")
            with suppress(OSError):
                lock.seek(BOARD)
                lock.write(f"{0:<10}".encode())
            del _SAID[path.absolute()]


def trouble_of(path: Path) -> str | None:
    """Why a record's writer can't write now, by its own word; None where all is well.

    Where the writer is another process, its word is in a file on the same disk: one that turned
    read-only, or that hangs, may not have taken it.
    """
    if (said := own_trouble(path)) is not None:
        return said or None
    try:
        board = _lock_path(path).read_bytes()[:BOARD]
    except OSError:
        return None
    return board.decode("utf-8", "ignore").strip() or None


def agent_at(path: Path) -> int | None:
    """The process id of the agent that writes a record now; None where none does."""
    if fcntl is None:
        return None
    try:
        with _lock_path(path).open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                process = int(lock.read()[BOARD:] or 0)
                return process if process and _has_open(process, _lock_path(path)) else None
    except (OSError, ValueError):
        return None
    return None


def _has_open(process: int, path: Path) -> bool:
    """Whether a process has a file open: a number from another container is another's here."""
    folder = Path(f"/proc/{process}/fd")
    if not folder.parent.is_dir():
        return not folder.parent.parent.is_dir()  # a system without /proc can't say
    try:
        return any(each.samefile(path) for each in folder.iterdir() if each.exists())
    except PermissionError:
        return True  # another user's; it is refused where it is asked


def own_trouble(path: Path) -> str | None:
    """The same where the writer is in this process, without a look at the disk.

    Returns:
        Empty where all is well; None where no writer of this process has the record.
    """
    return _SAID.get(path.absolute())


def _lock_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def set_aside(path: Path, why: object) -> None:
    """Move a damaged file out of the way, with what lies beside it; nothing of it is deleted."""
    end = f".damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    log.error("%s is damaged and set aside as %s%s: %s", path, path.name, end, why)
    for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with suppress(FileNotFoundError):
            each.rename(each.with_name(f"{each.name}{end}"))


@contextmanager
def writer(path: Path, branch: str) -> Iterator[Connection]:
    """The one connection that writes to a file, which is made or migrated as needed.

    Raises:
        RecordError: the folder is missing, the file is not ours or damaged, or its schema is newer.
    """
    refuse_network(path)
    if not path.parent.is_dir():
        raise RecordError(f"record: the folder {path.parent} of {path.name} does not exist")
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    event.listen(engine, "connect", _tune_writer)
    event.listen(engine, "begin", begin_immediate)
    try:
        with engine.connect() as connection:
            if schema_of(connection) != NEWEST[branch]:
                _update(connection, path, branch)
            connection.rollback()
            yield connection
    except CopyError as error:
        raise RecordError(f"record: no backup before the update: {error}") from error
    except DatabaseError as error:
        raise RecordError(f"record: {told(path, error.orig or error)}") from error
    finally:
        engine.dispose()


def schema_of(connection: Connection) -> str | None:
    """Which migration a file has seen last; None where it holds nothing of ours."""
    tables = text("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'")
    if not connection.execute(tables).scalar():
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _update(connection: Connection, path: Path, branch: str) -> None:
    # A start finds its record as it left it, and need not wait for what changes schemas.
    from agent.migrations import NewerSchemaError, upgrade

    connection.rollback()
    try:
        # A month of curves is large, and its migrations only add tables: it is not copied first.
        before = _keep_old if branch == "main" else _leave
        upgrade(connection, branch, lambda version: before(path, version))
    except NewerSchemaError as error:
        raise RecordError(f"record: {path}: {error}") from error


def _leave(path: Path, version: str) -> None:
    log.info("%s has schema %s; it is updated", path, version)


def _keep_old(path: Path, version: str) -> None:
    """Copy a file as it is before a newer Sprue changes its schema."""
    old = path.with_name(f"{path.stem}.schema-{version}.db")
    log.warning("%s has schema %s; it is copied to %s, then updated", path, version, old.name)
    unfinished = old.with_name(f"{old.name}.unfinished")
    try:
        copy_database(path, unfinished)
        unfinished.replace(old)
    except OSError as error:
        raise CopyError(f"{error.filename}: {error.strerror}") from error


def reader(path: Path) -> Engine:
    """An engine that can only read a file that exists; for other processes and for the pages.

    Raises:
        RecordError: there is no such file.
    """
    if not path.is_file():
        raise RecordError(f"record: there is no {path}; 'sprue run' makes it")
    engine = create_engine(f"sqlite:///{reading_uri(path)}&uri=true", poolclass=NullPool)
    event.listen(engine, "connect", _tune_reader)
    event.listen(engine, "connect", lambda connection, _record: make_way(connection, path))
    return engine


def reading_uri(path: Path) -> str:
    """What SQLite is told to open for one who only reads."""
    still = "&immutable=1" if _is_still(path) else ""
    return f"file:{quote(str(path.absolute()))}?mode=ro{still}"


def _is_still(path: Path) -> bool:
    """Whether nobody can write to a file, whose disk is read-only, and its log is empty.

    SQLite would make a file beside it to read it, and could not.
    """
    if not hasattr(os, "statvfs") or not os.statvfs(path).f_flag & os.ST_RDONLY:
        return False
    log_file = path.with_name(f"{path.name}-wal")
    return not log_file.exists() or not log_file.stat().st_size


def begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: a read that becomes a write would fail where others write."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _tune_writer(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own idea of transactions leaves DDL out; ours begin where we say so.
    connection.isolation_level = None
    connection.execute("PRAGMA page_size=8192")
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if found != APPLICATION_ID and tables:
        raise sqlite3.DatabaseError("this SQLite file is not a record of Sprue's")
    connection.execute("PRAGMA journal_mode=WAL")
    if found != APPLICATION_ID:
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    for pragma in (
        "synchronous=FULL",
        "busy_timeout=60000",
        "cache_size=-65536",
        f"wal_autocheckpoint={LOG_PAGES}",
        "journal_size_limit=67108864",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _tune_reader(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA query_only=1")
    connection.execute("PRAGMA busy_timeout=5000")


def refuse_network(path: Path) -> None:
    """Refuse a place where SQLite's log does not work.

    Raises:
        RecordError: the folder lies on a network file system.
    """
    if not MOUNTS.exists():
        return
    target = path.absolute().parent.resolve()
    best, kind = Path("/"), ""
    for line in MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines():
        _device, where, file_system, *_rest = line.split(" ")
        place = Path(where.encode().decode("unicode_escape"))
        if target.is_relative_to(place) and len(place.parts) >= len(best.parts):
            best, kind = place, file_system
    if kind in NETWORK_FILE_SYSTEMS:
        raise RecordError(
            f"record: {path} lies on a network file system ({kind} at {best}); "
            "SQLite's log does not work there: choose a folder on a local disk"
        )
