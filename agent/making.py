"""A record made for what people enter before any agent has run.

A plant's molds are known before its first machine is connected. What is entered first makes the
record; `sprue run` finds it and goes on with it.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

from agent.audit import change
from agent.batch import MachineRow
from agent.files import RecordError, is_plant, main_path, only_writer, refuse_network, writer


@contextmanager
def change_or_make(
    url: str, machines: Iterable[MachineRow] = (), *, keep: bool = True
) -> Iterator[Connection]:
    """One transaction as `agent.audit.change` gives it, on a record that need not exist yet.

    A new record appears under its name when the transaction has succeeded, and not at all where it
    fails.

    Args:
        url: Of the record.
        machines: Known from the start in a new one, so that molds can be mounted on them.
        keep: Whether a new one is to stay; False to try something out.

    Raises:
        RecordError: it can't be used or made, or an agent is making it right now.
    """
    if is_plant(url):
        with change(url) as connection:
            yield connection
            if not keep:
                connection.rollback()
        return
    path = main_path(url)
    with ExitStack() as files:
        if not path.is_file() and keep:
            refuse_network(path)
            if not path.parent.is_dir():
                raise RecordError(f"record: the folder {path.parent} of {path.name} does not exist")
            files.enter_context(only_writer(path))
        if path.is_file():  # it may have been made while we waited for the lock
            files.close()
            yield files.enter_context(change(url))
            return
        beside = path.parent if keep else None
        try:
            folder = files.enter_context(TemporaryDirectory(prefix="sprue-new-", dir=beside))
        except OSError as error:
            raise RecordError(f"record: {path}: {error.strerror}") from error
        new = Path(folder) / path.name
        from agent.writing import (
            Writing,  # with its libraries, which a record that stands needs not
        )

        with writer(new, "main") as main:
            Writing(main, new, ExitStack()).register(machines, (), datetime.now(UTC))
        with change(f"sqlite:///{new}") as connection:
            yield connection
        if keep:
            try:
                new.replace(path)
            except OSError as error:
                raise RecordError(f"record: {path}: {error.strerror}") from error
