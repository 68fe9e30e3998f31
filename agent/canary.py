"""Whether the machine that answers is the one that was there before.

Addresses move: a network is renumbered, two plugs are swapped. A counter that fits would hide it,
so before anything is booked a machine shows what it is known by, and that is remembered.
"""

import json
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from pydantic import ValidationError

from drivers import MistakenError, RefusedError
from drivers.certificate import printable
from drivers.checked import Checked, complaints, read_toml
from drivers.closedfile import put
from drivers.press import Press

log = logging.getLogger(__name__)

FOLDER = "seen"
PROVES = ("serial", "identity")
"""What no two machines have in common; once told, it must be told each time."""
NAMES = ("manufacturer", "model", *PROVES)


class _Seen(Checked):
    machine: str
    seen_at: datetime
    identity: dict[str, str]


class Canary:
    """Remembers what one machine is known by.

    Args:
        pki: Folder in which it is kept.
        machine: Name of the machine.
    """

    def __init__(self, pki: Path, machine: str) -> None:
        self.file = pki / FOLDER / f"{quote(machine, safe=' ')}.toml"
        self._machine = machine
        self._unkept: Mapping[str, str] = {}

    def known(self) -> Mapping[str, str]:
        """What it was known by last; empty for a machine that was never seen or says nothing.

        Raises:
            RefusedError: the file can't be used.
        """
        if not self.file.exists():
            return self._unkept
        try:
            seen = _Seen.model_validate(read_toml(self.file))
        except ValidationError as error:
            raise RefusedError(self._machine, complaints(error, self.file, _Seen)[0]) from error
        except ValueError as error:
            raise RefusedError(self._machine, str(error)) from error
        if seen.machine != self._machine:
            what = f"{self.file} is of {seen.machine!r}"
            raise RefusedError(self._machine, what)
        return seen.identity

    def prove(self, shown: Mapping[str, str]) -> None:
        """Let only the machine through that was there before.

        Raises:
            MistakenError: it is another one, or does not show what it was known by.
            RefusedError: what it was known by can't be read.
        """
        known, shown = self.known(), _told(shown)
        if any(shown.get(key, words) != words for key, words in known.items()):
            what = "another machine answers"
        elif any(key in known and key not in shown for key in PROVES):
            what = "it does not show what it is known by"
        else:
            return
        raise MistakenError(
            self._machine,
            f"{what}: {worded(shown)}; before it was {worded(known)}. If it was replaced, "
            f'`sprue trust "{self._machine}"` says so',
        )

    def remember(self, shown: Mapping[str, str]) -> None:
        """Keep what it is known by; where that can't be written, until the agent ends."""
        told = _told(shown)
        if not told or told == self.known():
            return
        try:
            self.keep(told)
        except OSError as error:
            self._unkept = told
            log.warning(
                "%s: who it is can't be kept: %s: %s", self._machine, self.file, error.strerror
            )

    def keep(self, shown: Mapping[str, str]) -> None:
        """Put it in place of what was known.

        Raises:
            OSError: it can't be written.
        """
        lines = [
            f"machine = {json.dumps(self._machine)}",
            f"seen_at = {datetime.now(UTC).isoformat(timespec='seconds')}",
            "[identity]",
            *(f"{key} = {json.dumps(words)}" for key, words in _told(shown).items()),
        ]
        put(self.file, "\n".join([*lines, ""]).encode())


@asynccontextmanager
async def proven(
    connect: Callable[[], AbstractAsyncContextManager[Press]], canary: Canary, *, remember: bool
) -> AsyncGenerator[Press]:
    """A connection to the machine that was there before, and to no other.

    Raises:
        MachineError: it can't be reached, or it is another machine.
    """
    async with connect() as press:
        canary.prove(press.identity)
        if remember:
            canary.remember(press.identity)
        yield press


def worded(identity: Mapping[str, str]) -> str:
    """An identity in a sentence.

    >>> worded({"serial": "4711", "model": "E 120"})
    "model 'E 120', serial '4711'"
    """
    said = [f"{key} {words!r}" for key, words in _told(identity).items()]
    return ", ".join(said) or "nothing that it is known by"


def _told(identity: Mapping[str, str]) -> dict[str, str]:
    return {key: printable(identity[key]) for key in NAMES if key in identity}
