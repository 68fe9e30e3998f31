"""Where a plant record is, how it is connected to, and what its server's errors mean to people."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from agent.files import RecordError

CONNECT_S = 5

MISSING = "psycopg is not installed: 'make postgresql', or install sprue[postgresql]"

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A database, with what proves both sides to each other.

    A password comes from the environment (`PGPASSWORD`), from a closed file (`~/.pgpass`, or what
    `PGPASSFILE` names), or from where the configuration says; never from the address.
    """

    url: URL
    password: str | None = None
    ca: str | None = None
    tls: str | None = None
    """libpq's `sslmode`; None: certificates are checked, except on this computer."""

    def __repr__(self) -> str:  # an address is shown in tracebacks; its password is not
        return f"Address({self.place})"

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return self.url.set(query={}).render_as_string(hide_password=True)

    @property
    def parameters(self) -> dict[str, Any]:
        """What libpq is told beside the address."""
        found: dict[str, Any] = {
            "application_name": "sprue",
            "connect_timeout": CONNECT_S,
            "prepare_threshold": None,  # poolers between us and the server know none
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        }
        if self.password is not None:
            found["password"] = self.password
        if (mode := self._mode()) is not None:
            found["sslmode"] = mode
            if mode.startswith("verify") and "sslrootcert" not in self.url.query:
                found["sslrootcert"] = self.ca or "system"
        return found

    def engine(self, *, options: Mapping[str, Any] | None = None) -> Engine:
        """Connects when it is used.

        Raises:
            RecordError: the library for it is not installed.
        """
        try:
            return create_engine(
                self.url.set(drivername="postgresql+psycopg"),
                poolclass=NullPool,
                connect_args=self.parameters,
                execution_options=dict(options or {}),
            )
        except ImportError as error:
            raise RecordError(f"record: {self.place}: {MISSING}") from error

    def _mode(self) -> str | None:
        if self.tls is not None:
            return self.tls
        host = self.url.host or self.url.query.get("host") or os.environ.get("PGHOST") or ""
        near = not host or host in LOOPBACK or str(host).startswith("/")
        if near or "sslmode" in self.url.query or "PGSSLMODE" in os.environ:
            return None
        return "verify-full"


def address_of(url: str) -> Address:
    """The address behind an URL such as `postgresql://sprue@db.example:5432/plant`.

    Raises:
        RecordError: it is none, or a password stands in it.
    """
    try:
        parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    except (ArgumentError, ValueError) as error:
        raise RecordError("record: should be like postgresql://USER@HOST:5432/DATABASE") from error
    if parsed.drivername != "postgresql" or not parsed.database:
        raise RecordError("record: should be like postgresql://USER@HOST:5432/DATABASE")
    if parsed.password is not None or "password" in parsed.query:
        raise RecordError(
            "record: the address should hold no password, which others could read; set PGPASSWORD, "
            "or write it into ~/.pgpass"
        )
    return Address(url=parsed)


@contextmanager
def telling(address: Address) -> Iterator[None]:
    """What goes wrong with the server, as a sentence.

    Raises:
        RecordError: instead of what the library raises.
    """
    try:
        yield
    except DBAPIError as error:
        raise RecordError(f"record: {address.place}: {words(error)}") from error


def words(error: DBAPIError) -> str:
    """The server's words on one line, and what to do where that is known.

    >>> words(DBAPIError(None, None, Exception('x failed: FATAL:  database "p" does not exist')))
    'database "p" does not exist; create it, then start again'
    """
    lines = str(error.orig).strip().splitlines() or ["it gave no reason"]
    said = lines[0].strip().rpartition("FATAL:")[2].strip()
    if "password authentication failed" in said or "no password supplied" in said:
        return f"{said}; set PGPASSWORD, or see to ~/.pgpass or the configuration's password"
    if "does not exist" in said and "database" in said:
        return f"{said}; create it, then start again"
    if "permission denied" in said:
        return f"{said}; the role needs to own the database's tables"
    return said
