"""The log of what really happened: one JSON line for each closing, written as it ends."""

import json
from datetime import UTC
from pathlib import Path
from types import TracebackType
from typing import Self

from simulators.press import Press
from simulators.shot import Shot


class TruthLog:
    """Appends to one file for all presses; a recorder of each.

    `counter` in a line is the counter by which the machine's interface identifies the shot, `at_s`
    the process time since the start: with one seed, all but `time` is the same every time.

    Raises:
        OSError: the file can't be written.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._by_job: set[str] = set()

    def counts_by_job(self, machine: str) -> None:
        """Note that a machine's interface offers only the job's counter."""
        self._by_job.add(machine)

    def record(self, press: Press, shot: Shot) -> None:
        """Write one closing; it is with the operating system when this returns."""
        line = {
            "time": shot.ended_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "machine": shot.machine,
            "mold": shot.mold.id,
            "revision": shot.mold.revision,
            "job": shot.job.name,
            "counter": shot.job_counter if press.name in self._by_job else shot.counter,
            "closing": shot.closing,
            "values": shot.values,
            "injected": shot.injected,
            "at_s": shot.at_s,
        }
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
