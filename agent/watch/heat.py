"""What is wrong with the heat of a mold: the verdict on mold and coolant.

None of it moves any time on a press that cools by timer, so that only these signals can tell; where
there are none, nothing is claimed.

Source:
    Signatures of the molding reference, 2.4. A part gives the water nearly the same heat whatever
    the mold's temperature (4 % less at 8 K), so that a return that runs further ahead of the supply
    means less water.
"""

from collections.abc import Mapping

from agent.watch.channel import Channel
from agent.watch.treatment import RISE
from agent.watch.verdict import WAIT, Scene, Verdict, Wait
from agent.watch.words import amount, by_whom
from drivers import Value

SWING_WAIT = 8
"""Cycles until supply that is off is told as off: one that hunts has turned back by then."""
SWING_MOST = 30
TURNED_BACK = 0.7
"""Of the furthest: a value below is on its way back."""
MOLD_WAIT = 3
UNSURE_WAIT = 6
SURELY = 0.8
"""Share of its limit from which a signal that is not out yet bears witness."""
RISE_SHARE = 0.25
"""From which a larger rise from supply to return is less water."""
SLOW_CYCLES = 25
"""What takes so long for the second half of its way is no valve and no setting."""
MANY = 3
"""Molds that turn warm together have one supply, whatever else they show."""


def verdict(scene: Scene) -> Verdict | Wait | None:
    """The cause of water or mold that is out."""
    flow = next((c for c in scene.out if c.name == "coolant_flow_l_min"), None)
    supply = next((c for c in scene.out if c.name == "coolant_in_c"), None)
    mold = next((c for c in scene.out if c.name == "mold_temp_c"), None)
    back = next((c for c in scene.out if c.name == "coolant_out_c"), None)
    if flow is not None and flow.off < 0:
        return _low_flow(scene, flow)
    if "coolant_in_c" in scene.swung and (supply or mold or back):
        return _hunting(scene, supply or scene.channel("coolant_in_c") or mold or back)
    if supply is not None:
        return _supply(scene, supply)
    if mold is not None:
        return _mold(scene, mold)
    if back is not None:
        return _return(scene, back)
    rise = next((c for c in scene.out if c.name == RISE), None)
    if rise is not None:
        return _rise(scene, rise)
    return _unexplained(scene, flow) if flow is not None else None


def _low_flow(scene: Scene, channel: Channel) -> Verdict:
    now, home = channel.now, channel.home
    return Verdict(
        kind="cooling_heat",
        cause="coolant_flow_low",
        channel=channel,
        message=f"Coolant flow fell to {amount(channel.name, now)} from "
        f"{amount(channel.name, home)}.{_warmer(scene)}",
        short=f"flow {amount(channel.name, channel.off, sign=True)}",
        likely="a circuit is blocked or shut, a hose is kinked, or the pump is weak",
        advice="Check valves, hoses and filter of the circuit, then the pump.",
        severity="alarm" if channel.off < -0.3 * home else "warning",
        evidence=_water(scene),
        value=round(now, 3),
    )


def _hunting(scene: Scene, channel: Channel | None) -> Verdict | None:
    if channel is None:
        return None
    return Verdict(
        kind="cooling_heat",
        cause="temperature_control_fault",
        channel=channel,
        message=f"The coolant supply swings around {amount(channel.name, channel.home)}; "
        f"it stands at {amount(channel.name, channel.last)} now.",
        short="coolant supply swings",
        likely="the temperature control unit hunts",
        advice="Check the unit's controller settings, its sensor and its valve.",
        evidence=_water(scene),
        value=channel.last,
    )


def _supply(scene: Scene, channel: Channel) -> Verdict | Wait:
    if scene.edit("mold_temp_set_c") is not None:
        return _mold(scene, channel)
    turned_back = abs(channel.last - channel.centre) < TURNED_BACK * channel.peak
    if scene.age < SWING_WAIT or (turned_back and scene.age < SWING_MOST):
        return WAIT
    if channel.off < 0:
        return _unexplained(scene, channel)
    others = [e for e in scene.elsewhere if e.signal == "coolant_in_c"]
    return _warm_supply(scene, channel, others[0].anomaly if others else None)


def _warm_supply(scene: Scene, channel: Channel, follows: str | None) -> Verdict:
    presses = sorted({e.machine for e in scene.elsewhere})
    where = f" So it is at {_listed(presses)}: the supply is common." if presses else ""
    return Verdict(
        kind="cooling_heat",
        cause="coolant_supply_warm",
        channel=channel,
        message=f"The coolant comes in at {amount(channel.name, channel.last)}, "
        f"{amount(channel.name, channel.off, sign=True)} against usual.{_warmer(scene)}{where}"
        if channel.name == "coolant_in_c"
        else f"The mold is {amount(channel.name, channel.off, sign=True)} off.{where}",
        short=f"coolant {amount(channel.name, channel.off, sign=True)}",
        likely="the chiller or tower" if presses else "chiller, tower, or this mold's control unit",
        advice="Check the supply's temperature at the manifold, then the chiller.",
        severity="alarm" if presses else "warning",
        evidence=_water(scene),
        follows=follows,
    )


def _mold(scene: Scene, channel: Channel) -> Verdict | Wait:
    edit = scene.edit("mold_temp_set_c")
    if edit is not None:
        return _mold_temperature(scene, channel, f" The setting was changed{by_whom(edit.who)}.")
    if scene.age < MOLD_WAIT:
        return WAIT
    flow, supply = scene.channel("coolant_flow_l_min"), scene.channel("coolant_in_c")
    if channel.off > 0 and flow is not None and scene.leans(flow.name) < 0:
        if scene.leans(flow.name, SURELY) < 0:
            return _low_flow(scene, flow)
        if scene.age < UNSURE_WAIT:
            return WAIT
    if supply is not None and scene.leans(supply.name) * channel.off > 0:
        if scene.age < SWING_WAIT:
            return WAIT
        if scene.leans(supply.name) > 0.4 * channel.off > 0:
            others = [e for e in scene.elsewhere if e.signal == "coolant_in_c"]
            return _warm_supply(scene, supply, others[0].anomaly if others else None)
    if channel.off > 0 and flow is None and _rise_grew(scene):
        return _low_flow_by_heat(scene, channel)
    if channel.off > 0 and supply is None and len({e.machine for e in scene.elsewhere}) >= MANY - 1:
        return _warm_supply(scene, channel, scene.elsewhere[0].anomaly)
    slow = any(
        since is not None and scene.counter - since >= SLOW_CYCLES
        for since in (channel.since, channel.leans_since)
    )
    if channel.off > 0 and slow and flow is not None and supply is not None:
        return Verdict(
            kind="cooling_heat",
            cause="fouling",
            channel=channel,
            message=f"The mold has slowly warmed to {amount(channel.name, channel.level)} "
            f"({amount(channel.name, channel.off, sign=True)}), while flow and supply are as ever.",
            short=f"mold {amount(channel.name, channel.off, sign=True)} slowly",
            likely="scale in the water lines",
            advice="Descale the circuits; compare flow and pressure drop before and after.",
            evidence=_water(scene),
        )
    return _mold_temperature(scene, channel, "")


def _mold_temperature(scene: Scene, channel: Channel, told: str) -> Verdict:
    way = "warmer" if channel.off > 0 else "colder"
    here = "The coolant" if channel.name == "coolant_in_c" else "The mold"
    unseen = "" if scene.channel("coolant_flow_l_min") else " The machine shows no coolant flow."
    presses = sorted({e.machine for e in scene.elsewhere})
    also = f" At the same time at {_listed(presses)}." if presses else ""
    return Verdict(
        kind="cooling_heat",
        cause="mold_temperature",
        channel=channel,
        message=f"{here} is {amount(channel.name, abs(channel.off)).replace('°C', 'K')} {way} than "
        f"usual, {amount(channel.name, channel.now)}, with the same timer.{told}"
        f"{unseen}{also}",
        short=f"mold {amount(channel.name, channel.off, sign=True)}",
        likely="" if told else "water, its control unit, or a pace that changed",
        advice="Check the control unit, flow and supply of this mold.",
        severity="info" if told else "warning",
        evidence=_water(scene),
    )


def _return(scene: Scene, channel: Channel) -> Verdict | Wait:
    if scene.age < UNSURE_WAIT:
        return WAIT
    flow, supply = scene.channel("coolant_flow_l_min"), scene.channel("coolant_in_c")
    if channel.off > 0 and flow is not None and scene.leans(flow.name, SURELY) < 0:
        return _low_flow(scene, flow)
    if channel.off > 0 and supply is not None and scene.leans(supply.name) > 0.4 * channel.off:
        return _warm_supply(scene, supply, None)
    if channel.off > 0 and flow is None and _rise_grew(scene):
        return _low_flow_by_heat(scene, channel)
    return _unexplained(scene, channel)


def _rise(scene: Scene, channel: Channel) -> Verdict | Wait | None:
    """The water warms by more, and nothing else is out; by less is no fault that has a name."""
    if scene.age < UNSURE_WAIT or scene.leans("coolant_in_c"):
        return WAIT
    return _low_flow_by_heat(scene, channel) if channel.off > 0 and _rise_grew(scene) else None


def _rise_grew(scene: Scene) -> bool:
    """Whether the water warms by so much more that there must be less of it."""
    rise, cycle = scene.channel(RISE), scene.channel("cycle_time_s")
    if rise is None or (cycle is not None and abs(cycle.off) > 0.03 * cycle.home):
        return False
    usual = rise.home
    doubt = 2.5 * rise.sigma / usual if usual > 0.5 else 1.0  # of a mean of several
    return usual > 0.5 and rise.level > usual * (1 + max(RISE_SHARE, doubt))


def _low_flow_by_heat(scene: Scene, channel: Channel) -> Verdict:
    rise = scene.channel(RISE)
    assert rise is not None
    usual, now = rise.home, rise.level
    return Verdict(
        kind="cooling_heat",
        cause="coolant_flow_low",
        channel=channel,
        message=f"The coolant warms by {now:.1f} K in the mold instead of {usual:.1f} K: less "
        f"of it flows.{_warmer(scene)} The flow itself is not measured.",
        short=f"less flow: rise {now:.1f} K",
        likely="a circuit is blocked or shut, a hose is kinked, or the pump is weak",
        advice="Check valves, hoses and filter of the circuit, then the pump.",
        evidence=_water(scene),
    )


def _unexplained(scene: Scene, channel: Channel) -> Verdict | Wait:
    if scene.age < UNSURE_WAIT:
        return WAIT
    return Verdict(
        kind="cooling_heat",
        cause="unexplained",
        channel=channel,
        message=f"{_NAMES.get(channel.name, channel.name)} is "
        f"{amount(channel.name, channel.now)} "
        f"({amount(channel.name, channel.off, sign=True)} against usual).",
        short=f"{_NAMES[channel.name].lower()} {amount(channel.name, channel.off, sign=True)}"[:26],
        advice="Look at the control unit, valves and hoses of this mold.",
        severity="info",
        evidence=_water(scene),
    )


_NAMES: Mapping[str, str] = {
    "coolant_in_c": "Supply",
    "coolant_out_c": "Return",
    "coolant_flow_l_min": "Flow",
    RISE: "Rise",
    "mold_temp_c": "Mold",
}


def _warmer(scene: Scene) -> str:
    mold = scene.channel("mold_temp_c")
    if mold is None or abs(mold.off) < 0.3 * mold.limit:
        return ""
    off = amount(mold.name, mold.off, sign=True)
    return f" The mold is at {amount(mold.name, mold.last)} ({off})."


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _water(scene: Scene) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name in _NAMES:
        if (channel := scene.channel(name)) is not None:
            found[name] = round(channel.last, 2)
            found[f"{name}:usual"] = round(channel.home, 2)
    return found
