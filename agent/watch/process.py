"""What moved in melt, screw and pressure: the verdict on everything that is no time and no water.

These wander in an ordinary hour, so that nothing is hurried: a shift has to last before it is told,
and what is on its way to somewhere else (a recovery that will outlast the timer) has got there.
"""

from collections.abc import Mapping

from agent.watch.channel import Channel
from agent.watch.consequences import CUSHION, MELT, PRESSURES, SCREW
from agent.watch.verdict import WAIT, Scene, Verdict, Wait
from agent.watch.words import amount, share
from drivers import Value

LASTS = 10
"""Cycles that a shift has to last."""
MELT_LASTS = 4
YOUNG_BEYOND = 1.5
"""Limits that a signal has to be off that settled after a stop only lately."""


def verdict(scene: Scene) -> Verdict | Wait | None:
    """The cause of process values that are out."""
    melt = [channel for channel in scene.out if channel.name in MELT]
    if melt:
        return WAIT if scene.age < MELT_LASTS else _melt(scene, melt)
    if scene.age < LASTS:
        return WAIT
    leaning = [name for name in MELT if scene.leans(name, 0.6)]
    if leaning and scene.age < 2 * LASTS:
        return WAIT
    standing = [c for c in scene.out if _beyond(c) >= (YOUNG_BEYOND if c.young else 1.0)]
    if not standing:
        return WAIT
    first = min(standing, key=lambda channel: (channel.since or 0, -_beyond(channel)))
    family, cause = _FAMILIES.get(first.name, (frozenset({first.name}), "unexplained"))
    members = [channel for channel in standing if channel.name in family]
    channel = max(members, key=_beyond)
    return Verdict(
        kind="process",
        cause=cause,
        channel=channel,
        message=_message(channel),
        short=f"{_SHORT.get(cause, 'process')} {share(channel.off, channel.home)}",
        likely=_LIKELY.get(cause, ""),
        advice=_ADVICE.get(cause, "Compare the settings with the set-up sheet."),
        evidence=_evidence(scene),
    )


def _melt(scene: Scene, out: list[Channel]) -> Verdict:
    channel = max(out, key=_beyond)
    return Verdict(
        kind="process",
        cause="melt_temperature",
        channel=channel,
        message=_message(channel),
        short=f"melt {amount(channel.name, channel.off, sign=True)}",
        likely=_LIKELY["melt_temperature"],
        advice=_ADVICE["melt_temperature"],
        evidence=_evidence(scene),
    )


def _beyond(channel: Channel) -> float:
    return abs(channel.off) / channel.limit


def _message(channel: Channel) -> str:
    name = channel.name.rpartition("_")[0].replace("_", " ").capitalize()
    way = "up" if channel.off > 0 else "down"
    return (
        f"{name} went {way} to {amount(channel.name, channel.now)}, "
        f"{amount(channel.name, channel.off, sign=True)} "
        f"({share(channel.off, channel.home)}) against usual."
    )


_FAMILIES: Mapping[str, tuple[frozenset[str], str]] = {
    **dict.fromkeys(PRESSURES, (PRESSURES, "pressure_shift")),
    **dict.fromkeys(CUSHION, (CUSHION, "cushion_shift")),
    **dict.fromkeys(SCREW, (SCREW, "recovery_shift")),
}
_SHORT: Mapping[str, str] = {
    "pressure_shift": "pressure",
    "cushion_shift": "cushion",
    "recovery_shift": "recovery",
}
_LIKELY: Mapping[str, str] = {
    "pressure_shift": "the material flows otherwise: lot, moisture, regrind or melt temperature",
    "cushion_shift": "the check ring leaks or wears, or the shot volume was changed",
    "recovery_shift": "the screw takes its granules otherwise: hopper, feed zone, back pressure",
    "melt_temperature": "a heater or its sensor has drifted, or a zone was set otherwise",
}
_ADVICE: Mapping[str, str] = {
    "pressure_shift": "Check lot, drying and melt temperature; weigh a part.",
    "cushion_shift": "Weigh parts; look at the check ring when the cushion goes on falling.",
    "recovery_shift": "Look at hopper, granules, feed zone, back pressure and screw speed.",
    "melt_temperature": "Compare the zones with their settings; measure the melt by hand.",
}


def _evidence(scene: Scene) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for channel in sorted(scene.out, key=_beyond, reverse=True)[:6]:
        found[channel.name] = round(channel.now, 3)
        found[f"{channel.name}:usual"] = round(channel.home, 3)
    return found
