"""Several set points that step at once: another program was loaded, or another mold is on."""

from agent.watch.channel import Channel
from agent.watch.consequences import PRESSURES
from agent.watch.cooling import screw_is_late
from agent.watch.derived import REST
from agent.watch.steps import step_of
from agent.watch.timewords import called
from agent.watch.verdict import Scene, Verdict
from agent.watch.words import amount, by_whom

PROGRAM = "production_dataset"


def program_verdict(scene: Scene) -> Verdict | None:
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
    recovery_late = "cooling_time_s" in names and screw_is_late(scene) is not None
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
    words = ", ".join(f"{called(c.name)} {amount(c.name, c.off, sign=True)}" for c in shown[:4])
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
