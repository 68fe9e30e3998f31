"""Which phase holds a step of the cycle, and who or what made it: the verdict on times.

Phases add up to the cycle to about ten milliseconds, so that a step of the cycle is a step of one
of them; where the machine gives no cooling time, what the other phases leave of a step is its.

Source:
    Decision order and signatures of the molding reference, 2.5.
"""

from agent.watch.channel import Channel
from agent.watch.cooling import cooling_verdict, recovery_late, screw_is_late, timer_changed
from agent.watch.derived import REST
from agent.watch.program import program_verdict
from agent.watch.steps import step_of
from agent.watch.stops import SEMI
from agent.watch.timewords import called, changed, cycle_words, is_same, phases, sentence
from agent.watch.verdict import WAIT, Scene, Verdict, Wait
from agent.watch.words import amount


def verdict(scene: Scene) -> Verdict | Wait | None:
    """The cause of times that are out."""
    if (found := program_verdict(scene)) is not None:
        return found
    for name, judge in (
        ("hold_time_s", _hold),
        ("cooling_time_s", cooling_verdict),
        ("fill_time_s", _fill),
        ("ejection_time_s", _ejection),
        ("mold_open_time_s", _movement),
        ("mold_close_time_s", _movement),
        ("pause_time_s", _pause),
        ("cycle_time_s", _cycle),
    ):
        channel = next((c for c in scene.out if c.name == name), None)
        if channel is not None:
            return judge(scene, channel)
    return None


# One phase


def _hold(scene: Scene, channel: Channel) -> Verdict:
    edit = scene.edit("hold_time_set_s")
    return Verdict(
        kind="cycle_time",
        cause="hold_time_changed",
        channel=channel,
        message=" ".join(filter(None, (sentence(channel), changed(edit), cycle_words(scene)))),
        short=f"hold {amount(channel.name, channel.off, sign=True)}",
        likely="" if edit else "somebody changed the hold time",
        advice="Check the hold time against the set-up sheet; the gate's freezing is the least.",
        evidence=phases(scene),
    )


def _fill(scene: Scene, channel: Channel) -> Verdict | Wait:
    return Verdict(
        kind="cycle_time",
        cause="fill_changed",
        channel=channel,
        message=f"{sentence(channel)} {cycle_words(scene)}".rstrip(),
        short=f"fill {amount(channel.name, channel.off, sign=True)}",
        likely="injection speed or switch-over was changed, or the melt flows otherwise",
        advice="Compare speed, switch-over and peak pressure with the set-up sheet.",
        evidence=phases(scene),
    )


def _movement(scene: Scene, channel: Channel) -> Verdict | Wait:
    step = step_of(channel, channel.off)
    if channel.name == "mold_open_time_s" and step.shape != "step":
        return _ejection(scene, channel)
    if step.shape == "step" and step.after < 2 and scene.age < 2:
        return WAIT
    return Verdict(
        kind="cycle_time",
        cause="open_close_changed",
        channel=channel,
        message=f"{sentence(channel)} {cycle_words(scene)}".rstrip(),
        short=f"{called(channel.name)} {amount(channel.name, channel.off, sign=True)}"[:26],
        likely="somebody changed the speed of the clamp",
        advice="Check the clamp's speeds against the set-up sheet.",
        evidence=phases(scene),
    )


def _ejection(scene: Scene, channel: Channel) -> Verdict:
    return Verdict(
        kind="cycle_time",
        cause="ejection_delay",
        channel=channel,
        message=f"Ejection takes longer, again and again: {sentence(channel)}",
        short=f"ejection {amount(channel.name, channel.off, sign=True)}",
        likely="parts stick",
        advice="Look at the parts and the ejector; draft, hold pressure and cooling decide.",
        evidence=phases(scene),
    )


def _pause(scene: Scene, channel: Channel) -> Verdict | Wait:
    if channel.off < 0 and channel.spikes.above <= channel.spikes.limit:
        return _cycle_unexplained(scene, channel)
    return Verdict(
        kind="cycle_time",
        cause="operator_wait",
        channel=channel,
        message=f"The open mold waits longer for robot or operator: {sentence(channel)}",
        short=f"waits {amount(channel.name, channel.off, sign=True)}",
        likely="the operator, the robot or the door" if scene.mode != SEMI else "the operator",
        advice="Nothing of the process itself changed.",
        severity="info",
        evidence=phases(scene),
    )


def _cycle(scene: Scene, channel: Channel) -> Verdict | Wait | None:
    """A longer or shorter cycle, and no phase that we see is: what is left may be cooling."""
    off = channel.off
    cooling = scene.channel("cooling_time_s")
    with_cooling = cooling is not None and _goes_along(cooling, channel)
    if off > 0 and not with_cooling and (late := screw_is_late(scene)) is not None:
        # The timer may stand as it was, and only the cycle be longer by what the screw needs.
        return recovery_late(scene, channel, late)
    if scene.mode == SEMI and off > 0:
        return Verdict(
            kind="cycle_time",
            cause="operator_wait",
            channel=channel,
            message=f"In semi-automatic mode the cycle waits for people: {sentence(channel)}",
            short=f"waits {amount(channel.name, off, sign=True)}",
            severity="info",
            evidence=phases(scene),
        )
    edit = scene.edit("cooling_time_set_s")
    if edit is not None and is_same(edit.by, off, channel):
        return timer_changed(scene, channel, edit)
    if (edit := scene.edit("hold_time_set_s")) is not None and is_same(edit.by, off, channel):
        return _hold(scene, channel)
    if with_cooling:
        return WAIT
    rest = [scene.channel(name) for name in REST]
    now_and_then = channel.spikes.above > channel.spikes.limit
    phase_leans = any(abs(c.off) > 0.5 * c.limit for c in rest if c is not None)
    if not now_and_then and scene.age <= (3 if phase_leans else 2):
        return WAIT
    return _cycle_unexplained(scene, channel)


def _goes_along(cooling: Channel, cycle: Channel) -> bool:
    """Whether cooling is on its way to where the cycle is already."""
    way = cooling.shift.value
    if way * cycle.shift.value <= 0 or abs(way) < 0.3 * cooling.limit:
        return False
    return abs(way) >= 0.5 * abs(cycle.shift.value)


def _cycle_unexplained(scene: Scene, channel: Channel) -> Verdict:
    cooling = scene.channel("cooling_time_s")
    known = " Cooling is as it was." if cooling is not None else ""
    return Verdict(
        kind="cycle_time",
        cause="unexplained",
        channel=channel,
        message=f"{sentence(channel)}{known} No phase that the machine shows holds the change.",
        short=f"cycle {amount(channel.name, channel.off, sign=True)}",
        advice="Look at the press: movements, ejection, robot, operator.",
        evidence=phases(scene),
    )
