"""What the presses' controls keep over a power-off: counters, mold, job and the last cycle.

A journal: one JSON line a closing, the newest of a press counts. It is appended to before a closing
shows on any interface and rewritten when it has grown, so that a killed simulator comes back with
the counters that it last showed; only the cycle that ran is lost. Lines are not forced to disk: a
machine that loses power may roll counters back, as real controls do.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from simulators.press import Press
from simulators.shot import Shot
from simulators.strict import FleetError

COMPACT_BYTES = 8_000_000
_START = b'{"machine":'
"""With which every line begins."""


class StateFile:
    """One file for all presses; a recorder of each.

    Raises:
        FleetError: what is there is something else.
        OSError: the file can't be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.kept: dict[str, Mapping[str, Any]] = _read(path)
        """What each press kept, by its name."""
        self._file: IO[bytes] = self._rewritten()

    def record(self, press: Press, shot: Shot) -> None:
        """Keep a press as it is now; it is with the operating system when this returns."""
        self.keep(press)

    def keep(self, press: Press) -> None:
        """Keep a press as it is now."""
        self.kept[press.name] = snapshot = press.snapshot()
        self._file.write(_line(press.name, snapshot))
        if self._file.tell() > COMPACT_BYTES:
            self._file.close()
            self._file = self._rewritten()

    def _rewritten(self) -> IO[bytes]:
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.write_bytes(b"".join(_line(name, kept) for name, kept in self.kept.items()))
        fresh.replace(self._path)
        file = self._path.open("ab", buffering=0)
        file.seek(0, os.SEEK_END)
        return file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def _line(name: str, snapshot: Mapping[str, Any]) -> bytes:
    return json.dumps({"machine": name, **snapshot}, separators=(",", ":")).encode() + b"\n"


def _read(path: Path) -> dict[str, Mapping[str, Any]]:
    if not path.exists():
        return {}
    if not path.is_file():
        raise FleetError(f"{path}: not a file; a state can't be kept there")
    lines = path.read_bytes().splitlines()
    kept = dict[str, Mapping[str, Any]]()
    for number, line in enumerate(lines, start=1):
        try:
            snapshot = json.loads(line)
            kept[snapshot.pop("machine")] = snapshot
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if number == len(lines) and line.startswith(_START[: len(line)]):
                break  # cut off when the simulator was killed
            raise FleetError(  # somebody's file, which keeping a state would overwrite
                f"{path}: line {number} is no state that a simulator kept; is this another file?"
            ) from error
    return kept
