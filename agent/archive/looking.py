"""A look into the main file, and being the only one at work on an archive."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from agent.copying import told
from agent.files import RecordError, reader
from agent.history import refuse_other_version

if sys.platform == "win32":  # two at a time there would fail on each other's files
    fcntl = None
else:
    import fcntl


@contextmanager
def looking(main: Path) -> Iterator[Connection]:
    """A connection that can only read, and sees the record as it is at one moment.

    Raises:
        RecordError: there is no such record, it is another version's, or it can't be read.
    """
    engine = reader(main)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            refuse_other_version(connection, main)
            yield connection
    except DatabaseError as error:
        raise RecordError(f"record: {told(main, error.orig or error)}") from error
    finally:
        engine.dispose()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only one who changes an archive; the lock ends with the process, however it ends.

    Raises:
        RecordError: another process does.
    """
    with (folder / ".lock").open("wb") as lock:
        if fcntl is not None:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise RecordError(
                    f"record: another 'sprue compact' or 'sprue retention' is at work on {folder}"
                ) from error
        yield
