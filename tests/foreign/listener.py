"""A client that somebody else wrote, in a process of its own, and what it says of a server."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE_S = 30.0
LONGEST_LINE = 2**20
ABOUT_ITSELF = ("Creating default certificate", "[NODE-OPCUA-W27]", "security-revert")
"""What node-opcua may say anywhere: it makes a certificate; Node.js has no RSA PKCS#1 v1.5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One variable as the client read it."""

    path: str
    """Browse names from below where the client started, joined with `/`."""
    type: str
    """The built-in type of the value."""
    declared: str
    """The built-in type of the node's data type."""
    array: bool
    rank: int
    """The node's ValueRank."""
    value: Any

    @property
    def as_declared(self) -> bool:
        """Whether the value is what its node says it will be."""
        return self.type == self.declared and self.array is (self.rank >= 0)


@dataclass(slots=True)
class Listener:
    """A running client; `listening` starts one and waits until it listens."""

    process: Process
    errors: Path
    nodes: dict[str, str] = field(default_factory=dict)
    """Every node by its path, with its class."""
    values: list[Value] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    events: deque[Mapping[str, Any]] = field(default_factory=deque)
    """Not taken yet; values of fields by path."""
    changes: deque[tuple[str, Any]] = field(default_factory=deque)
    """Not taken yet; path and value."""
    listens: bool = False

    async def look_around(self) -> None:
        """Wait until it has read everything and listens."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.listens:
                await self._hear()

    async def event(self) -> Mapping[str, Any]:
        """The next event."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.events:
                await self._hear()
        return self.events.popleft()

    async def change(self) -> tuple[str, Any]:
        """The next change of a value."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.changes:
                await self._hear()
        return self.changes.popleft()

    async def end(self) -> tuple[int, str]:
        """Let it close its session; its exit status, and what else it said."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        async with asyncio.timeout(PATIENCE_S):
            status = await self.process.wait()
        return status, self.errors.read_text()

    async def _hear(self) -> None:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line:
            raise EOFError(f"the client has ended: {self.errors.read_text()}")
        said = json.loads(line)
        match said.pop("is"):
            case "node":
                self.nodes[said["path"]] = said["node_class"]
            case "value":
                self.values.append(Value(**said))
            case "event":
                self.events.append(said["fields"])
            case "change":
                self.changes.append((said["path"], said["value"]))
            case "complaint":
                if not any(each in said["text"] for each in ABOUT_ITSELF):
                    self.complaints.append(said["text"])
            case "listening":
                self.listens = True


@asynccontextmanager
async def listening(
    command: Sequence[str],
    folder: Path,
    port: int,
    start: str,
    *,
    watch: Sequence[str] = (),
    **job: str,
) -> AsyncGenerator[Listener]:
    """Start a client and wait until it listens; it is gone in the end.

    Args:
        command: What runs it.
        folder: For its certificates and errors.
        port: Of the server, on loopback.
        start: Name of the object below Objects that it starts from.
        watch: Paths of variables whose changes it tells.
        job: `source`, `event`, `user`, `password`: see `node-opcua/client.mjs`.
    """
    job |= {"url": f"opc.tcp://127.0.0.1:{port}", "folder": str(folder / "pki"), "start": start}
    told = json.dumps({**job, "watch": watch})
    errors = folder / "errors.txt"
    with errors.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *command, told, stdin=PIPE, stdout=PIPE, stderr=said, limit=LONGEST_LINE
        )
    try:
        listener = Listener(process, errors)
        await listener.look_around()
        yield listener
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
