"""A cooling time that stands in a variable of the maker's, read when a cycle has ended."""

from collections.abc import Mapping

from asyncua import ua

from drivers.browsing import PARTS, browse, resolve
from drivers.errors import RefusedError
from drivers.eventtype import DURATION, UNITS, unit_of
from drivers.nodeid import parse_address
from drivers.observations import Value
from drivers.session import Session
from drivers.uaerrors import status_text
from drivers.units import converter, unit_named

SIGNAL = "cooling_time_s"


class CoolingNode:
    """Reads one variable, and the counter beside it."""

    def __init__(
        self, session: Session, node_id: ua.NodeId, factor: float, counter: ua.NodeId | None
    ) -> None:
        self._session = session
        self._ids = [node_id] if counter is None else [counter, node_id]
        self._factor = factor

    async def read(self, cycle: int | None, *, is_last: bool) -> Mapping[str, Value]:
        """The cooling time of a cycle, by signal; empty where it may be another cycle's.

        Args:
            cycle: Number of the cycle by the counter given; None where it has none.
            is_last: No later cycle is known of.
        """
        answers = await self._session.read(self._ids)
        raw = [a.Value.Value if a.StatusCode.is_good() and a.Value else None for a in answers]
        belongs = raw[0] == cycle if len(raw) > 1 else is_last
        value = raw[-1]
        if not belongs or isinstance(value, bool) or not isinstance(value, int | float):
            return {}
        return {SIGNAL: float(value) * self._factor}


async def find_cooling(session: Session, text: str, counter: ua.NodeId | None) -> CoolingNode:
    """Look the variable up, and in what unit it is.

    Its unit is its EngineeringUnits, or milliseconds where its data type is Duration, or else
    seconds.

    Args:
        session: The connection.
        text: Its address as configured.
        counter: The variable of the counter that tells which cycle the value is of; None where
            the machine has none.

    Raises:
        RefusedError: there is no such variable.
    """
    address = parse_address(text, None)
    node_id = (await resolve(session, [address]))[0]
    if node_id is None:
        raise RefusedError(session.machine, f"cooling.node: the server has no {text}")
    kind = (await session.read([node_id], ua.AttributeIds.DataType))[0]
    if not kind.StatusCode.is_good():
        code = kind.StatusCode.value
        raise RefusedError(session.machine, f"cooling.node: {text}: {status_text(code)}")
    unit = unit_named("ms" if kind.Value.Value == DURATION else "s")
    for reference in (await browse(session, [node_id], PARTS))[0]:
        if reference.BrowseName.Name == UNITS:
            told = (await session.read([reference.NodeId]))[0]
            unit = unit_of(told.Value.Value) or unit
    try:
        factor = converter(unit, "s")(1.0) if unit else 1.0
    except ValueError as error:
        raise RefusedError(session.machine, f"cooling.node: {text}: {error}") from error
    return CoolingNode(session, node_id, factor, counter)
