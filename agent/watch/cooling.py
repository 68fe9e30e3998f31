"""Why the mold cools longer or shorter than it did: the timer, the screw, or nobody knows.

Source:
    Signatures of the molding reference, 2.5.
"""

from agent.watch.channel import Channel
from agent.watch.derived import doubt_s
from agent.watch.steps import is_round, step_of
from agent.watch.timewords import changed, is_same, phases, sentence
from agent.watch.verdict import WAIT, Edit, Scene, Verdict, Wait
from agent.watch.words import amount, by_whom, share
from drivers import Value

RECOVERY_REST_S = 1.5
"""From the screw's last turn to the opening, at most: the delay before it and decompression."""
SMALL_STEP_S = 0.15
"""One more step below this belongs to the stairs that are open already."""
LATE = 6
"""Cycles in which an odd time gets its cause or none."""


def cooling_verdict(scene: Scene, channel: Channel) -> Verdict | Wait:
    """The cause of a cooling time that is out; it waits up to `LATE` cycles for a clear one."""
    off = channel.off
    edit = scene.edit("cooling_time_set_s")
    if edit is not None and is_same(edit.by, channel.last - channel.centre, channel):
        stairs = abs(channel.last - channel.home) > 1.4 * abs(edit.by or 0.0)
        return _stairs(scene, channel, edit) if stairs else timer_changed(scene, channel, edit)
    if (late := screw_is_late(scene)) is not None:
        return recovery_late(scene, channel, late)
    step = step_of(channel, off)
    creeps = ("cooling_time", "staircase_drift") in scene.opened and abs(step.size) < SMALL_STEP_S
    stairs = step.shape == "stairs" or (creeps and step.shape == "step")
    shown = scene.baseline.sets.get("cooling_time_set_s")
    if shown is not None and "cooling_time_set_s" in scene.values:
        if abs(shown - channel.last) <= max(0.06, 3 * channel.sigma) and step.shape != "noise":
            # The set point moved with it, some time ago or in steps that nobody saw alone.
            return _stairs(scene, channel, edit) if stairs else timer_changed(scene, channel, edit)
        return WAIT if scene.age < LATE else _unexplained(scene, channel)
    if stairs:
        return _stairs(scene, channel, edit)
    if step.shape == "step" and step.after >= 2 and (is_round(step.size) or scene.age >= 3):
        return timer_changed(scene, channel, edit)
    if scene.age < LATE:
        return WAIT
    return _unexplained(scene, channel)


def screw_is_late(scene: Scene) -> Channel | None:
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


def recovery_late(scene: Scene, channel: Channel, recovery: Channel) -> Verdict:
    """The screw keeps the mold shut, which shows in the cooling time or in the cycle alone."""
    return Verdict(
        kind="cooling_time",
        cause="recovery_exceeds_timer",
        channel=channel,
        message=f"The mold stays shut until the screw is ready: recovery takes "
        f"{amount(recovery.name, recovery.last)} instead of "
        f"{amount(recovery.name, recovery.home)}. {sentence(channel)}",
        short="recovery over timer",
        likely="the screw gets or takes its granules slowly",
        advice="Look at hopper, granules, feed zone, back pressure and screw speed.",
        evidence={"recovery_time_s": round(recovery.last, 3), **phases(scene)},
    )


def timer_changed(scene: Scene, channel: Channel, edit: Edit | None) -> Verdict:
    """Somebody changed the timer; who and from what to what, where the machine says so."""
    off = channel.off
    evidence: dict[str, Value] = dict(phases(scene))
    if edit is not None and edit.new is not None:
        evidence["set_old"], evidence["set_new"] = str(edit.old), str(edit.new)
    told = " ".join(filter(None, (sentence(channel), changed(edit), _worked_out(scene))))
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
        evidence={**phases(scene), "steps_each_s": round(step_of(channel, off).size, 3)},
    )


def _unexplained(scene: Scene, channel: Channel) -> Verdict:
    shown = scene.baseline.sets.get("cooling_time_set_s")
    timer = f"The timer is set to {amount(channel.name, shown)}." if shown is not None else ""
    return Verdict(
        kind="cooling_time",
        cause="unexplained",
        channel=channel,
        message=" ".join(filter(None, (sentence(channel), timer, _worked_out(scene)))),
        short=f"cooling {amount(channel.name, channel.off, sign=True)}",
        advice="Look at what the press waits for while the mold is shut.",
        evidence=phases(scene),
    )
