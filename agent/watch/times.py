"""Which phase holds a step of the cycle, and who or what made it: the verdict on times.

Phases add up to the cycle to about ten milliseconds, so that a step of the cycle is a step of one
of them; where the machine gives no cooling time, what the other phases leave of a step is its.

Source:
    Decision order and signatures of the molding reference, 2.5.
"""

from collections.abc import Mapping

from agent.watch.channel import Channel
from agent.watch.consequences import PRESSURES
from agent.watch.derived import REST, doubt_s
from agent.watch.steps import is_round, step_of
from agent.watch.verdict import WAIT, Edit, Scene, Verdict, Wait
from agent.watch.words import amount, by_whom, share
from drivers import Value

RECOVERY_REST_S = 1.5
"""From the screw's last turn to the opening, at most: the delay before it and decompression."""
SMALL_STEP_S = 0.15
"""One more step below this belongs to the stairs that are open already."""
LATE = 6
"""Cycles in which an odd time gets its cause or none."""
PROGRAM = "production_dataset"
SEMI = "SEMI_AUTOMATIC"


def verdict(scene: Scene) -> Verdict | Wait | None:
    """The cause of times that are out."""
    if (found := _program(scene)) is not None:
        return found
    for name, judge in (
        ("hold_time_s", _hold),
        ("cooling_time_s", _cooling),
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


# Several at once


def _program(scene: Scene) -> Verdict | None:
    """Several set points at once: another program, or another mold."""
    dataset = scene.edit(PROGRAM)
    stepped = [c for c in scene.baseline.channels.values() if _stepped(scene, c)]
    names = {channel.name for channel in stepped}
    if _rest_stepped(scene, names):
        names.add("cycle_time_s")
    entered = [
        group
        for group in (
            {"cooling_time_s"},
            {"hold_time_s"},
            {"fill_time_s"},
            {"mold_open_time_s", "mold_close_time_s"},
            {"mold_temp_set_c"},
            {"clamp_force_kn"},
            {"cycle_time_s"},
        )
        if group & names
    ]
    recovery_late = "cooling_time_s" in names and _screw_is_late(scene) is not None
    if recovery_late:
        entered = [group for group in entered if "cooling_time_s" not in group]
        names -= {"recovery_time_s"}
    if {"hold_time_s"} in entered:
        names -= {"hold_pressure_bar", "cushion_mm", "cushion_cm3", "shot_volume_cm3"}
    if {"fill_time_s"} in entered:
        names -= {"injection_pressure_peak_bar", "transfer_pressure_bar"}
    followed = [
        group
        for group in (
            PRESSURES,
            {"cushion_mm", "cushion_cm3"},
            {"recovery_time_s"},
            {"melt_temp_c"},
            {"back_pressure_bar"},
            {"transfer_position_mm"},
            {"mold_temp_c"},
        )
        if group & names
    ]
    if not (
        (dataset is not None and (entered or followed))
        or len(entered) >= 2
        or (entered and len(followed) >= 2)
    ):
        return None
    shown = sorted(stepped, key=lambda c: -abs(c.off) / c.limit)
    words = ", ".join(f"{_called(c.name)} {amount(c.name, c.off, sign=True)}" for c in shown[:4])
    who = by_whom(dataset.who) if dataset else ""
    named = (
        f" The machine says that the program '{dataset.new}' was loaded{who}." if dataset else ""
    )
    return Verdict(
        kind="process",
        cause="program_changed",
        channel=shown[0] if shown else scene.out[0],
        message=f"Several settings changed at once: {words}.{named}",
        short="program changed",
        likely="another program was loaded, or another mold is on" if not dataset else "",
        advice="Compare program and mold with the set-up sheet before more parts are made.",
        severity="alarm",
        evidence={c.name: round(c.off, 3) for c in shown[:8]},
    )


def _stepped(scene: Scene, channel: Channel) -> bool:
    """Whether a signal jumped with the newest cycles, two in a row."""
    return (
        channel.ready
        and not channel.frozen
        and channel.name in scene.values
        and channel.name != "cycle_time_s"
        and 2 <= abs(channel.single.run) <= 3
    )


def _rest_stepped(scene: Scene, names: set[str]) -> bool:
    """Whether cooling stepped, and the cycle by more than all phases that we see."""
    cycle = scene.channel("cycle_time_s")
    if cycle is None or "cooling_time_s" not in names or abs(cycle.single.run) < 2:
        return False
    phases = [scene.channel(name) for name in ("cooling_time_s", *REST)]
    left = cycle.off - sum(phase.off for phase in phases if phase is not None)
    return abs(left) > max(0.15, 6 * cycle.sigma) and step_of(cycle, cycle.off).shape == "step"


# One phase


def _hold(scene: Scene, channel: Channel) -> Verdict:
    edit = scene.edit("hold_time_set_s")
    return Verdict(
        kind="cycle_time",
        cause="hold_time_changed",
        channel=channel,
        message=" ".join(
            filter(None, (_sentence(channel), _changed(edit), _cycle_words(scene, channel)))
        ),
        short=f"hold {amount(channel.name, channel.off, sign=True)}",
        likely="" if edit else "somebody changed the hold time",
        advice="Check the hold time against the set-up sheet; the gate's freezing is the least.",
        evidence=_phases(scene),
    )


def _fill(scene: Scene, channel: Channel) -> Verdict | Wait:
    return Verdict(
        kind="cycle_time",
        cause="fill_changed",
        channel=channel,
        message=f"{_sentence(channel)} {_cycle_words(scene, channel)}".rstrip(),
        short=f"fill {amount(channel.name, channel.off, sign=True)}",
        likely="injection speed or switch-over was changed, or the melt flows otherwise",
        advice="Compare speed, switch-over and peak pressure with the set-up sheet.",
        evidence=_phases(scene),
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
        message=f"{_sentence(channel)} {_cycle_words(scene, channel)}".rstrip(),
        short=f"{_called(channel.name)} {amount(channel.name, channel.off, sign=True)}"[:26],
        likely="somebody changed the speed of the clamp",
        advice="Check the clamp's speeds against the set-up sheet.",
        evidence=_phases(scene),
    )


def _ejection(scene: Scene, channel: Channel) -> Verdict:
    return Verdict(
        kind="cycle_time",
        cause="ejection_delay",
        channel=channel,
        message=f"Ejection takes longer, again and again: {_sentence(channel)}",
        short=f"ejection {amount(channel.name, channel.off, sign=True)}",
        likely="parts stick",
        advice="Look at the parts and the ejector; draft, hold pressure and cooling decide.",
        evidence=_phases(scene),
    )


def _pause(scene: Scene, channel: Channel) -> Verdict | Wait:
    if channel.off < 0 and channel.spikes.above <= channel.spikes.limit:
        return _cycle_unexplained(scene, channel)
    return Verdict(
        kind="cycle_time",
        cause="operator_wait",
        channel=channel,
        message=f"The open mold waits longer for robot or operator: {_sentence(channel)}",
        short=f"waits {amount(channel.name, channel.off, sign=True)}",
        likely="the operator, the robot or the door" if scene.mode != SEMI else "the operator",
        advice="Nothing of the process itself changed.",
        severity="info",
        evidence=_phases(scene),
    )


def _cycle(scene: Scene, channel: Channel) -> Verdict | Wait | None:
    """A longer or shorter cycle, and no phase that we see is: what is left may be cooling."""
    off = channel.off
    cooling = scene.channel("cooling_time_s")
    with_cooling = cooling is not None and _goes_along(cooling, channel)
    if off > 0 and not with_cooling and (late := _screw_is_late(scene)) is not None:
        # The timer may stand as it was, and only the cycle be longer by what the screw needs.
        return _recovery(scene, channel, late)
    if scene.mode == SEMI and off > 0:
        return Verdict(
            kind="cycle_time",
            cause="operator_wait",
            channel=channel,
            message=f"In semi-automatic mode the cycle waits for people: {_sentence(channel)}",
            short=f"waits {amount(channel.name, off, sign=True)}",
            severity="info",
            evidence=_phases(scene),
        )
    edit = scene.edit("cooling_time_set_s")
    if edit is not None and _is_same(edit.by, off, channel):
        return _timer(scene, channel, edit)
    if (edit := scene.edit("hold_time_set_s")) is not None and _is_same(edit.by, off, channel):
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
        message=f"{_sentence(channel)}{known} No phase that the machine shows holds the change.",
        short=f"cycle {amount(channel.name, channel.off, sign=True)}",
        advice="Look at the press: movements, ejection, robot, operator.",
        evidence=_phases(scene),
    )


# Cooling


def _cooling(scene: Scene, channel: Channel) -> Verdict | Wait:
    off = channel.off
    edit = scene.edit("cooling_time_set_s")
    if edit is not None and _is_same(edit.by, channel.last - channel.centre, channel):
        stairs = abs(channel.last - channel.home) > 1.4 * abs(edit.by or 0.0)
        return _stairs(scene, channel, edit) if stairs else _timer(scene, channel, edit)
    if (late := _screw_is_late(scene)) is not None:
        return _recovery(scene, channel, late)
    step = step_of(channel, off)
    creeps = ("cooling_time", "staircase_drift") in scene.opened and abs(step.size) < SMALL_STEP_S
    stairs = step.shape == "stairs" or (creeps and step.shape == "step")
    shown = scene.baseline.sets.get("cooling_time_set_s")
    if shown is not None and "cooling_time_set_s" in scene.values:
        if abs(shown - channel.last) <= max(0.06, 3 * channel.sigma) and step.shape != "noise":
            # The set point moved with it, some time ago or in steps that nobody saw alone.
            return _stairs(scene, channel, edit) if stairs else _timer(scene, channel, edit)
        return WAIT if scene.age < LATE else _unexplained(scene, channel)
    if stairs:
        return _stairs(scene, channel, edit)
    if step.shape == "step" and step.after >= 2 and (is_round(step.size) or scene.age >= 3):
        return _timer(scene, channel, edit)
    if scene.age < LATE:
        return WAIT
    return _unexplained(scene, channel)


def _screw_is_late(scene: Scene) -> Channel | None:
    """The recovery, where the mold has to wait for it longer than for its timer."""
    recovery = scene.channel("recovery_time_s")
    cooling = scene.channel("cooling_time_s")
    if recovery is None or recovery.last - recovery.home < max(recovery.limit, 0.1):
        return None
    timer_s = scene.baseline.sets.get("cooling_time_set_s")
    if timer_s is None:
        if cooling is None:
            return None
        timer_s = cooling.home
    return recovery if recovery.last + RECOVERY_REST_S > timer_s else None


def _recovery(scene: Scene, channel: Channel, recovery: Channel) -> Verdict:
    return Verdict(
        kind="cooling_time",
        cause="recovery_exceeds_timer",
        channel=channel,
        message=f"The mold stays shut until the screw is ready: recovery takes "
        f"{amount(recovery.name, recovery.last)} instead of "
        f"{amount(recovery.name, recovery.home)}. {_sentence(channel)}",
        short="recovery over timer",
        likely="the screw gets or takes its granules slowly",
        advice="Look at hopper, granules, feed zone, back pressure and screw speed.",
        evidence={"recovery_time_s": round(recovery.last, 3), **_phases(scene)},
    )


def _timer(scene: Scene, channel: Channel, edit: Edit | None) -> Verdict:
    off = channel.off
    evidence: dict[str, Value] = dict(_phases(scene))
    if edit is not None and edit.new is not None:
        evidence["set_old"], evidence["set_new"] = str(edit.old), str(edit.new)
    told = " ".join(filter(None, (_sentence(channel), _changed(edit), _worked_out(scene))))
    return Verdict(
        kind="cooling_time",
        cause="timer_changed",
        channel=channel,
        message=told,
        short=f"cooling {amount('cooling_time_s', off, sign=True)}",
        likely="" if edit else "somebody changed the cooling timer",
        advice="Check the timer against the set-up sheet; if it is meant, approve it as golden.",
        severity="info" if edit is not None and edit.who else "warning",
        evidence=evidence,
    )


def _worked_out(scene: Scene) -> str:
    """How sure a cooling time is that the machine did not give."""
    if not scene.derived:
        return ""
    doubt = amount("cooling_time_s", 2 * doubt_s(scene.baseline))
    return (
        "The machine gives no cooling time; it is what the other phases leave of the cycle, "
        f"to {doubt}."
    )


def _stairs(scene: Scene, channel: Channel, edit: Edit | None) -> Verdict:
    off = channel.last - channel.home
    return Verdict(
        kind="cooling_time",
        cause="staircase_drift",
        channel=channel,
        message=f"Cooling has crept away in small steps: {amount(channel.name, channel.last)} "
        f"against {amount(channel.name, channel.home)} "
        f"({amount(channel.name, off, sign=True)}, {share(off, channel.home)})."
        + (f" {told}" if (told := _worked_out(scene)) else ""),
        short=f"cooling crept {amount(channel.name, off, sign=True)}",
        likely="the timer was edited several times, a little at a time"
        + by_whom(edit.who if edit else None),
        advice="Decide which cooling time is right, and enter or approve it.",
        evidence={**_phases(scene), "steps_each_s": round(step_of(channel, off).size, 3)},
    )


def _unexplained(scene: Scene, channel: Channel) -> Verdict:
    shown = scene.baseline.sets.get("cooling_time_set_s")
    timer = f"The timer is set to {amount(channel.name, shown)}." if shown is not None else ""
    return Verdict(
        kind="cooling_time",
        cause="unexplained",
        channel=channel,
        message=" ".join(filter(None, (_sentence(channel), timer, _worked_out(scene)))),
        short=f"cooling {amount(channel.name, channel.off, sign=True)}",
        advice="Look at what the press waits for while the mold is shut.",
        evidence=_phases(scene),
    )


# Words and sums

_NAMES: Mapping[str, str] = {
    "cycle_time_s": "cycle",
    "cooling_time_s": "cooling",
    "hold_time_s": "hold",
    "fill_time_s": "fill",
    "mold_open_time_s": "opening",
    "mold_close_time_s": "closing",
    "ejection_time_s": "ejection",
    "pause_time_s": "pause",
    "recovery_time_s": "recovery",
}


def _called(name: str) -> str:
    if (word := _NAMES.get(name)) is not None:
        return word
    return name.rpartition("_")[0].replace("_", " ")


def _sentence(channel: Channel) -> str:
    """`Cooling takes 12.50 s, 0.50 s longer than usual (+4 %).`"""
    now = channel.now
    by = now - channel.home
    return (
        f"{_called(channel.name).capitalize()} takes {amount(channel.name, now)}, "
        f"{amount(channel.name, abs(by))} {'longer' if by > 0 else 'shorter'} than usual "
        f"({share(by, channel.home)})."
    )


def _changed(edit: Edit | None) -> str:
    if edit is None:
        return ""
    old, new = edit.old, edit.new
    told = (
        f" from {old:g} to {new:g} s" if isinstance(old, float) and isinstance(new, float) else ""
    )
    return f"The setting was changed{by_whom(edit.who)}{told}."


def _cycle_words(scene: Scene, channel: Channel) -> str:
    cycle = scene.channel("cycle_time_s")
    if cycle is None or not scene.is_out("cycle_time_s"):
        return ""
    return f"The cycle follows with {amount(cycle.name, cycle.off, sign=True)}."


def _is_same(by: float | None, off: float, channel: Channel) -> bool:
    """Whether a change of a set point is the step that was measured."""
    if by is None:
        return False
    return abs(by - off) <= max(0.04, 0.25 * abs(by), 3 * channel.sigma)


def _phases(scene: Scene) -> dict[str, Value]:
    """How far each phase is off, in seconds: what adds up to the cycle's change."""
    found: dict[str, Value] = {}
    for name in ("cycle_time_s", "cooling_time_s", *REST):
        channel = scene.channel(name)
        if channel is not None:
            found[name] = round(channel.off, 3)
    return found
