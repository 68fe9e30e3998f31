"""The variables of an OPC UA server, as machines write them and faults show them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncua import ua
from asyncua.server.address_space import AddressSpace

from simulators.faults import Faults
from simulators.opcua.distortion import distorted
from simulators.opcua.removal import Removed, put_back, remove
from simulators.opcua.renumbering import Renumbering

VALUE = ua.AttributeIds.Value
GOOD = ua.StatusCodes.Good
_GOOD = ua.StatusCode(GOOD)


class _Shown(ua.DataValue):  # type: ignore[misc]  # asyncua is untyped to us
    """A value that nobody changes: asyncua copies each one deeply for every subscriber."""

    __slots__ = ()

    def __deepcopy__(self, _memo: Any) -> "_Shown":
        return self


@dataclass(slots=True)
class _Measured:
    """What a sensor says, whatever faults make of it."""

    faults: Faults
    value: ua.Variant
    code: int


class Variables:
    """The variables of one address space.

    Every id is the one that a node was built with, whatever clients know it by.
    """

    def __init__(self, space: AddressSpace) -> None:
        self._space = space
        self._renumbering: Renumbering | None = None
        self._measured: dict[ua.NodeId, _Measured] = {}
        self._read: dict[ua.NodeId, Callable[[], tuple[ua.Variant, datetime]]] = {}
        self._held: dict[ua.NodeId, tuple[ua.Variant, int, datetime]] = {}
        self._dropped: dict[ua.NodeId, tuple[ua.Variant, int]] = {}
        self._hidden: list[Removed] = []
        self._frozen = False
        self.clock_offset_s = 0.0
        """How far the control's clock is ahead of ours."""

    def now(self) -> datetime:
        """The control's time."""
        now = datetime.now(UTC)
        return now + timedelta(seconds=self.clock_offset_s) if self.clock_offset_s else now

    async def write(
        self, node: ua.NodeId, value: ua.Variant, *, status: ua.StatusCode | int = GOOD
    ) -> None:
        """Give a variable a value, with the control's time.

        Raises:
            asyncua.ua.UaError: the node is not there or has another type.
        """
        code = status if isinstance(status, int) else status.value
        if self._frozen:
            self._dropped[node] = value, code
            return
        measured = self._measured.get(node)
        if measured is not None:
            measured.value, measured.code = value, code
            value, code = distorted(value, code, measured.faults)
        await self._put(node, value, code)

    def on_read(
        self,
        node: ua.NodeId,
        value: Callable[[], ua.Variant],
        *,
        at: Callable[[], datetime] | None = None,
    ) -> None:
        """Let every read of a variable compute it; writes still tell those who subscribed.

        Args:
            node: The variable.
            value: What it is now.
            at: The control's time at which it came to be so; None for the time of the read.
        """
        dated = at or self.now
        self._read[node] = lambda: (value(), dated())
        self._compute(node, lambda: self._computed(node))

    async def publish(self, *nodes: ua.NodeId) -> None:
        """Tell those who subscribed to computed variables what they are now."""
        for node in nodes:
            data = self._space.get(self._seen(node))
            if data is not None and data.attributes[VALUE].datachange_callbacks:
                await self._space.write_attribute_value(data.nodeid, VALUE, self._computed(node))

    # What faults do

    def measured(self, node: ua.NodeId, faults: Faults) -> None:
        """Say that a variable comes from a sensor of the machine that has these faults.

        Raises:
            asyncua.ua.UaError: the node is not there.
        """
        data = self._space.read_attribute_value(self._seen(node), VALUE)
        data.StatusCode.check()
        value = ua.Variant() if node in self._read else data.Value
        self._measured[node] = _Measured(faults, value, GOOD)

    async def refresh(self) -> None:
        """Show every measured value anew, as the faults of its machine make it."""
        for node, measured in tuple(self._measured.items()):
            if node in self._read:
                await self.publish(node)
            else:
                await self.write(node, measured.value, status=measured.code)

    @property
    def frozen(self) -> bool:
        """Whether what is written is dropped, and what is computed stays as it is."""
        return self._frozen

    @frozen.setter
    def frozen(self, frozen: bool) -> None:
        if frozen and not self._frozen:
            self._held = {node: self._now(node) for node in self._read}
        self._frozen = frozen

    async def thaw(self) -> None:
        """Be frozen no longer, and show what was written meanwhile."""
        self.frozen = False
        dropped, self._dropped = self._dropped, {}
        for node, (value, code) in dropped.items():
            await self.write(node, value, status=code)

    async def delete(self, node: ua.NodeId) -> None:
        """Delete a node and all below it; who subscribed to one is told BadNodeIdUnknown first.

        Raises:
            asyncua.ua.UaError: the node is not there.
        """
        removed = await remove(self._space, [self._seen(node)], self.now())
        if not removed.nodes:
            raise ua.UaStatusCodeError(ua.StatusCodes.BadNodeIdUnknown)
        for seen in removed.nodes:
            built = self._renumbering.built(seen) if self._renumbering is not None else seen
            for known in (self._measured, self._read, self._held, self._dropped):
                known.pop(built, None)

    async def hide(self, nodes: Iterable[ua.NodeId]) -> Removed:
        """Delete nodes as clients see it, with all below them, until they are revealed.

        They are kept up to date meanwhile.
        """
        removed = await remove(self._space, [self._seen(node) for node in nodes], self.now())
        self._hidden.append(removed)
        return removed

    def reveal(self, removed: Removed) -> None:
        """Let hidden nodes be there again."""
        self._hidden.remove(removed)
        put_back(self._space, removed)

    # The machinery

    def _renumber(self, renumbering: Renumbering) -> None:
        self._renumbering = renumbering
        self._space._nodes = self._space._nodes.renumbered(renumbering)

    def _seen(self, node: ua.NodeId) -> ua.NodeId:
        return node if self._renumbering is None else self._renumbering.node(node)

    async def _put(self, node: ua.NodeId, value: ua.Variant, code: int = GOOD) -> None:
        now, seen = self.now(), self._seen(node)
        data = _Shown(value, ua.StatusCode(code) if code else _GOOD, now, now)
        status = await self._space.write_attribute_value(seen, VALUE, data)
        if not status.is_good() and not self._put_hidden(seen, data):
            status.check()

    def _put_hidden(self, seen: ua.NodeId, data: ua.DataValue) -> bool:
        for removed in self._hidden:
            if seen in removed.nodes:
                removed.nodes[seen].attributes[VALUE].value = data
                return True
        return False

    def _compute(self, node: ua.NodeId, value: Callable[[], ua.DataValue]) -> None:
        seen = self._seen(node)
        self._space.set_attribute_value_callback(seen, VALUE, lambda _node, _attribute: value())
        self._space.set_attribute_value_setter(seen, VALUE, lambda _node, _attribute, _value: None)

    def _computed(self, node: ua.NodeId) -> ua.DataValue:
        value, code, at = self._held[node] if self._frozen else self._now(node)
        return _Shown(value, ua.StatusCode(code), at, self.now())

    def _now(self, node: ua.NodeId) -> tuple[ua.Variant, int, datetime]:
        value, at = self._read[node]()
        code = GOOD
        if (measured := self._measured.get(node)) is not None:
            value, code = distorted(value, code, measured.faults)
        return value, code, at
