"""Event filters as clients of other makers write them."""

import asyncio
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.common.events import select_clauses_from_evtype

from simulators.euromap77.face import Euromap77Face
from tests.simulators.makers import a_press

GT = "http://opcfoundation.org/UA/PlasticsRubber/GeneralTypes/"
CYCLE, LOGBOOK = 1038, 1011


class Heard:
    """A subscription's handler that puts the types of events on a queue."""

    def __init__(self) -> None:
        self.kinds: asyncio.Queue[str] = asyncio.Queue()

    def event_notification(self, event: Any) -> None:
        self.kinds.put_nowait(event.EventType.Identifier)


async def of_type(client: Client, number: int) -> ua.EventFilter:
    """Every event of a type of OPC 40083."""
    kind = client.get_node(ua.NodeId(number, await client.get_namespace_index(GT)))
    element = ua.ContentFilterElement()
    element.FilterOperator = ua.FilterOperator.OfType
    element.FilterOperands = [ua.LiteralOperand(Value=ua.Variant(kind.nodeid))]
    made = ua.EventFilter()
    made.SelectClauses = await select_clauses_from_evtype([kind])
    made.WhereClause.Elements = [element]
    return made


@pytest.mark.parametrize(
    ("number", "kinds"),
    [
        (CYCLE, ["SprueSimCycleParametersEventType"] * 2),
        (LOGBOOK, ["SprueSimParameterChangeLogType"]),
    ],
    ids=["cycles", "logbook"],
)
async def test_who_asks_for_an_official_type_hears_of_the_makers_alone(
    number: int, kinds: list[str]
) -> None:
    press = a_press()
    face = Euromap77Face(press)
    await face.start()
    async with Client(face.address) as client:
        handler = Heard()
        subscription = await client.create_subscription(5, handler)
        await subscription.subscribe_events(
            ua.ObjectIds.Server, evfilter=await of_type(client, number)
        )

        await press.mold()
        await press.set_point("cooling_time_set_s", 12.5)
        await press.mold()

        async with asyncio.timeout(20):
            heard = [await handler.kinds.get() for _ in kinds]
    await face.stop()
    assert heard == kinds
