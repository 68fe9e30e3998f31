"""What one tile says, in words and figures.

The page is drawn with these as it is served; afterwards assets/face.js draws the same from the live
channel. A test gives both the same tiles and compares what they say.
"""

import math
import re
from dataclasses import dataclass
from datetime import datetime

from agent.live import Life, State, Tile
from dashboards.catalogue import Catalogue
from dashboards.figures import NOTHING, brief, duration_parts, number, percent, signed
from dashboards.plantzone import PlantZone

POINTER_SPAN = 0.04
"""The deviation bar ends this far from the target; beyond, the pointer stays at the end."""

CERTAIN_S = 0.015
"""A cooling time uncertain by less is printed without its uncertainty: two decimals show it."""

LONGEST = 120
"""Characters of a name that a page shows; nothing on a tile has room for more."""

_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """The texts of one tile, and where its bars stand. Empty text: nothing is said."""

    state: State
    word: str
    name: str
    """What a screen reader says; changes with the state, not with values."""
    label: str
    tonnage: str
    mold: str
    part: str
    cycle: str
    deviation: str
    target: str
    target_bare: str
    """The number alone."""
    pointer: float | None
    """Per cent of the deviation bar's width; the target is at 50. None without a target."""
    cooling: str
    uncertainty: str
    cooling_note: str
    life_number: str
    life_word: str
    life_used: float | None
    """Per cent; None where nobody planned a life."""
    flat: str
    """The large word of a press that does not run; empty while it runs."""
    line_1: str
    line_2: str
    line_3: str
    foot_left: str
    foot_right: str
    foot_of: str
    anomaly: str
    """What is open, in the place of the foot; empty where nothing is."""
    priority: int | None
    taken: bool


def shown(text: str | None) -> str:
    """A name from outside, without what can't be shown or would turn text around, and cut.

    >>> shown("A-2217\\x00"), len(shown("x" * 10_000))
    ('A-2217�', 120)
    """
    clean = _UNSHOWABLE.sub("�", (text or "")[:LONGEST])
    return clean if len(text or "") <= LONGEST else clean[:-1] + "…"


def shown_long(text: str) -> str:
    """A sentence of several lines' length, made fit to show."""
    return " ".join(shown(word) for word in text.split(" "))[:2000]


def state_now(tile: Tile, now: datetime) -> State:
    """The state to draw: a tile whose machine has been silent for too long is without data."""
    if tile.seen_at is None or (now - tile.seen_at).total_seconds() > tile.stale_after_s:
        return "no_data"
    return tile.state


def silent_since(tile: Tile) -> datetime | None:
    """Since when a tile is without data; None where there never was any."""
    return tile.since if tile.state == "no_data" and tile.since else tile.seen_at


class Artist:
    """Draws tiles for one language and zone."""

    def __init__(self, strings: Catalogue, zone: PlantZone) -> None:
        self._strings = strings
        self._zone = zone

    def face(self, tile: Tile, now: datetime) -> Face:
        """What the tile says at this instant."""
        say, state = self._strings.say, state_now(tile, now)
        word, mold = self._strings[f"state.{state}"], shown(tile.mold)
        name = {"label": shown(tile.label), "state": word.lower(), "mold": mold}
        said = say("tile.name_mold" if mold else "tile.name", **name)
        priority = tile.priority if state != "no_data" else None
        if priority is not None:
            said = say("tile.name_taken" if tile.taken else f"tile.name_{priority}", name=said)
        cooling, uncertainty, note = self._cooling(tile)
        life_number, life_word, life_used = self._life(tile.life)
        line_1, line_2, line_3 = self._lines(tile, state, now)
        foot_left, foot_right = self._foot(tile, state)
        return Face(
            state=state,
            word=word,
            name=said,
            label=shown(tile.label),
            tonnage=say("tile.tonnage", tonnage=tile.tonnage) if tile.tonnage else "",
            mold=mold,
            part=shown(tile.part) if mold else self._strings["tile.no_mold"],
            cycle=_seconds(tile.cycle_time_s),
            deviation=_deviation(tile),
            target=say("tile.target", target=brief(tile.target_s)) if tile.target_s else "",
            target_bare=brief(tile.target_s) if tile.target_s else "",
            pointer=pointer(tile.cycle_time_s, tile.target_s),
            cooling=cooling,
            uncertainty=uncertainty,
            cooling_note=note,
            life_number=life_number,
            life_word=life_word,
            life_used=life_used,
            flat="" if state == "running" else word,
            line_1=line_1,
            line_2=line_2,
            line_3=line_3,
            foot_left=foot_left,
            foot_right=foot_right,
            foot_of=self._foot_of(tile, state),
            anomaly=shown(tile.short) if priority is not None else "",
            priority=priority,
            taken=priority is not None and tile.taken,
        )

    def duration(self, seconds: float) -> str:
        """A duration for a person, rounded down."""
        key, parts = duration_parts(seconds)
        return self._strings.say(key, **parts)

    def _cooling(self, tile: Tile) -> tuple[str, str, str]:
        if tile.cooling_time_s is None:
            return self._strings["tile.cooling_none"], "", ""
        uncertainty = ""
        if tile.cooling_uncertainty_s is not None and tile.cooling_uncertainty_s >= CERTAIN_S:
            uncertainty = f"±{number(tile.cooling_uncertainty_s, 2)}"
        elif tile.cooling_origin == "derived":
            uncertainty = self._strings["tile.cooling_derived"]
        note = self._strings.get(f"tile.cooling_note_{tile.cooling_origin}", "")
        return f"{number(tile.cooling_time_s, 2)} s", uncertainty, note

    def _life(self, life: Life | None) -> tuple[str, str, float | None]:
        count = self._strings.count
        if life is None:
            return "", "", None
        if not life.planned:
            return number(life.shots), count("tile.shots_taken", life.shots), None
        left = life.planned - life.shots
        word = count("tile.shots_left" if left >= 0 else "tile.shots_over", left)
        used = min(100.0, round(100 * life.shots / life.planned, 1))
        return number(abs(left)), word, used

    def _lines(self, tile: Tile, state: State, now: datetime) -> tuple[str, str, str]:
        say = self._strings.say
        reason = shown(tile.reason)
        if state == "running":
            return "", "", ""
        if state == "no_data":
            since = silent_since(tile)
            return (
                say("tile.since", time=self._zone.moment(since, now)) if since else "",
                self._last_cycle(tile, now),
                reason if tile.state == "no_data" else "",
            )
        if tile.since is None:
            return reason, "", ""
        lasting = self.duration((now - tile.since).total_seconds())
        if not reason:
            return say("tile.for", duration=lasting), "", ""
        return say("tile.reason_for", reason=reason, duration=lasting), "", ""

    def _last_cycle(self, tile: Tile, now: datetime) -> str:
        if tile.last_cycle_at is None:
            return ""
        time = self._zone.moment(tile.last_cycle_at, now)
        if tile.cycle_time_s is None:
            return self._strings.say("tile.last_cycle_bare", time=time)
        cycle = number(tile.cycle_time_s, 2)
        return self._strings.say("tile.last_cycle", time=time, cycle=cycle)

    def _foot(self, tile: Tile, state: State) -> tuple[str, str]:
        say = self._strings.say
        left = say("tile.job", job=shown(tile.job)) if tile.job else self._strings["tile.no_job"]
        if tile.parts_done is None:
            return left, ""
        if not tile.parts_planned:
            return left, self._strings.count("tile.parts", tile.parts_done)
        done = percent(tile.parts_done, tile.parts_planned)
        if state == "no_data":
            return left, say("tile.last_known", percent=done)
        return left, say("tile.progress", percent=done)

    def _foot_of(self, tile: Tile, state: State) -> str:
        if state == "no_data" or tile.parts_done is None or not tile.parts_planned:
            return ""
        return self._strings.say("tile.progress_of", planned=number(tile.parts_planned))


def pointer(cycle_time_s: float | None, target_s: float | None) -> float | None:
    """Where the deviation bar's pointer stands, in per cent of its width.

    >>> pointer(24.48, 24.0), pointer(99.0, 24.0), pointer(24.0, None)
    (75.0, 100.0, None)
    """
    if cycle_time_s is None or not target_s or not math.isfinite(cycle_time_s / target_s):
        return None
    share = (cycle_time_s / target_s - 1) / POINTER_SPAN
    return round(50 + 50 * max(-1.0, min(1.0, share)), 1)


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else number(value, 2)


def _deviation(tile: Tile) -> str:
    if tile.cycle_time_s is None or not tile.target_s:
        return ""
    return signed(tile.cycle_time_s - tile.target_s, 2)
