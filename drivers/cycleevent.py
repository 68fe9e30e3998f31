"""One maker's cycle events, selected and turned into reports.

Where a value comes from and what it is called is settled once per connection; an event is then a
row of values aligned with what was selected.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncua import ua

from drivers.errors import RefusedError
from drivers.eventfilter import Watched, base_field, select
from drivers.eventtype import UNITS, EventType, Field, unit_of
from drivers.eventvalues import count_of, utc_of, value_of, word_of
from drivers.imm import Places, number_of
from drivers.observations import Column, Value
from drivers.plastics import LABELS, UNIT_SIGNALS, ZONE_TEMPERATURE
from drivers.scaling import scaling
from drivers.session import Session
from drivers.signals import further, signal_named
from drivers.units import Unit, unit_named

log = logging.getLogger(__name__)

HEAD = ("EventType", "EventId", "SourceNode", "Time")
"""Of every event."""
WORDS = ("JobName", "CurrentLotName", "CycleQuality")
COUNTS = (
    "JobCycleCounter",
    "MachineCycleCounter",
    "JobPartsCounter",
    "JobGoodPartsCounter",
    "JobBadPartsCounter",
)
"""Numbers that every cycle is placed by, and what the parts of one cycle are reckoned from."""
PARTS_MADE = ("JobGoodPartsCounter", "JobBadPartsCounter")
"""Of these, which are carried as they are."""
TIMES: Mapping[str, str] = {"CycleTime": "cycle_time_s"}
DURATIONS = ("CycleTime", "AverageCycleTime", "InjectionTime", "DosingTime")
"""Milliseconds by the standard, also on servers that declare every number a plain Double."""
PARTS: Mapping[str, str] = {
    "InjectionUnitCycleParameters_": "injection_unit",
    "MouldCycleParameters_": "mold",
}
"""The standard's objects in an event, by the beginning of their names, and what they are of."""

MILLISECOND = unit_named("ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """A field that a person has given a signal."""

    where: str
    """The key in the configuration, for errors."""
    name: str
    """The field, as `EventType.find` takes it."""
    signal: str
    unit: str | None = None
    """The unit that the machine uses; needed only where the machine does not say."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where one selected value goes."""

    field: Field
    signal: str
    at: int
    unit_at: int | None
    """Place of its EngineeringUnits among the selected values."""
    unit: Unit | None
    """As the configuration, the data type or the event type says; None where none does."""


@dataclass(slots=True)
class CycleData:
    """What one cycle event says."""

    event_id: bytes
    source: ua.NodeId | None
    time: datetime | None
    counts: dict[str, int]
    """By the standard's name."""
    words: dict[str, str]
    """By the standard's name."""
    values: dict[str, Value]
    """By signal, in our units."""
    units: dict[str, str]


class CycleEvents:
    """Selects the fields of a machine's cycle events, and reads what comes.

    Args:
        session: The connection.
        kind: What the events hold.
        mapped: Fields that a person has given a signal.
        places: Place of each barrel zone from the feed side; a zone that is not in it has its
            number as its place.

    Raises:
        RefusedError: a named field is not there, or could be any of several.
    """

    def __init__(
        self,
        session: Session,
        kind: EventType,
        mapped: Sequence[Mapped],
        places: Places,
    ) -> None:
        self._machine = session.machine
        self._kind = kind
        self._places = places
        self._mapped = {self._only(told).name: told for told in mapped}
        self.clauses: list[ua.SimpleAttributeOperand] = [base_field(name) for name in HEAD]
        self._standard = self._select_standard()
        self._outlets = self._select_values()
        self._selected: tuple[int, ...] = tuple(range(len(self.clauses)))
        self._is_filtered = True
        self._odd: set[str] = set()
        self._first_units: dict[str, Unit] = {}

    @property
    def types(self) -> tuple[ua.NodeId, ...]:
        """The concrete event types."""
        return self._kind.types

    @property
    def base(self) -> ua.NodeId:
        """What they all derive from."""
        return self._kind.base

    @property
    def columns(self) -> tuple[Column, ...]:
        """What a report may hold, and where it is read."""
        columns = {"quality": Column(signal="quality", source="event CycleQuality")}
        for name in PARTS_MADE:
            if name in self._standard:
                columns[name] = Column(signal=name, source=f"event {name}")
        for outlet in self._outlets:
            name = outlet.field.name if outlet.signal in columns else outlet.signal
            unit = outlet.unit.name if outlet.unit else None
            columns[name] = Column(signal=name, source=f"event {outlet.field.name}", unit=unit)
        return tuple(columns.values())

    def reckon(self, watched: Watched) -> None:
        """Reckon with fewer clauses than `clauses` has, and with events of other types.

        A value is left out where its unit is: the unit may change with every event.
        """
        taken = {None, *watched.selected}
        self._selected = watched.selected
        self._is_filtered = watched.is_filtered
        self._standard = {name: at for name, at in self._standard.items() if at in taken}
        self._outlets = [o for o in self._outlets if o.at in taken and o.unit_at in taken]

    def read(self, values: Sequence[ua.Variant]) -> CycleData | None:
        """What an event says; None where it is no cycle event.

        Args:
            values: Aligned with `clauses`, or with those of them that the server took.
        """
        raw: list[object] = [None] * len(self.clauses)
        for at, value in zip(self._selected, values, strict=False):
            raw[at] = value.Value
        event_type, event_id, source, time = raw[: len(HEAD)]
        named = {name: raw[at] for name, at in self._standard.items()}
        counts = {
            name: count for name in COUNTS if (count := count_of(named.get(name))) is not None
        }
        if event_type not in self._kind.types and not self._is_filtered:
            return None
        words = {name: word for name in WORDS if (word := word_of(name, named.get(name)))}
        data = CycleData(
            event_id=event_id if isinstance(event_id, bytes) else b"",
            source=source if isinstance(source, ua.NodeId) else None,
            time=utc_of(time),
            counts=counts,
            words=words,
            values={},
            units={},
        )
        for outlet in self._outlets:
            self._let_out(outlet, raw, data)
        return data

    def _let_out(self, outlet: Outlet, raw: Sequence[object], data: CycleData) -> None:
        value = value_of(outlet.field.last, raw[outlet.at])
        if value is None:
            return
        signal = outlet.signal
        told = unit_of(raw[outlet.unit_at]) if outlet.unit_at is not None else None
        unit = told or outlet.unit
        ours = signal_named(signal)
        if signal in data.values:
            signal, ours = outlet.field.name, None  # the second of two fields for one signal
        if ours is not None:
            try:
                number = float(value)
                value = scaling(theirs=unit, ours=ours.unit)(number) if unit else number
            except ValueError as error:
                self._say_odd(outlet.field.name, str(error))
                signal = outlet.field.name
        elif unit is not None:
            value = self._in_first(outlet, signal, value, unit)
        data.values[signal] = value
        if unit is not None:
            data.units[signal] = unit.name

    def _in_first(self, outlet: Outlet, signal: str, value: Value, unit: Unit) -> Value:
        """A maker's own value in the unit that the type declares, or else that it began with."""
        first = self._first_units.setdefault(signal, outlet.unit or unit)
        if unit is first or isinstance(value, bool | str):
            return value
        try:
            return scaling(theirs=unit, ours=first.name)(value)
        except ValueError as error:
            self._say_odd(outlet.field.name, str(error))
            return value

    def _say_odd(self, name: str, why: str) -> None:
        if name not in self._odd:
            self._odd.add(name)
            log.warning("%s: event field %s is carried as it is: %s", self._machine, name, why)

    def _select(self, field: Field) -> int:
        self.clauses.append(select(field.path, field.declared_by))
        return len(self.clauses) - 1

    def _select_standard(self) -> dict[str, int]:
        fields = {field.name: field for field in self._kind.fields if field.is_standard}
        return {name: self._select(fields[name]) for name in (*COUNTS, *WORDS) if name in fields}

    def _select_values(self) -> list[Outlet]:
        """Known signals first: if the server takes few clauses, it takes those."""
        named = [
            (field, signal)
            for field in self._kind.fields
            if (signal := self._signal(field)) is not None
        ]
        named.sort(key=lambda pair: (self._rank(*pair), pair[0].name))
        return [self._outlet(field, signal) for field, signal in named]

    def _rank(self, field: Field, signal: str) -> int:
        """How soon a field is selected; fields of one rank follow each other by name."""
        usual = [*TIMES, *UNIT_SIGNALS]
        if field.name in self._mapped:
            return 1
        if signal_named(signal) is None:
            return 2 * len(usual) + 1
        return 2 * usual.index(field.last) if field.last in usual else 2 * len(usual)

    def _outlet(self, field: Field, signal: str) -> Outlet:
        at = self._select(field)
        unit_at = None
        if field.has_unit:
            self.clauses.append(
                select([*field.path, ua.QualifiedName(UNITS, 0)], field.declared_by)
            )
            unit_at = len(self.clauses) - 1
        is_time = field.is_duration or field.last in DURATIONS
        unit = field.unit or (MILLISECOND if is_time else None)
        told = self._mapped.get(field.name)
        if told and told.unit:
            unit = unit_named(told.unit)
        return Outlet(field, signal, at, unit_at, unit)

    def _signal(self, field: Field) -> str | None:
        """What a field is called with us; None where it is no value of its own."""
        if field.name in self._mapped:
            return self._mapped[field.name].signal
        if field.is_standard:
            read_already = field.name in (*WORDS, *COUNTS)
            return None if read_already else TIMES.get(field.name, field.name)
        signal = self._usual(field)
        if signal is None:
            is_label = field.last in LABELS and _part_of(field) is not None
            return None if is_label else field.name
        taken = {told.signal for told in self._mapped.values()}
        return field.name if signal in taken else signal

    def _usual(self, field: Field) -> str | None:
        """The signal that the standard's field is; of the first of its kind without a number."""
        if (prefix := _part_of(field)) is None:
            return None
        of = field.path[0].Name
        signal = self._zone(field, of) if len(field.path) > 2 else None
        if len(field.path) == 2 and PARTS[prefix] == "injection_unit":
            signal = UNIT_SIGNALS.get(field.last)
        if signal is None or of == self._first(prefix):
            return signal
        return further(PARTS[prefix], number_of(of), signal) if number_of(of) > 1 else None

    def _zone(self, field: Field, of: str) -> str | None:
        """The temperature of a zone of an injection unit or a mold."""
        if field.last != ZONE_TEMPERATURE or len(field.path) != 3:
            return None
        zone = number_of(field.path[1].Name)
        if PARTS[_part_of(field) or ""] == "injection_unit":
            rank = self._of_kind("InjectionUnitCycleParameters_").index(of) + 1
            place = self._places.get((rank, zone), zone)
            return f"barrel_zone_{place}_c" if place > 0 else None
        zones = [f.path[1].Name for f in self._kind.fields if _begins(f, of) == 3]
        return "mold_temp_c" if zone == min(map(number_of, zones)) else f"mold_zone_{zone}_c"

    def _first(self, prefix: str) -> str:
        """The object of lowest number among those of one kind."""
        return next(iter(self._of_kind(prefix)), "")

    def _of_kind(self, prefix: str) -> list[str]:
        """The objects of one kind, by number."""
        names = {f.path[0].Name for f in self._kind.fields if f.path[0].Name.startswith(prefix)}
        return sorted(names, key=lambda name: (number_of(name), name))

    def _only(self, told: Mapped) -> Field:
        """The one field that a person means."""
        fields = self._kind.find(told.name)
        if len(fields) == 1:
            return fields[0]
        if fields:
            listed = ", ".join(field.name for field in fields)
            what = f"{told.name!r} could be any of {listed}; name one of them whole"
        else:
            listed = ", ".join(self._kind.vendors) or "none"
            what = f"the cycle event has no field {told.name!r}; the maker's own are {listed}"
        raise RefusedError(self._machine, f"{told.where}: {what}")


def _part_of(field: Field) -> str | None:
    """Beginning of the name of the standard's object that a field is in; None where in none."""
    return next(
        (prefix for prefix in PARTS if field.is_nested and field.path[0].Name.startswith(prefix)),
        None,
    )


def _begins(field: Field, name: str) -> int:
    """Depth of a field if it is inside the object of that name, else 0."""
    return len(field.path) if field.path[0].Name == name else 0
