"""What a subscription brings waits for us, up to a bound, and what is lost is counted."""

import asyncio

import pytest
from asyncua import ua

from drivers import StaleError, UnreachableError, subscription
from drivers.session import Session
from drivers.skew import Bounds
from drivers.subscription import Subscription


class Quiet:
    """A session that only counts signs of life."""

    machine = "IMM-07"

    def __init__(self) -> None:
        self.heard_times = 0
        self.server_clock = Bounds()

    def heard(self) -> None:
        self.heard_times += 1


def made(stale_s: float = 60.0) -> Subscription:
    session: Session = Quiet()  # type: ignore[assignment]  # nothing else of it is used
    return Subscription(session, stale_s)


def message(number: int, *values: float) -> ua.PublishResult:
    """A publish response with changes of item 1; without any it says 'alive'."""
    items = [
        ua.MonitoredItemNotification(ClientHandle=1, Value=ua.DataValue(ua.Variant(value)))
        for value in values
    ]
    data = [ua.DataChangeNotification(MonitoredItems=items)] if items else []
    told = ua.NotificationMessage(SequenceNumber=number, NotificationData=data)
    return ua.PublishResult(NotificationMessage=told)


async def values(taken: Subscription) -> list[float]:
    publish = await taken.next(0)
    assert publish is not None
    return [change.Value.Value for _, change in publish.changes]


async def test_what_waits_is_taken_in_order() -> None:
    taken = made()
    taken._take(message(1, 1.0, 2.0))
    taken._take(message(2))
    taken._take(message(2, 3.0))

    assert [await values(taken) for _ in range(3)] == [[1.0, 2.0], [], [3.0]]
    assert taken.lost == 0


async def test_what_can_not_wait_is_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(subscription, "QUEUE", 2)
    taken = made()
    for number in range(1, 5):
        taken._take(message(number, float(number), float(-number)))

    assert taken.lost == 4
    assert await values(taken) == [3.0, -3.0]
    assert "IMM-07: lost notifications so far: 4" in caplog.text


async def test_a_gap_in_the_servers_numbers_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    taken = made()
    for number in (1, 2, 5, 6):
        taken._take(message(number, 1.0))
    taken._take(message(9))

    assert taken.lost == 4
    assert "messages 3 to 4 of the subscription never came" in caplog.text


async def test_nothing_in_time_is_none() -> None:
    assert await made().next(asyncio.get_running_loop().time() + 0.01) is None


async def test_silence_is_stale() -> None:
    with pytest.raises(StaleError, match="silent"):
        await made(stale_s=0.02).next(asyncio.get_running_loop().time() + 5)


async def test_an_ended_subscription_is_unreachable_after_what_still_waits() -> None:
    taken = made()
    taken._take(message(1, 1.0))
    status = ua.StatusCode(ua.StatusCodes.BadTimeout)
    told = ua.NotificationMessage(
        SequenceNumber=2, NotificationData=[ua.StatusChangeNotification(Status=status)]
    )
    taken._take(ua.PublishResult(NotificationMessage=told))

    assert await values(taken) == [1.0]
    assert await values(taken) == []
    with pytest.raises(UnreachableError, match="the subscription ended: BadTimeout"):
        await taken.next(0)
