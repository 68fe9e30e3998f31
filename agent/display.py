"""What one machine's tile shows, worked out from its story as it comes by."""

import re
from collections.abc import Mapping
from datetime import datetime
from statistics import median

from agent.batch import Blind
from agent.cycle import Booked
from agent.ledger import Entry, Mount
from agent.live import PHASES_SHOWN, SPARK_CYCLES, Life, Plant, State, Tile
from agent.molds.moldlife import MoldLife
from agent.shotnow import ShotNow
from drivers import Frame, Value
from drivers.settings import MachineSettings

STOPPED_AFTER_S = 300.0
"""Without a shot for this long, an automatic press counts as stopped."""

WAITING_FACTOR = 3.0
"""Three usual intervals without a shot: something makes it wait."""

PACE = 8

STRIP = {
    "fill": "fill_time_s",
    "hold": "hold_time_s",
    "cool": "cooling_time_s",
    "open": "mold_open_time_s",
    "eject": "ejection_time_s",
}


def first_tile(settings: MachineSettings) -> Tile:
    """A tile before anything was heard."""
    digits = re.findall(r"\d+", settings.name)
    return Tile(
        machine=settings.name,
        label=settings.label or (digits[-1] if digits else settings.name),
        tonnage=settings.tonnage,
        hall=settings.hall,
        reason="Not connected yet",
        stale_after_s=max(10.0, 3 * settings.poll_s, settings.stale_s),
    )


class Display:
    """Keeps one machine's tile true.

    Args:
        machine: Its name.
        plant: Where the tile hangs.
        molds: Life and data of every mold.
    """

    def __init__(self, machine: str, plant: Plant, molds: MoldLife) -> None:
        self._machine = machine
        self._plant = plant
        self._molds = molds
        self._ends: list[datetime] = []
        self._linked = False
        self._states: Mapping[str, Value] = {}
        self._shot = ShotNow()

    def replay(self, booked: Booked) -> None:
        """Take a cycle of the past, so that a restart does not empty the tile."""
        self._cycle(booked)

    def connected(self) -> None:
        """The machine is seen again."""
        self._linked = True

    def lost(self, blind: Blind) -> None:
        """The machine is not seen any more."""
        self._linked = False
        self._shot.lost()
        self._plant.set(
            self._machine,
            state="no_data",
            reason=blind.why,
            since=blind.since,
            phase=None,
            phase_since=None,
        )

    def sampled(self, states: Mapping[str, Value], at: datetime) -> None:
        """Take the newest states of a frame."""
        self._states = states
        self._plant.seen(self._machine, at)
        phase = states.get("phase")
        if phase is not None and phase != self._plant.tile(self._machine).phase:
            self._plant.set(self._machine, phase=str(phase), phase_since=at)

    def framed(self, frame: Frame, states: Mapping[str, Value]) -> None:
        """Draw on the shot that runs."""
        if self._shot.take(frame, states):
            self._plant.draw(self._machine, self._shot)

    def booked(self, entry: Entry) -> None:
        """Show what is on the disk now."""
        for mount in entry.mounts:
            self.mounted(mount)
        hidden = sum(run.unobserved for run in entry.runs if run.kind == "unobserved")
        for _ in range(min(hidden, SPARK_CYCLES)):
            self._plant.cooled(self._machine, None)
        if entry.booked:
            now, cycle = self._plant.clock(), entry.booked.cycle
            self._plant.durable.take((now - cycle.time).total_seconds())
            self._plant.written.take((now - cycle.received_at).total_seconds())
            self._cycle(entry.booked)
        if entry.runs:
            tile = self._plant.tile(self._machine)
            self._plant.set(
                self._machine,
                shots=tile.shots + sum(shots for _mold, _revision, shots in entry.added()),
                cycles=tile.cycles + entry.recorded,
                life=self._life(tile.mold) if tile.mold else None,
            )

    def mounted(self, mount: Mount | None) -> None:
        """Show the mold that sits on the machine."""
        known = self._molds.mold(mount.mold) if mount else None
        self._plant.set(
            self._machine,
            mold=mount.mold if mount else None,
            revision=mount.revision if mount else None,
            part=known.part if known else None,
            target_s=known.expected_cycle_s if known else None,
            life=self._life(mount.mold) if mount else None,
        )

    def _life(self, mold: str) -> Life:
        life = self._molds.life(mold)
        if life is None:
            return Life(shots=0, planned=None)
        # The bar shows the share that is used, weighted by resin: shots against what makes it so.
        planned = life.planned
        if life.used and life.took.shots:
            planned = round(life.took.shots / life.used)
        return Life(shots=life.took.shots, planned=planned)

    def _cycle(self, booked: Booked) -> None:
        cycle = booked.cycle
        self._ends = [*self._ends[-PACE:], cycle.received_at]
        values = cycle.values
        cooling = _number(values.get("cooling_time_s"))
        origin = cycle.provenance.get("cooling_time_s")
        self._plant.set(
            self._machine,
            cycle_time_s=_number(values.get("cycle_time_s")),
            cooling_time_s=cooling,
            cooling_origin=origin.value if origin else None,
            cooling_uncertainty_s=cycle.uncertainty.get("cooling_time_s"),
            cooling_spark=self._plant.cooled(self._machine, cooling),
            phase_lengths_s=tuple(_number(values.get(STRIP[phase])) for phase in PHASES_SHOWN),
            last_cycle_at=cycle.time,
            last_counter=cycle.counter,
            job=cycle.job,
        )

    def tick(self, now: datetime) -> None:
        """Once a second: what follows from the time that passed."""
        if not self._linked:
            return
        state, reason = self._state(now)
        tile = self._plant.tile(self._machine)
        states = self._states
        self._plant.set(
            self._machine,
            state=state,
            reason=reason,
            since=tile.since if tile.state == state else now,
            job=(str(states["job"]) or None) if "job" in states else tile.job,
            parts_done=_whole(states.get("parts_counter")),
            parts_planned=_whole(states.get("parts_planned")),
            target_s=_number(states.get("expected_cycle_s")) or tile.target_s,
        )

    def _state(self, now: datetime) -> tuple[State, str]:
        match self._states.get("mode"):
            case "SETUP":
                return "setup", "Set-up mode"
            case "MANUAL":
                return "stopped", "Manual mode"
            case "SLEEP":
                return "idle", "Sleep mode"
        if self._states.get("production_status") == "NO_PRODUCTION":
            return "idle", "No production"
        if not self._ends:
            return "waiting", "No shot yet"
        quiet_s = (now - self._ends[-1]).total_seconds()
        pauses = [(b - a).total_seconds() for a, b in zip(self._ends, self._ends[1:], strict=False)]
        usual_s = median(pauses) if pauses else self._plant.tile(self._machine).target_s or 60.0
        if quiet_s > STOPPED_AFTER_S + usual_s:
            return "stopped", "No shot"
        if quiet_s > WAITING_FACTOR * usual_s + 2:
            return "waiting", "No shot since the usual time"
        return "running", ""


def _number(value: Value | None) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _whole(value: Value | None) -> int | None:
    return int(value) if isinstance(value, int | float) else None
