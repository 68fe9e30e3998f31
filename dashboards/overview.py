"""The overview page: what it shows of the plant, and how densely."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar, get_args

from agent.live import Call, Plant, State, Tile
from dashboards.catalogue import Catalogue
from dashboards.face import Artist, Face, shown, shown_long, silent_since, state_now
from dashboards.figures import duration_parts, number
from dashboards.plantzone import PlantZone

T = TypeVar("T")

Theme = Literal["light", "dark"]
Density = Literal["large", "normal", "compact", "dots"]

STATES: tuple[State, ...] = get_args(State)
ABNORMAL: tuple[State, ...] = ("stopped", "no_data")
"""States that need somebody."""

ZOOMS = (50, 67, 75, 80, 90, 100, 110, 125, 150, 175, 200, 250, 300)
"""Per cent, as browsers step."""

NEEDS_SHOWN = 4
LIVES_SHOWN = 5


class ViewError(ValueError):
    """An address asks for a view that there is not; the message is for the person who typed it."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the address of the overview asks for."""

    wall: bool = False
    theme: Theme | None = None
    """None follows the system's setting; a wall is dark unless it says otherwise."""
    hall: str | None = None
    zoom: int | None = None
    """Per cent; None is 100, and on a wall as large as the screen allows."""


def view_of(query: Mapping[str, str], halls: Sequence[str]) -> View:
    """The view that an address asks for.

    Raises:
        ViewError: a value that there is not; says which there are.
    """
    wall = _one_of(query, "wall", {"1": True, "0": False, "": True}, "1 or 0")
    theme: Theme | None = _one_of(query, "theme", {"light": "light", "dark": "dark"}, "light, dark")
    hall = query.get("hall") or None
    if hall is not None and hall not in halls:
        known = f"There is: {', '.join(halls)}." if halls else "No machine names a hall."
        raise ViewError(404, f"There is no hall {shown(hall)!r}. {known}")
    steps = ", ".join(map(str, ZOOMS))
    zoom = _one_of(query, "zoom", {str(step): step for step in ZOOMS}, f"per cent: {steps}")
    return View(wall=bool(wall), theme=theme or ("dark" if wall else None), hall=hall, zoom=zoom)


def _one_of(query: Mapping[str, str], key: str, known: Mapping[str, T], right: str) -> T | None:
    if key not in query:
        return None
    if query[key] not in known:
        raise ViewError(400, f"{key} is {shown(query[key])!r}; right would be {right}.")
    return known[query[key]]


def halls_of(tiles: Sequence[Tile]) -> list[str]:
    """The halls that machines name, in the order of the configuration."""
    return list(dict.fromkeys(tile.hall for tile in tiles if tile.hall))


def density(count: int) -> Density:
    """How densely so many presses are drawn.

    >>> density(12), density(13), density(31), density(200)
    ('large', 'normal', 'compact', 'dots')
    """
    if count <= 12:
        return "large"
    if count <= 30:
        return "normal"
    return "compact" if count <= 60 else "dots"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One press on the page: its place in the configuration, its tile and what that says."""

    place: int
    tile: Tile
    face: Face


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One anomaly or press that needs somebody."""

    state: State
    priority: int | None = None
    """Of the anomaly; None for a press that stands or is silent without one."""
    taken: bool = False
    title: str
    when: str
    text: str
    more: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeRow:
    """One mounted mold and what is left of it."""

    mold: str
    press: str
    left: str
    taken: str


class Overview:
    """Everything that the template of the overview needs, at one instant."""

    def __init__(self, plant: Plant, view: View, strings: Catalogue, zone: PlantZone) -> None:
        self.view = view
        self.now = plant.clock()
        self._strings = strings
        self._zone = zone
        self._artist = Artist(strings, zone)
        tiles = plant.tiles
        self.halls = halls_of(tiles)
        self.presses = [
            Placed(place=place, tile=tile, face=self._artist.face(tile, self.now))
            for place, tile in enumerate(tiles)
            if view.hall in (None, tile.hall)
        ]
        self.density = density(len(self.presses))
        self.today = plant.today
        self.news = plant.news
        shown_here = {placed.tile.machine: placed.tile for placed in self.presses}
        self._tiles = shown_here
        self._calls = [
            call
            for call in plant.news.calls
            if call.machine in shown_here or (call.machine is None and self.whole_plant)
        ]

    @property
    def hall(self) -> str:
        """The one hall that all shown presses stand in, else empty."""
        halls = {placed.tile.hall for placed in self.presses}
        return shown(halls.pop()) if len(halls) == 1 else ""

    @property
    def whole_plant(self) -> bool:
        """Whether the page shows every press that the sums are about."""
        return self.view.hall is None or len(self.halls) == 1

    def by_hall(self) -> list[tuple[str, list[Placed]]]:
        """The presses of each hall; those without a hall come last, under an empty name."""
        names = [hall for hall in self.halls if self.view.hall in (None, hall)]
        groups = [(shown(name), [p for p in self.presses if p.tile.hall == name]) for name in names]
        rest = [placed for placed in self.presses if not placed.tile.hall]
        return [*groups, *([("", rest)] if rest else [])]

    def counts(self) -> list[tuple[State, int]]:
        """How many presses are in each state, all states in their fixed order."""
        states = [placed.face.state for placed in self.presses]
        return [(state, states.count(state)) for state in STATES]

    def needs(self) -> list[Need]:
        """What needs somebody: new alarms, presses that stand or are silent, and the rest."""
        told = [(call, self._call(call)) for call in self._calls]
        alarms = [need for call, need in told if call.priority == 1 and not call.taken]
        others = [need for call, need in told if call.priority != 1 or call.taken]
        called = {call.machine for call in self._calls}
        abnormal = [placed.tile for placed in self.presses if placed.face.state in ABNORMAL]
        abnormal = [tile for tile in abnormal if tile.machine not in called]
        abnormal.sort(key=lambda tile: _age(self._since(tile), self.now))
        return [*alarms, *(self._need(tile) for tile in abnormal), *others]

    def needs_count(self) -> str:
        """How many are new; else how many presses need somebody, and whether all are shown."""
        if self._calls:
            new = sum(1 for call in self._calls if not call.taken)
            return self._strings.say("needs.new", n=self.news.waiting if self.whole_plant else new)
        n = len([placed for placed in self.presses if placed.face.state in ABNORMAL])
        if n > NEEDS_SHOWN:
            return self._strings.say("needs.newest", shown=NEEDS_SHOWN, n=number(n))
        return self._strings.count("needs.presses", n) if n else ""

    def lives(self) -> list[LifeRow]:
        """Mounted molds with a planned life, the fewest shots left first."""
        lives = [
            (life.planned - life.shots, placed.tile)
            for placed in self.presses
            if placed.tile.mold and (life := placed.tile.life) and life.planned
        ]
        lives.sort(key=lambda entry: entry[0])
        return [self._life_row(left, tile) for left, tile in lives]

    def sums(self) -> list[tuple[str, str]]:
        """Today's figures by the key of their caption."""
        key, parts = duration_parts(self.today.blind_s)
        return [
            ("shots", number(self.today.shots)),
            ("records", number(self.today.cycles)),
            ("unobserved", number(self.today.unobserved)),
            ("blind", self._strings.say(key, **parts)),
        ]

    def sums_since(self) -> str:
        """Since when, and of what, the figures are."""
        key = "today.since" if self.whole_plant else "today.whole_plant"
        return self._strings.say(key, time=self._zone.minute(self.today.since))

    def _since(self, tile: Tile) -> datetime | None:
        return silent_since(tile) if state_now(tile, self.now) == "no_data" else tile.since

    def _call(self, call: Call) -> Need:
        say = self._strings.say
        tile = self._tiles.get(call.machine or "")
        title = say("needs.press", label=shown(tile.label)) if tile else ""
        when = self._artist.duration(_age(call.at, self.now))
        return Need(
            state=state_now(tile, self.now) if tile else "running",
            priority=call.priority,
            taken=bool(call.taken),
            title=title or say("needs.mold", mold=shown(call.mold)),
            when=say("needs.taken", who=shown(call.taken)) if call.taken else when,
            text=shown_long(call.text),
            more=shown_long(call.likely),
        )

    def _need(self, tile: Tile) -> Need:
        say, state, since = self._strings.say, state_now(tile, self.now), self._since(tile)
        age = _age(since, self.now)
        text = self._strings["needs.stopped"]
        if state == "no_data":
            text = self._strings["needs.no_data_ever"]
            if since is not None:
                text = say("needs.no_data", time=self._zone.moment(since, self.now))
        reason = shown(tile.reason) if state == tile.state else ""
        return Need(
            state=state,
            title=say("needs.press", label=shown(tile.label)),
            when=self._artist.duration(age) if since else "",
            text=f"{text} {_sentence(reason)}".strip(),
            more=self._need_more(tile),
        )

    def _need_more(self, tile: Tile) -> str:
        say, mold = self._strings.say, shown(tile.mold)
        if tile.last_cycle_at is None:
            return say("needs.mold", mold=mold) if mold else ""
        time = self._zone.moment(tile.last_cycle_at, self.now)
        return say("needs.mold_last" if mold else "needs.last", mold=mold, time=time)

    def _life_row(self, left: int, tile: Tile) -> LifeRow:
        say, life = self._strings.say, tile.life
        assert life is not None
        assert life.planned is not None
        taken = say("life.taken", shots=number(life.shots), planned=number(life.planned))
        if tile.shots != tile.cycles:
            taken = say(
                "life.mismatch",
                shots=number(tile.shots),
                records=number(tile.cycles),
                missing=number(tile.shots - tile.cycles),
            )
        return LifeRow(
            mold=shown(tile.mold),
            press=say("life.press", label=shown(tile.label)),
            left=number(left),
            taken=taken,
        )


def _age(since: datetime | None, now: datetime) -> float:
    return (now - since).total_seconds() if since else 0.0


def _sentence(text: str) -> str:
    return text if not text or text[-1] in ".!?…" else f"{text}."
