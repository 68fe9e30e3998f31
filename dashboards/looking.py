"""The one question that every request asks: who is it? On a connection that stays.

To open the record's file anew costs three times what the question does. What was answered a moment
ago is answered again while nobody else has written to the file, so that who is logged out, or whose
token is revoked, by whomever, is out with their next request.
"""

from collections.abc import Callable, Hashable
from contextlib import ExitStack
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from agent.files import RecordError, is_plant, main_path
from agent.history import History, open_history

T = TypeVar("T")

GOOD_FOR = timedelta(seconds=1)
"""How long an answer holds that also depends on the time."""

KNOWN_MOST = 1000

Question = Callable[[Connection, datetime], T]


class Looker:
    """Asks one record; made once, and used by all requests."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._path = None if is_plant(url) else main_path(url)
        self._one_by_one = Lock()
        self._kept = ExitStack()
        self._history: History | None = None
        self._connection: Connection | None = None
        self._file: tuple[int, int] | None = None
        self._version: object = None
        self._known: dict[Hashable, tuple[datetime, Any]] = {}

    def ask(self, key: Hashable, question: Question[T], now: datetime) -> T:
        """Ask, or give the answer to the same question.

        Args:
            key: What distinguishes the question from others.
            question: Asks, on a connection that can only read.
            now: UTC.

        Raises:
            RecordError: the record can't be read.
        """
        try:
            if self._path is None:
                with self._reader().connect() as connection:
                    return question(connection, now)
            with self._one_by_one:
                return self._asked(key, question, now)
        except (DatabaseError, OSError) as error:
            with self._one_by_one:
                self._forget()
            raise RecordError(f"record: {getattr(error, 'orig', None) or error}") from error

    def _asked(self, key: Hashable, question: Question[T], now: datetime) -> T:
        connection = self._standing()
        version = connection.exec_driver_sql("PRAGMA data_version").scalar()
        if version != self._version or len(self._known) >= KNOWN_MOST:
            self._known.clear()
            self._version = version
        at, answer = self._known.get(key, (None, None))
        if at is None or not timedelta() <= now - at < GOOD_FOR:
            answer = question(connection, now)
            self._known[key] = (now, answer)
        connection.rollback()
        return cast(T, answer)

    def _standing(self) -> Connection:
        """A connection to the file that lies there now; another one may have been restored."""
        assert self._path is not None
        status = self._path.stat()
        file = (status.st_dev, status.st_ino)
        if self._connection is None or file != self._file:
            self._forget()
            self._connection = self._kept.enter_context(self._reader().connect())
            self._file = file
        return self._connection

    def _reader(self) -> History:
        if self._history is None:
            with ExitStack() as kept:
                self._history = kept.enter_context(open_history(self._url))
                self._kept = kept.pop_all()  # as long as we are, or until it fails
        return self._history

    def _forget(self) -> None:
        self._history = self._connection = None
        self._known.clear()
        self._kept.close()
