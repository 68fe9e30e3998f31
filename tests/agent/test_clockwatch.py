"""A clock that was set is told once, with how far it was and is off; ours is told from theirs."""

from datetime import UTC, datetime

from agent.clockwatch import ClockWatch
from drivers.condition import Condition
from drivers.observations import Change
from drivers.skew import Skew

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Own:
    """Our own clock less one that nobody sets."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def clock(ahead_s: float) -> Condition:
    return Condition(clock=Skew(ahead_s, 0.1))


def test_a_jump_is_told_once_with_what_it_was_before() -> None:
    watch = ClockWatch("IMM-01", Own())
    assert watch.take(clock(0.2), AT) == []
    (notice,) = watch.take(clock(3600.0), AT)

    assert (notice.machine, notice.change, notice.name) == ("IMM-01", Change.CLOCK, "clock")
    assert (notice.old, notice.new, notice.unit) == (0.2, 3600.0, "s")
    assert watch.take(clock(3600.3), AT) == []


def test_a_jump_between_two_connections_is_told() -> None:
    watch = ClockWatch("IMM-01", Own())
    watch.take(clock(0.0), AT)
    watch.take(Condition(), AT)

    assert [notice.new for notice in watch.take(clock(-7200.0), AT)] == [-7200.0]


def test_drift_and_better_knowledge_are_no_jumps() -> None:
    watch = ClockWatch("IMM-01", Own())
    watch.take(Condition(clock=Skew(0.0, 20.0)), AT)

    assert watch.take(Condition(clock=Skew(19.0, 0.5)), AT) == []
    assert watch.take(Condition(clock=Skew(21.0, 0.5)), AT) == []


def test_the_servers_clock_is_another_one() -> None:
    watch = ClockWatch("IMM-01", Own())
    watch.take(Condition(clock=Skew(0.0, 0.1), server_clock=Skew(0.0, 0.1)), AT)
    told = watch.take(Condition(clock=Skew(0.0, 0.1), server_clock=Skew(600.0, 0.1)), AT)

    assert [(notice.name, notice.new) for notice in told] == [("server_clock", 600.0)]


def test_our_own_clock_that_is_set_is_not_taken_for_theirs() -> None:
    own = Own()
    watch = ClockWatch("IMM-01", own)
    watch.take(clock(0.0), AT)
    own.s = 3600.0
    told = watch.take(clock(-3600.0), AT)

    assert [(notice.name, notice.new) for notice in told] == [("our_clock", 3600.0)]
