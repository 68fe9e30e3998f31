"""One bad node spoils no other; what is not there is named, and what was lost leaves a gap."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from asyncua import ua
from asyncua.common.utils import ServiceError

from drivers import Frame, GarbledError, Link, Observation, Quality, RefusedError, subscription
from drivers.opcua import open_press
from drivers.reading import ReadRequest
from drivers.session import SESSION_TIMEOUT_S
from drivers.subscription import Publish
from tests.drivers.flatserver import FlatServer, flat_server
from tests.drivers.test_opcua import mapped, settings, until_frame

MANY = 2500
MOST = 100


def refuse(server: FlatServer, *names: str) -> None:
    """Refuse every Read as a whole that asks for one of some nodes."""
    service = server._server._server.iserver.attribute_service
    read, culprits = service.read, {server.node_id(name) for name in names}

    def picky(params: ua.ReadParameters) -> Any:
        if any(each.NodeId in culprits for each in params.NodesToRead):
            raise ServiceError(ua.StatusCodes.BadInternalError)
        return read(params)

    service.read = picky


async def test_of_2500_nodes_a_deleted_one_is_named_and_the_others_are_read_on() -> None:
    names = [f"N{n}" for n in range(MANY)]
    async with flat_server() as server:
        server.add(**{name: 1.0 * n for n, name in enumerate(names)})
        await server.limit_reads(MOST, stated=True)
        told = settings(server.url, poll_s=0.5, timeout_s=10, stale_s=60)
        async with (
            open_press(told, mapped(**{name.lower(): name for name in names})) as press,
            asyncio.timeout(60),
        ):
            stream = press.observations()
            await anext(stream)
            server.delete("N1234")
            await server.write(N7=-7.0)
            gone = await until_frame(stream, "n7", -7.0)
            named = press.condition.unavailable
            server.add(N1234=99.0)
            back = await until_frame(stream, "n1234", 99.0)

    assert gone.qualities.count(Quality.MISSING) == 1
    assert gone.qualities.count(Quality.GOOD) == MANY - 1
    assert named == ("n1234 at s=N1234: the server has no such node",)
    assert back.qualities.count(Quality.GOOD) == MANY
    assert press.condition.unavailable == ()
    assert max(server.reads) <= MOST


async def test_a_node_for_which_the_server_refuses_the_whole_request_is_left_out() -> None:
    names = {f"barrel_zone_{n}_c": f"T{n}" for n in range(1, 10)}
    async with flat_server() as server:
        server.add(**dict.fromkeys(names.values(), 200.0))
        refuse(server, "T5")
        async with open_press(settings(server.url), mapped(**names)) as press:
            frame = await press.read()
            named = press.condition.unavailable

    assert frame.value("barrel_zone_5_c") is None
    assert frame.qualities.count(Quality.GOOD) == 8
    assert len(named) == 1
    assert named[0].startswith("barrel_zone_5_c at s=T5: reading: BadInternalError")


async def test_a_node_whose_value_can_not_be_decoded_is_left_out() -> None:
    async with flat_server(A=50.0, B=230.0, C=45.0) as server:
        nodes = mapped(mold_temp_c="A", melt_temp_c="B", oil_temp_c="C")
        async with open_press(settings(server.url), nodes) as press:
            session, node = press._session, server.node_id("B")
            send = session.send

            async def garbled(request: ReadRequest) -> Any:
                if any(each.NodeId == node for each in request.wanted.NodesToRead):
                    raise ValueError("no such thing")
                return await send(request)

            session.send = garbled  # type: ignore[assignment]
            frame = await press.read()

    assert frame.values == (50.0, None, 45.0)
    assert frame.qualities[1] is Quality.MISSING


async def test_a_server_that_refuses_every_node_is_refused_and_not_its_nodes() -> None:
    async with flat_server(A=50.0, B=230.0) as server:
        refuse(server, "A", "B")
        with pytest.raises((RefusedError, GarbledError), match="BadInternalError"):
            async with open_press(settings(server.url), mapped(mold_temp_c="A", melt_temp_c="B")):
                pass


async def test_the_rates_that_the_server_agreed_to_are_told() -> None:
    async with flat_server(A=50.0) as server:
        told = settings(server.url, read="subscribe", poll_s=0.2)
        async with open_press(told, mapped(mold_temp_c="A")) as press:
            assert press.condition.publishing_s is None
            stream = press.observations()
            await anext(stream)
            condition = press.condition

    assert condition.publishing_s == pytest.approx(0.2)
    assert condition.sampling_s == pytest.approx(0.2)


async def test_what_our_own_queue_could_not_hold_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "QUEUE", 2)
    seen: list[Observation] = []
    async with flat_server(A=50.0) as server:
        told = settings(server.url, read="subscribe", poll_s=0.05)
        async with open_press(told, mapped(mold_temp_c="A")) as press, asyncio.timeout(20):
            stream = press.observations()
            seen.append(await anext(stream))
            value = 50.0
            while not press.condition.lost:  # nobody takes what comes meanwhile
                value += 1
                await server.write(A=value)
                await asyncio.sleep(0.06)
            while not isinstance(seen[-1], Frame) or seen[-1].value("mold_temp_c") != value:
                seen.append(await anext(stream))
            lost = press.condition.lost

    links = [each for each in seen if isinstance(each, Link)]
    assert links
    assert not links[0].up
    assert links[0].cause == "overflow"
    assert links[0].why.startswith("the subscription lost ")
    assert isinstance(seen[seen.index(links[0]) + 1], Frame)
    assert lost >= 1


async def test_a_value_before_which_the_servers_queue_ran_over_counts_as_a_loss() -> None:
    async with flat_server(A=50.0) as server:
        told = settings(server.url, read="subscribe", poll_s=0.05)
        async with open_press(told, mapped(mold_temp_c="A")) as press, asyncio.timeout(20):
            stream = press.observations()
            await anext(stream)
            await server.doubt("A", 51.0, subscription.OVERFLOW)
            seen = await until_frame(stream, "mold_temp_c", 51.0)
            lost = press.condition.lost

    assert lost == 1
    assert seen.qualities == (Quality.GOOD,)


def test_a_lost_message_is_told_with_the_one_that_follows_it() -> None:
    assert subscription.gap(0) == ""
    assert subscription.gap(1) == "the subscription lost 1 notification"
    assert subscription.gap(3) == "the subscription lost 3 notifications"
    assert Publish(datetime.now(UTC)).lost == 0


async def test_session_and_subscription_end_soon_at_the_server_if_we_are_gone() -> None:
    async with flat_server(A=50.0) as server:
        told = settings(server.url, read="subscribe", poll_s=0.5)
        async with open_press(told, mapped(mold_temp_c="A")) as press:
            await anext(press.observations())
            inside = server._server._server.iserver
            (session,) = inside._external_sessions.values()
            (made,) = inside.subscription_service.subscriptions.values()
            lives_s = made.data.RevisedLifetimeCount * made.data.RevisedPublishingInterval / 1000

    assert session.session_timeout == SESSION_TIMEOUT_S
    assert 30 <= SESSION_TIMEOUT_S <= 60
    assert 30 <= lives_s <= 120
