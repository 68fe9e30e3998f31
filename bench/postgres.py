"""A PostgreSQL from Debian's packages, on loopback, ended by its own id; tests use it, too."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

PATIENCE_S = 60.0
USER, PASSWORD = "sprue", "known to this run only"


class MissingError(Exception):
    """There is no such server here; the message says how to get one."""


def programs() -> Path:
    """The folder of the newest server's programs.

    Raises:
        MissingError: there are none.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    if (path := shutil.which("initdb")) is not None:
        return Path(path).parent
    raise MissingError("needs PostgreSQL: apt-get install postgresql")


def _owner() -> tuple[int, int] | None:
    """The server refuses to run as root; then it runs as the user that its package made."""
    if os.geteuid() != 0:
        return None
    try:
        owner = pwd.getpwnam("postgres")
    except KeyError:
        raise MissingError("needs a user postgres: apt-get install postgresql") from None
    return owner.pw_uid, owner.pw_gid


class Postgres:
    """A server process: always the same port and data, however often it is killed.

    What it has said to have stored outlives any kill of it, and no power cut: `fsync` is off.

    Raises:
        MissingError: it is not installed.
    """

    def __init__(self) -> None:
        self._bin = programs()
        owner = _owner()
        self._user: int | None = owner[0] if owner else None
        self._group: int | None = owner[1] if owner else None
        self._folder = Path(tempfile.mkdtemp(prefix="sprue-postgresql-", dir="/tmp"))
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = int(one.getsockname()[1])
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        if owner:
            for path in (self._folder, secret):
                os.chown(path, *owner)
        subprocess.run(
            [
                self._bin / "initdb", "--no-sync", "--auth=scram-sha-256", f"--username={USER}",
                f"--pwfile={secret}", "--encoding=UTF8", "--locale=C",
                "--pgdata", self._folder / "data",
            ],
            check=True, capture_output=True, cwd="/", user=self._user, group=self._group,
        )  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._bin / "postgres", "-D", self._folder / "data", "-p", str(self.port),
                    "-k", self._folder, "-c", "listen_addresses=127.0.0.1",
                    "-c", "shared_buffers=32MB", "-c", "autovacuum=off", "-c", "fsync=off",
                ],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/",
                user=self._user, group=self._group,
            )  # fmt: skip
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.connect("postgres").close()
                return
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self._folder / "log").read_text()
                assert time.monotonic() < end, (self._folder / "log").read_text()
                time.sleep(0.05)

    def connect(self, database: str) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname=database,
            autocommit=True,
        )  # fmt: skip

    def database(self) -> str:
        """An empty one; its URL, without a password."""
        with self.connect("postgres") as connection:
            connection.execute("DROP SCHEMA IF EXISTS public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"

    def secure(self, certificate: bytes | None, key: bytes | None) -> None:
        """Prove itself by a certificate from now on, PEM; or None: speak without TLS again."""
        for name, body in (("server.crt", certificate), ("server.key", key)):
            path = self._folder / "data" / name
            path.unlink(missing_ok=True)
            if body is not None:
                path.touch(mode=0o600)
                path.write_bytes(body)
                if self._user is not None:
                    os.chown(path, self._user, -1)
        with self.connect("postgres") as connection:
            connection.execute(f"ALTER SYSTEM SET ssl = {'on' if certificate else 'off'}")
            connection.execute("SELECT pg_reload_conf()")
            end = time.monotonic() + PATIENCE_S
            wanted = ("on" if certificate else "off",)
            while self._ssl() != wanted and time.monotonic() < end:
                time.sleep(0.05)

    def _ssl(self) -> tuple[object, ...] | None:
        with self.connect("postgres") as connection:
            return connection.execute("SHOW ssl").fetchone()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: every connection is cut, and it ends in order; SIGQUIT: it falls."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE_S)
            self._process = None

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)
