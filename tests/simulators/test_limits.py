"""A small OPC UA server says what it takes at once, and holds to it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asyncua import Client, Node, ua

from simulators.flat.face import FlatFace
from simulators.opcua.limits import Limits
from tests.simulators.makers import a_press

CAPABILITY = "Server_ServerCapabilities_"
OPERATION = f"{CAPABILITY}OperationLimits_"


@asynccontextmanager
async def limited(**limits: Any) -> AsyncGenerator[Client]:
    face = FlatFace(a_press(), limits=Limits(**limits))
    await face.start()
    try:
        async with Client(face.address) as client:
            yield client
    finally:
        await face.stop()


def nodes(client: Client, *tokens: str) -> list[Node]:
    return [client.get_node(ua.NodeId(token, 2)) for token in tokens]


class Deaf:
    def datachange_notification(self, _node: Node, _value: object, _data: object) -> None:
        pass


async def read(client: Client, count: int) -> None:
    await client.read_attributes(nodes(client, "ActTimCool", "ActTimCyc", "ActTimHld")[:count])


async def browse(client: Client, count: int) -> None:
    await client.browse_nodes(nodes(client, "Machine", "ActTimCyc", "ActTimHld")[:count])


async def translate(client: Client, count: int) -> None:
    await client.translate_browsepaths(ua.NodeId("Machine", 2), ["2:ActTimCool"] * count)


async def monitor(client: Client, count: int) -> None:
    subscription = await client.create_subscription(500, Deaf())
    wanted = nodes(client, "ActTimCool", "ActTimCyc", "ActTimHld")[:count]
    await subscription.subscribe_data_change(wanted)


@pytest.mark.parametrize(
    ("limit", "said", "ask"),
    [
        ("nodes_per_read", f"{OPERATION}MaxNodesPerRead", read),
        ("nodes_per_browse", f"{OPERATION}MaxNodesPerBrowse", browse),
        (
            "nodes_per_translate",
            f"{OPERATION}MaxNodesPerTranslateBrowsePathsToNodeIds",
            translate,
        ),
        ("monitored_items_per_call", f"{OPERATION}MaxMonitoredItemsPerCall", monitor),
    ],
)
async def test_a_request_for_too_much_is_refused_as_a_whole(
    limit: str, said: str, ask: Callable[[Client, int], Awaitable[None]]
) -> None:
    async with limited(**{limit: 2}) as client:
        assert await client.get_node(ua.NodeId(getattr(ua.ObjectIds, said))).read_value() == 2
        await ask(client, 2)
        with pytest.raises(ua.UaStatusCodeError, match="BadTooManyOperations"):
            await ask(client, 3)
    async with limited() as client:
        await ask(client, 3)


async def test_there_are_so_many_sessions_and_no_more() -> None:
    async with limited(sessions=2) as first:
        said = first.get_node(ua.NodeId(ua.ObjectIds.Server_ServerCapabilities_MaxSessions))
        assert await said.read_value() == 2
        url = first.server_url.geturl()
        async with Client(url):
            with pytest.raises(ua.UaStatusCodeError, match="BadTooManySessions"):
                await Client(url).connect()
        async with Client(url) as third:
            await read(third, 1)


async def test_there_are_so_many_subscriptions_and_no_more() -> None:
    async with limited(subscriptions=1) as client:
        said = client.get_node(ua.NodeId(ua.ObjectIds.Server_ServerCapabilities_MaxSubscriptions))
        assert await said.read_value() == 1
        await client.create_subscription(500, Deaf())
        with pytest.raises(ua.UaStatusCodeError, match="BadTooManySubscriptions"):
            await client.create_subscription(500, Deaf())


@pytest.mark.parametrize(("asked", "given"), [(0, 5), (500, 500)])
async def test_who_asks_for_publications_without_a_pause_gets_the_fastest(
    asked: float, given: float
) -> None:
    async with limited() as client:
        answer = await client.uaclient.create_subscription(
            ua.CreateSubscriptionParameters(RequestedPublishingInterval=asked), lambda _: None
        )

        assert answer.RevisedPublishingInterval == given


async def test_an_event_filter_that_selects_too_much_is_refused_by_itself() -> None:
    async with limited(select_clauses=3) as client:
        subscription = await client.create_subscription(500, Deaf())
        clauses = [
            ua.SimpleAttributeOperand(
                TypeDefinitionId=ua.NodeId(ua.ObjectIds.BaseEventType),
                BrowsePath=[ua.QualifiedName(name, 0)],
                AttributeId=ua.AttributeIds.Value,
            )
            for name in ("EventId", "EventType", "Time", "Message")
        ]

        answers = await client.uaclient.create_monitored_items(
            ua.CreateMonitoredItemsParameters(
                SubscriptionId=subscription.subscription_id,
                ItemsToCreate=[
                    ua.MonitoredItemCreateRequest(
                        ItemToMonitor=ua.ReadValueId(
                            NodeId=ua.NodeId(ua.ObjectIds.Server),
                            AttributeId=ua.AttributeIds.EventNotifier,
                        ),
                        MonitoringMode=ua.MonitoringMode.Reporting,
                        RequestedParameters=ua.MonitoringParameters(
                            ClientHandle=count,
                            Filter=ua.EventFilter(SelectClauses=clauses[:count]),
                        ),
                    )
                    for count in (4, 3)
                ],
            )
        )

        assert [answer.StatusCode.name for answer in answers] == ["BadEventFilterInvalid", "Good"]
