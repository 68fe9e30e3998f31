"""A log that can't be emptied: who reads in it, and how our own readers make way.

SQLite's log starts anew only when no reader needs what is in it; one that reads on and on makes it
grow until the disk is full. No process can end another one's reading, so ours end their own.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

LOG_MOST_BYTES = 128 * 2**20
"""Eight times what it has when all is well."""

READ_MOST_S = 60.0
"""How long one of our readers may read when the log is longer than that."""

LOCKS = Path("/proc/locks")
"""Who holds which lock, on Linux."""

READ_MARKS = range(123, 128)
"""Bytes of the file beside the log that a reader locks while it reads; SQLite's WAL format."""

STEPS = 100_000
"""Of SQLite's machine between two looks, some milliseconds."""


def long_log(path: Path) -> str | None:
    """Why a record's log has grown too long, in words; None where it has not."""
    try:
        size = path.with_name(f"{path.name}-wal").stat().st_size
    except OSError:
        return None
    if size <= LOG_MOST_BYTES:
        return None
    names = ", ".join(_named(pid) for pid in sorted(set(_readers(path))))
    who = f"{names} reads in it and makes no pause" if names else "somebody reads in it"
    return (
        f"its log has grown to {size // 2**20} MB, because {who}; it can't be emptied before "
        "that ends, and may fill the disk"
    )


def make_way(connection: sqlite3.Connection, path: Path) -> None:
    """Have a reader of ours give up where it holds the log open for too long.

    What it is asked then fails as `interrupted`.
    """
    began = time.monotonic()

    def look() -> int:
        too_long = time.monotonic() - began > READ_MOST_S
        return int(too_long and long_log(path) is not None)

    connection.set_progress_handler(look, STEPS)


def _readers(path: Path) -> Iterator[int]:
    """Processes that hold a read mark of a record's log."""
    try:
        shared = path.with_name(f"{path.name}-shm").stat()
        lines = LOCKS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return
    inode = f"{os.major(shared.st_dev):02x}:{os.minor(shared.st_dev):02x}:{shared.st_ino}"
    for line in lines:
        words = line.split()
        if len(words) == 8 and words[3] == "READ" and words[5] == inode:
            first, last = int(words[6]), int(words[7]) if words[7].isdigit() else READ_MARKS.stop
            if first < READ_MARKS.stop and last >= READ_MARKS.start:
                yield int(words[4])


def _named(pid: int) -> str:
    """A process for a person.

    >>> _named(-1)
    'process -1'
    """
    if pid == os.getpid():
        return "this agent"
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return f"process {pid}"
    command = " ".join(word.decode("utf-8", "replace") for word in words if word)
    return f"process {pid} ({command[:60]})" if command else f"process {pid}"
