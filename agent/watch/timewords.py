"""What is said of times, and what phases come to together."""

from collections.abc import Mapping

from agent.watch.channel import Channel
from agent.watch.derived import REST
from agent.watch.verdict import Edit, Scene
from agent.watch.words import amount, by_whom, share
from drivers import Value

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


def called(name: str) -> str:
    """What people call a signal: `cooling`, `mold temp`."""
    if (word := _NAMES.get(name)) is not None:
        return word
    return name.rpartition("_")[0].replace("_", " ")


def sentence(channel: Channel) -> str:
    """`Cooling takes 12.50 s, 0.50 s longer than usual (+4 %).`"""
    now = channel.now
    by = now - channel.home
    return (
        f"{called(channel.name).capitalize()} takes {amount(channel.name, now)}, "
        f"{amount(channel.name, abs(by))} {'longer' if by > 0 else 'shorter'} than usual "
        f"({share(by, channel.home)})."
    )


def changed(edit: Edit | None) -> str:
    """`The setting was changed by MILLER from 14 to 14.5 s.`, as far as the machine says it."""
    if edit is None:
        return ""
    old, new = edit.old, edit.new
    told = (
        f" from {old:g} to {new:g} s" if isinstance(old, float) and isinstance(new, float) else ""
    )
    return f"The setting was changed{by_whom(edit.who)}{told}."


def cycle_words(scene: Scene) -> str:
    """By how much the cycle follows, where it is out as well."""
    cycle = scene.channel("cycle_time_s")
    if cycle is None or not scene.is_out("cycle_time_s"):
        return ""
    return f"The cycle follows with {amount(cycle.name, cycle.off, sign=True)}."


def is_same(by: float | None, off: float, channel: Channel) -> bool:
    """Whether a change of a set point is the step that was measured."""
    if by is None:
        return False
    return abs(by - off) <= max(0.04, 0.25 * abs(by), 3 * channel.sigma)


def phases(scene: Scene) -> dict[str, Value]:
    """How far each phase is off, in seconds: what adds up to the cycle's change."""
    found: dict[str, Value] = {}
    for name in ("cycle_time_s", "cooling_time_s", *REST):
        channel = scene.channel(name)
        if channel is not None:
            found[name] = round(channel.off, 3)
    return found
