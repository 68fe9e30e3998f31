"""How the cycle events of one machine reach those who subscribed: as its event faults have it."""

from asyncua import ua

from simulators.faults import Faults
from simulators.opcua.event import MachineEvent, Source
from simulators.opcua.server import SERVER, UaServer

OVERFLOW = ua.NodeId(ua.ObjectIds.EventQueueOverflowEventType)


class Delivery:
    """Fires cycle events once each and in order, unless a fault is on.

    One that is held back goes with its server, as all that a server has not sent yet: after a
    restart nobody has subscribed, and the machine may have another id.

    Args:
        server: Whose clients get them.
        faults: Of the machine.
        root: The machine's root object, where clients subscribe.
    """

    def __init__(self, server: UaServer, faults: Faults, root: ua.NodeId) -> None:
        self._server = server
        self._faults = faults
        self._root = root
        self._held: MachineEvent | None = None

    async def deliver(self, event: MachineEvent) -> None:
        """Fire one event, or what the faults make of it."""
        faults = self._faults
        if overflow := faults.take("event_queue_overflow"):
            if overflow.left == max(1, int(overflow["count"])) - 1:
                await self._overflow()
            return
        if faults.take("event_lost"):
            return
        if self._held is None and faults.take("events_out_of_order"):
            self._held = event
            return
        await self._server.fire(event)
        if faults.take("duplicate_event"):
            await self._server.fire(event)
        held, self._held = self._held, None
        if held is not None:
            await self._server.fire(held)

    async def _overflow(self) -> None:
        """Tell that events are lost; no filter keeps that back (OPC 10000-4, 5.13.1.5)."""
        source = Source(SERVER, "Server")
        words = "Events were lost: the queue was full"
        event = MachineEvent(OVERFLOW, source, self._server.now(), words, {})
        await self._server.push(event, self._root, SERVER)
