"""Presses that speak OPC 40077 (EUROMAP 77): what is configured, and how one is opened."""

import difflib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from drivers.changes import Changes
from drivers.checked import Checked
from drivers.cooling import SIGNAL, find_cooling
from drivers.cycleevent import CycleEvents, Mapped
from drivers.eventtype import browse_event_type
from drivers.imm import announced, barrel_places, find_machine, identity
from drivers.immcurves import CurveArraysAt, find_curves
from drivers.immpress import ImmPress
from drivers.immview import View
from drivers.immwatch import Watch
from drivers.logbook import browse_logbook
from drivers.memory import Memory
from drivers.nodeid import parse_address
from drivers.plastics import MODE_CHANGE, PRODUCTION_STATUS_CHANGE
from drivers.session import Session, SessionSettings, open_session
from drivers.settings import Cooling
from drivers.signals import SIGNALS, Kind
from drivers.subscription import subscribe
from drivers.units import converter, unit_named

PUBLISH_S = 0.5
"""How often the server is to publish, where we poll more rarely."""
ANNOUNCED = {MODE_CHANGE: "mode", PRODUCTION_STATUS_CHANGE: "production_status"}


class FieldSignal(Checked):
    """What a maker's event field is."""

    signal: str
    unit: str | None = None
    """Where the machine does not say its unit."""

    @field_validator("signal")
    @classmethod
    def _known(cls, signal: str) -> str:
        names = [name for name, s in SIGNALS.items() if s.kind in (Kind.CYCLE, Kind.LEVEL)]
        if signal not in names:
            near = difflib.get_close_matches(signal, names, n=1)
            guess = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"should be a signal that a cycle has{guess}")
        return signal

    @model_validator(mode="after")
    def _convertible(self) -> "FieldSignal":
        if self.unit is not None:
            unit = unit_named(self.unit)
            if unit is None:
                raise ValueError(f"{self.unit!r} is no unit that we know, like 's', 'bar', 'degC'")
            converter(unit, SIGNALS[self.signal].unit)
        return self


def _written_short(found: object) -> object:
    return {"signal": found} if isinstance(found, str) else found


class Euromap77Settings(SessionSettings):
    """A machine with `driver = "euromap77"`."""

    driver: Literal["euromap77"]
    serial: str | None = None
    """Which machine, where the server has several: its serial number."""
    browse_name: str | None = None
    """Which machine, where the server has several: its browse name below DeviceSet."""
    fields: dict[str, Annotated[FieldSignal, BeforeValidator(_written_short)]] = Field(
        default_factory=dict
    )
    """The maker's event fields that are signals of ours."""
    curves: CurveArraysAt | None = None
    """Where the machine shows the last shot's curves; None: they are not read."""

    @field_validator("cooling")
    @classmethod
    def _readable(cls, cooling: Cooling | None) -> Cooling | None:
        if cooling is not None and cooling.register_ is not None:
            raise ValueError(
                "'register' is for driver 'modbus'; here it is 'event_field' or 'node'"
            )
        if cooling is not None and cooling.node is not None:
            parse_address(cooling.node, None)
        return cooling

    @field_validator("fields")
    @classmethod
    def _different(cls, fields: dict[str, FieldSignal]) -> dict[str, FieldSignal]:
        signals = [field.signal for field in fields.values()]
        for signal in signals:
            if signals.count(signal) > 1:
                raise ValueError(f"should give {signal} to one field only")
        return fields

    @model_validator(mode="after")
    def _one_cooling_time(self) -> "Euromap77Settings":
        given = [name for name, field in self.fields.items() if field.signal == SIGNAL]
        if given and self.cooling is not None:
            raise ValueError(f"both 'cooling' and 'fields.{given[0]}' say where {SIGNAL} is")
        return self

    def mapped(self) -> list[Mapped]:
        """The fields that have been given a signal."""
        found = [
            Mapped(where=f"fields.{name}", name=name, signal=field.signal, unit=field.unit)
            for name, field in self.fields.items()
        ]
        if self.cooling is not None and self.cooling.event_field is not None:
            name = self.cooling.event_field
            found.append(Mapped(where="cooling.event_field", name=name, signal=SIGNAL))
        return found


@asynccontextmanager
async def open_press(
    settings: Euromap77Settings, memory: Memory | None = None
) -> AsyncGenerator[ImmPress]:
    """Connect, hand out the press, and close whatever happens.

    Args:
        settings: The machine.
        memory: What is known of it from before, kept up to date; None: nothing.

    Raises:
        UnreachableError: nobody answers, or not in time.
        RefusedError: it says no, has no such machine, or not the fields that are configured.
    """
    async with open_session(settings) as session:
        yield await _join(session, settings, memory or Memory())


async def _join(session: Session, settings: Euromap77Settings, memory: Memory) -> ImmPress:
    """Find the machine and subscribe to all it tells, before anything of it is read."""
    root = await find_machine(session, settings.serial, settings.browse_name)
    view = View(session, root, await barrel_places(session, root))
    await view.find()
    kind = await browse_event_type(session, root)
    events = CycleEvents(session, kind, settings.mapped(), view.places)
    cooling = None
    if settings.cooling is not None and settings.cooling.node is not None:
        cooling = await find_cooling(session, settings.cooling.node, view.node_id("job_counter"))
    interval_s = min(settings.poll_s, PUBLISH_S)
    subscription = await subscribe(session, interval_s=interval_s, stale_s=settings.stale_s)
    watch = Watch(session, subscription, root, events, await browse_logbook(session))
    await watch.watch_states(view)
    await watch.watch_events()
    says = await announced(session, root)
    changes = Changes(settings.name, [state for n, state in ANNOUNCED.items() if n in says])
    return ImmPress(
        session,
        settings,
        root,
        view,
        watch,
        changes,
        identity=await identity(session, root),
        report_columns=events.columns,
        cooling=cooling,
        memory=memory,
        curves=await find_curves(session, root, settings.curves),
    )
