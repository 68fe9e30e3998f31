"""What a shot counter's new value says, given the last one: a pure judgement, one rule a case.

Counters rise by one a closing, until they don't: they are reset per job, wrap at their width, come
back from a power loss with the last saved value, show half of a new number. The clock has a say: a
counter can't have made more closings than the time since the last one leaves room for. Where
several readings of the same two numbers are possible, the likeliest is taken and the others are its
bounds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from agent.pace import Room

WIDTHS = (10_000, 2**15, 2**16, 100_000, 1_000_000, 10_000_000, 2**31, 2**32)
"""Moduli of common counters: four to seven decimals, 15, 16, 31 and 32 bits."""

SIGNED = (2**16, 2**32)
"""Widths of which the upper half may show as numbers below 0."""

WORD = 2**16
"""What a number of two registers is off by when one of them is of the next value already."""

ROLLED_BACK_MOST = 50
"""A control that lost power comes back at most this much behind (molding practice: 1 to 50)."""

RESET_TO_MOST = 5
"""A counter this low was reset rather than rolled back, where nothing else tells."""

AS_LIKELY = 0.1
"""A count that lies this near to what the usual pace makes of the time is no coincidence."""

DUE = 10
"""A counter that had no more than this to go was about to wrap."""

FEW = 4
"""So many steps at once, where the time leaves room for fewer, are a switch that bounced."""


class Step(StrEnum):
    """How a counter went from its last value to the new one."""

    SAME = "same"
    RISEN = "risen"
    WRAPPED = "wrapped"
    RESET = "reset"
    ROLLED_BACK = "rolled_back"
    SET = "set"
    """To a value that is neither near 0 nor near the last one."""
    JUMPED = "jumped"
    """Ahead, by more than there was time for."""
    TORN = "torn_word"
    RESUMED = "resumed"
    """It goes on where it was before it went elsewhere, or stood still."""
    STUCK = "stuck"
    DOUBLED = "double_pulse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What happened, and how many closings it proves."""

    step: Step
    closings: int
    """Since the last value; what is booked."""
    least: int
    most: int
    """Bounds; both equal to `closings` where the evidence suffices."""
    alone: bool = True
    """No other reading of the two numbers is possible."""
    shots: int | None = None
    """How many of the closings were with plastic, where something says so."""
    evidence: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether the evidence suffices."""
        return self.least == self.closings == self.most


def certain(step: Step, closings: int, evidence: str = "") -> Judgement:
    """A judgement that leaves no doubt."""
    return Judgement(step=step, closings=closings, least=closings, most=closings, evidence=evidence)


def stood(last: int, room: Room, *, sure: bool, per_job: bool | None = False) -> Judgement:
    """The last one's number again: the counter stands, or came back to it.

    Args:
        last: The number.
        room: What the time since it leaves room for.
        sure: A closing is proved by more than the counter.
        per_job: As in `judge`; a counter that is set back may be just as far again.
    """
    evidence = f"{last} again; time for {room.most}"
    if room.told:
        room = replace(room, most=int(sure))
    if not sure:
        found = certain(Step.SAME, 0)
    else:
        most = max(1, min(room.most, ROLLED_BACK_MOST))
        found = Judgement(step=Step.STUCK, closings=1, least=1, most=most, evidence=evidence)
    if per_job is False or not 1 <= last <= room.most:
        return found
    found = replace(found, most=room.most, alone=False, evidence=evidence)
    return replace(found, step=Step.RESET, closings=last) if per_job else found


def judge(
    last: int,
    new: int,
    room: Room,
    *,
    sure: bool = True,
    modulus: int | None = None,
    per_job: bool | None = False,
    heard: bool = False,
) -> Judgement:
    """Tell a rise from a wrap, a reset, a roll-back and a torn number.

    Args:
        last: The counter before.
        new: The counter now.
        room: What the time between the two leaves room for.
        sure: A closing is proved by more than the counter: its own report came.
        modulus: What the counter counts modulo; None tries the common widths.
        per_job: Another job began meanwhile, and jobs set this counter to 0; None: perhaps they do;
            False: no other job began, or they do not.
        heard: Another counter will say which reading is right.

    >>> from agent.pace import Pace
    >>> pace = Pace([20.0] * 5)
    >>> judge(65535, 2, pace.room(60), modulus=65536).step.value
    'wrapped'
    >>> judge(480, 1, pace.room(20)).closings
    1
    >>> found = judge(480, 462, pace.room(300))
    >>> found.step.value, found.closings, found.least, found.most
    ('rolled_back', 1, 1, 16)
    """
    if new == last:
        return certain(Step.SAME, 0)
    if new > last:
        return _rise(last, new, room, sure, modulus, per_job)
    return _fall(last, new, room, sure, modulus, per_job, heard)


def _rise(
    last: int, new: int, room: Room, sure: bool, modulus: int | None, per_job: bool | None
) -> Judgement:
    n = new - last
    if last < 0 <= new <= room.believable and n > room.most:  # below 0 it was after a wrap
        return _reset(last, new, replace(room, most=int(sure)) if room.told else room, sure)
    if n > max(1, room.believable) and n in room.hidden:
        # Somebody looked, and saw it stand; but what it shows now is just what there was time for.
        said = f"{last} to {new}; it stood still, and there was time for {room.hidden.stop - 1}"
        return Judgement(
            step=Step.RISEN, closings=n, least=max(room.most, int(sure)), most=n, evidence=said
        )
    if n > 1 and n > room.believable:
        return _too_far(last, new, room, sure)
    over = n % WORD
    if n // WORD == 1 and 1 <= over <= room.most < n:
        evidence = f"{last} to {new}; off by {n - over:,}, as half a number is"
        return certain(Step.TORN, over, evidence)
    found = certain(Step.RISEN, n)
    if room.likely is not None or n <= FEW:
        # At the pace so far; of a machine of which nothing is known, few steps may be one closing.
        paced = max(1, room.paced or 1)
        if n > paced:
            evidence = f"{last} to {new}; time for {paced} at the pace so far"
            found = replace(found, least=paced, alone=False, evidence=evidence)
    if room.lately is not None and 1 < n <= FEW and found.least > room.lately:
        evidence = f"{last} to {new}; time for {room.lately} as fast as the last ones"
        found = replace(found, least=room.lately, alone=False, evidence=evidence)
    width = modulus or next((w for w in WIDTHS if last < w and new < w), WIDTHS[-1])
    rounds = max(0, room.most - n) // width
    if rounds and (modulus or room.likely is not None):
        most = n + rounds * width
        evidence = f"{last} to {new}; time for {room.most}: it may have passed {width}"
        found = replace(found, most=most, evidence=evidence)
    if per_job is not False and n <= new <= room.most and n < room.most and not room.told:
        evidence = f"{last} to {new} with another job; time for {room.most}"
        most = max(new, room.most)
        if per_job:
            return Judgement(
                step=Step.RESET, closings=new, least=n, most=most, alone=False, evidence=evidence
            )
        found = replace(found, most=max(found.most, most), alone=False, evidence=evidence)
    return found


def _too_far(last: int, new: int, room: Room, sure: bool) -> Judgement:
    """More steps than the time leaves room for."""
    n = new - last
    said = f"{last} to {new}; time for {room.most}"
    over = n % WORD
    if n // WORD == 1 and 1 <= over <= room.most:
        return certain(Step.TORN, over, f"{said}; off by {n - over:,}, as half a number is")
    proved = int(sure)
    if not room.steady:
        if n <= 10 * room.believable + 10:
            least = min(n, max(room.most, proved))
            return Judgement(step=Step.RISEN, closings=n, least=least, most=n, evidence=said)
    elif n <= FEW:
        likely = room.likely or 0.0
        most = max(room.most, min(n, int(likely + 0.8)))
        return Judgement(
            step=Step.DOUBLED, closings=room.most, least=room.most, most=most, evidence=said
        )
    elif n <= 1.25 * room.most:
        return certain(Step.RISEN, n, f"{said} at the pace before")
    elif n <= 2 * room.most:
        return Judgement(step=Step.RISEN, closings=n, least=room.most, most=n, evidence=said)
    return Judgement(
        step=Step.JUMPED, closings=proved, least=proved, most=max(proved, room.most), evidence=said
    )


def _fall(
    last: int,
    new: int,
    room: Room,
    sure: bool,
    modulus: int | None,
    per_job: bool | None,
    heard: bool,
) -> Judgement:
    proved = int(sure)
    said = f"{last} to {new}; time for {room.most}"
    wraps = [*_wraps(last, new, room, modulus)]
    plain = not heard and [
        each for each in wraps if _plain(each, new, room, new_job=per_job is not False)
    ]
    if plain and room.told and plain[0].closings > 1 and 0 <= new <= RESET_TO_MOST:
        plain = []  # that few closings were not told is no likelier than that it was set back
    if plain:
        return plain[0]
    if room.told:  # but for what the counter itself shows, and a few words lost, nothing ended
        room = replace(room, most=proved)
        wraps = [each for each in wraps if each.closings <= FEW]
    fell = last - new
    backs = []
    if fell <= ROLLED_BACK_MOST and per_job is not True:
        # What was made before the power went and after it came back is at most what was not saved.
        most = max(proved, min(room.most, ROLLED_BACK_MOST - fell))
        backs.append(
            Judgement(
                step=Step.ROLLED_BACK, closings=proved, least=proved, most=most, evidence=said
            )
        )
    resets = [_reset(last, new, room, sure)] if 0 <= new <= room.believable else []
    if backs and per_job is False and new > RESET_TO_MOST:
        resets = []  # it would have come back near to where it was by chance
    elif backs and room.told and new > FEW:
        resets = []  # all of those would have been told
    if per_job is not False:
        readings = [*resets, *wraps, *backs]
    elif new > RESET_TO_MOST:
        readings = [*wraps, *backs, *resets]
    else:
        readings = [*wraps, *resets, *backs]
    if not readings:
        return Judgement(
            step=Step.SET, closings=proved, least=proved, most=max(proved, room.most), evidence=said
        )
    return replace(
        readings[0],
        least=min(each.least for each in readings),
        most=max(each.most for each in readings),
        alone=len(readings) == 1,
    )


def _reset(last: int, new: int, room: Room, sure: bool) -> Judgement:
    least = max(new, int(sure))
    return Judgement(
        step=Step.RESET,
        closings=least,
        least=least,
        most=max(least, room.most),
        evidence=f"{last} to {new}; time for {room.most}",
    )


def _wraps(last: int, new: int, room: Room, modulus: int | None) -> Iterator[Judgement]:
    """Every width that the counter may have gone round at, the likeliest first."""
    for width in (modulus,) if modulus else WIDTHS:
        end = width // 2 if new < 0 else width
        if last >= end or (new < 0 and (width not in SIGNED or new < -end)):
            continue
        n = new - last + width
        if n > (room.most if room.likely is not None else max(room.most, 2 * DUE)):
            continue
        to_go = end - 1 - last
        likely = room.likely is not None and abs(n - room.likely) <= max(1, AS_LIKELY * n)
        if not (modulus or to_go <= max(DUE, width // 100) or likely):
            continue
        rounds = max(0, room.most - n) // width
        yield Judgement(
            step=Step.WRAPPED,
            closings=n,
            least=n,
            most=n + rounds * width,
            evidence=f"{last} to {new}, past {end - 1}; time for {room.most}",
        )


def _plain(wrap: Judgement, new: int, room: Room, *, new_job: bool) -> bool:
    """Whether a wrap needs no other reading beside it."""
    n = wrap.closings
    if n == 1 or (n <= 3 and room.likely is None and not new_job):
        return True
    if wrap.most != n or new_job or (room.paused and 0 <= new <= RESET_TO_MOST):
        return False
    told = n <= RESET_TO_MOST or new > RESET_TO_MOST  # else a stop may be just as long, by chance
    if told and room.likely is not None and abs(n - room.likely) <= max(0.5, AS_LIKELY * n):
        return True
    due = n - max(new, 0) <= DUE + 1 and n <= 2 * DUE
    return due and room.most <= n + 2
