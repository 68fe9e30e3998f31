"""Room on the disk that is kept for shots, for the day on which there is none."""

import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

SHARE = 0.1
"""Of a small disk no more than this is kept."""

TIMES = 4
"""So many times as much has to be free before it is kept (again): a full disk is not left full."""


class Reserve:
    """A file beside the record that nobody reads; it makes room by being removed.

    Even to remove old rows, a record needs room. Without a file of its own it competes for the last
    bytes with whatever fills the disk.

    Args:
        path: The record's main file.
        size_bytes: How much to keep; 0 for none.
    """

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._file = path.with_name(f"{path.name}.reserve")
        self._size_bytes = size_bytes
        self.is_used = False
        """Whether it was needed, and could not be put back yet."""

    def keep(self) -> bool:
        """Put it there where there is room enough; whether it is there now."""
        with suppress(OSError):
            if not self._size_bytes:
                return False
            usage = shutil.disk_usage(self._file.parent)
            size = min(self._size_bytes, int(usage.total * SHARE))
            if self._file.exists() and self._file.stat().st_size >= size:
                self.is_used = False
                return True
            if usage.free < TIMES * size:
                return False
            _allocate(self._file, size)
            self.is_used = False
            return True
        return False

    def use(self) -> bool:
        """Make room with it; whether that gave any."""
        with suppress(OSError):
            size = self._file.stat().st_size
            self._file.unlink()
            self.is_used = True
            log.error("record: the disk is full: %.1f MB kept for shots are used", size / 1e6)
            return size > 0
        return False


def _allocate(file: Path, size: int) -> None:
    """Blocks, not a hole."""
    made = file.with_name(f"{file.name}.unfinished")
    try:
        with made.open("wb", buffering=0) as open_file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(open_file.fileno(), 0, size)
            else:
                for _ in range(0, size, 65536):
                    open_file.write(b"\0" * 65536)
        made.replace(file)
    except OSError:
        made.unlink(missing_ok=True)
        raise
