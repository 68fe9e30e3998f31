"""Which nodes of a face's server are not there: deleted by a fault, or late after a restart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asyncua import ua

from simulators.listener import Listener
from simulators.opcua.removal import Removed
from simulators.opcua.server import UaServer
from simulators.press import Press


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a face has put on its server, by the ids it was built with."""

    listeners: Sequence[tuple[Press, Listener]]
    """Who publishes what each press does from now on."""
    fragile: Mapping[str, ua.NodeId]
    """By press: what the fault `node_deleted` deletes, with all below it."""
    late: Sequence[ua.NodeId]
    """What is not there at first after `nodes_missing`."""


class Absence:
    """Hides nodes of one server after the other, and brings them back."""

    def __init__(self, presses: Sequence[Press]) -> None:
        self._presses = tuple(presses)
        self._server: UaServer | None = None
        self._fragile: Mapping[str, ua.NodeId] = {}
        self._deleted: dict[str, Removed] = {}
        self._late: Removed | None = None

    async def start(self, server: UaServer, content: Content, *, partly: bool) -> None:
        """Begin with a server that is built; `partly` without what is late."""
        self._server, self._fragile, self._deleted = server, content.fragile, {}
        await self.apply()
        self._late = await server.hide(content.late) if partly else None

    async def apply(self) -> None:
        """Let those nodes be gone whose press has the fault, and no others."""
        assert self._server is not None
        for press in self._presses:
            deleted = self._deleted.pop(press.name, None)
            if press.faults.active("node_deleted") is None:
                if deleted is not None:
                    self._server.reveal(deleted)
            elif deleted is not None and deleted.nodes:
                self._deleted[press.name] = deleted
            else:
                fragile = self._fragile[press.name]
                self._deleted[press.name] = await self._server.hide([fragile])

    async def end(self) -> None:
        """Bring what was late."""
        late, self._late = self._late, None
        if late is not None and self._server is not None:
            self._server.reveal(late)
            await self.apply()  # what should be gone may have been among it
