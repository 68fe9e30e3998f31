"""The page of one press: its head, its mold, and the curves of one cycle over the golden ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.cycle import Booked
from agent.live import Plant, Tile
from agent.shotnow import ShotNow
from agent.watch.baseline import WATER
from agent.watch.habit import ARMED
from dashboards.anomalywords import sentence
from dashboards.catalogue import Catalogue
from dashboards.curvechart import CurveChart, curve_chart
from dashboards.curvetable import CurveTable, curve_table
from dashboards.cyclechart import CycleChart, cycle_chart, shot_of
from dashboards.face import Artist, Face, shown
from dashboards.figures import number
from dashboards.phasebar import PHASES, PhaseBar, phase_bar
from dashboards.plantzone import PlantZone
from dashboards.pressfound import PressFound
from dashboards.presslists import PressLists
from dashboards.shelfpage import SEVERITY, MoldWords
from dashboards.strips import Strip, as_number, strips_of
from dashboards.wording import in_words, unit_of
from drivers.signals import SIGNALS

CYCLES_TOLD = 20
"""So many without any of these say that the mold has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoldCard:
    """What is to come for the mold that sits on the press."""

    made: str
    service: str
    service_priority: int | None
    service_used: float | None
    """Per cent of what may lie between two services; None where nothing is planned."""
    worn_out: str
    worn_out_range: str


class PressPage:
    """Everything that the template of the page needs."""

    def __init__(
        self,
        found: PressFound,
        plant: Plant,
        tile: Tile,
        now: datetime,
        strings: Catalogue,
        zone: PlantZone,
        *,
        live: bool,
    ) -> None:
        self.now = now
        self.tile = tile
        self.live = live
        """Whether the newest cycle is shown, whichever that is."""
        self.place = [each.machine for each in plant.tiles].index(tile.machine)
        self.name = shown(tile.machine)
        self.face: Face = Artist(strings, zone).face(tile, now)
        names = [each.machine for each in plant.tiles]
        self.before = names[self.place - 1]
        self.after = names[(self.place + 1) % len(names)]
        self.open = [(each.number, each.anomaly) for each in found.open]
        self.states = {each.number: each.state for each in found.open}
        self.lists = PressLists(found, now, strings, zone, live=live)
        self._plant = plant
        self._found = found
        self._strings = strings
        self._zone = zone

    @property
    def heading(self) -> str:
        """Which cycle is shown."""
        each = self._found.shown
        if each is None:
            return self._strings["press.no_cycle"]
        at = self._zone.moment(each.cycle.time, self.now)
        return self._strings.say("press.cycle", n=number(each.cycle.counter), time=at)

    @property
    def about(self) -> str:
        """Mold, job and state of the cycle that is shown."""
        each = self._found.shown
        if each is None:
            return ""
        mold = f"{shown(each.mold)} {shown(each.revision or '')}".rstrip() if each.mold else ""
        job = self._strings.say("tile.job", job=shown(each.cycle.job)) if each.cycle.job else ""
        words = (mold, job, self._strings.get(f"closing.{each.cycle.closing}", ""),
                 "" if each.cycle.state == "production" else each.cycle.state,
                 *(shown(flag).replace("_", " ") for flag in each.cycle.flags))  # fmt: skip
        return ", ".join(word for word in words if word)

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Job, resin, parts and reference, for the top of the page."""
        say, tile, of = self._strings.say, self.tile, self._found.shown
        resin = shown((of.cycle.resin if of else None) or "")
        if not resin and self._found.facts is not None:
            resin = shown(self._found.facts.resin or "")
        parts = number(tile.parts_done) if tile.parts_done is not None else ""
        if parts and tile.parts_planned:
            parts = say("press.parts_of", done=parts, planned=number(tile.parts_planned))
        found = (
            ("job", shown(tile.job or "")),
            ("resin", resin),
            ("parts", parts),
            ("golden", self.reference),
        )
        return [(key, value) for key, value in found if value]

    @property
    def reference(self) -> str:
        """Which golden reference holds, or how far the watch is with learning one."""
        say, baseline = self._strings.say, self._found.baseline
        if baseline is not None and baseline.approved_by and baseline.approved_at:
            n = max(1, len(self._found.golden))
            day = self._zone.day(baseline.approved_at)
            return say("press.golden", n=n, who=shown(baseline.approved_by), day=day)
        learned = sorted(each.learned for each in baseline.channels.values()) if baseline else []
        if not learned:
            return self._strings["press.golden_none"]
        return say("press.golden_learning", n=min(learned[len(learned) // 2], ARMED), of=ARMED)

    @property
    def approved(self) -> bool:
        """Whether a person said what is golden."""
        return bool(self._found.baseline and self._found.baseline.approved_by)

    @property
    def raised(self) -> int:
        """Anomalies of the last day."""
        return self._found.raised

    @property
    def sentences(self) -> list[str]:
        """Of what is open, in words."""
        return [sentence(anomaly, self._strings) for _number, anomaly in self.open]

    @property
    def mold(self) -> MoldCard | None:
        """The mold that sits on it: what it made, the next service, and when it is worn out."""
        found = self._found.mold
        if found is None:
            return None
        row = MoldWords(self._strings, self._zone, self.now).row(found)
        due = found.next_due
        return MoldCard(
            made=row.made,
            service=row.service,
            service_priority=SEVERITY.get(due.state) if due else None,
            service_used=min(100.0, round(100 * due.share, 1)) if due else None,
            worn_out=row.worn_out,
            worn_out_range=row.worn_out_range,
        )

    @property
    def table(self) -> CurveTable | None:
        """The curves of the cycle that is shown as figures."""
        return curve_table(self._found.curves)

    @property
    def strips(self) -> list[Strip]:
        """Signals over the last shots of the mold that made the one that is shown."""
        found = self._found
        return strips_of(self._mine, found.facts, found.baseline, self._strings)

    @property
    def bar(self) -> PhaseBar:
        """The phases of the cycle that is shown, and golden ones."""
        return phase_bar(self._golden_lengths, self._lengths, self._span_s, self._strings)

    @property
    def chart(self) -> CycleChart:
        """Curves of the cycle that is shown, the one before behind, over the golden ones."""
        baseline, shot = self._found.baseline, self._shot
        golden = baseline.shapes.envelopes if baseline and baseline.shapes.golden else {}
        known = {name: each for name, each in golden.items() if each.known}
        levels = {}
        for name in shot.names if shot else ():
            channel = baseline.channels.get(name) if baseline else None
            value = (
                as_number(self._found.shown.cycle.values.get(name)) if self._found.shown else None
            )
            if channel is not None and channel.ready:
                levels[name] = channel.home
            elif value is not None:
                levels[name] = value
        shots = [shot_of(self._found.curves), shot_of(self._found.before)]
        return cycle_chart(
            shots, known, self._span_s, self._strings,
            live=shot.names if shot else (), levels=levels,
        )  # fmt: skip

    @property
    def start(self) -> Mapping[str, Any]:
        """What the page's script starts from."""
        bar = self.bar
        return {
            **self.chart.data,
            "phases": bar.lengths_s,
            "bar_s": bar.span_s,
            "target_s": self.tile.target_s,
            "last_s": self._cycle_s,
        }

    @property
    def sampling(self) -> str:
        """How the curves of the cycle that is shown were sampled."""
        curve = max(self._found.curves.values(), key=lambda c: len(c.values), default=None)
        if curve is None or len(curve.values) < 2:
            return ""
        rate_hz = (len(curve.values) - 1) / float(curve.t_s[-1] or 1.0)
        decimals = 0 if rate_hz >= 10 else 1
        rate = number(rate_hz, decimals)
        return self._strings.say("press.curve", n=number(len(curve.values)), rate=rate)

    @property
    def _shot(self) -> ShotNow | None:
        return self._plant.shot(self.tile.machine) if self.live else None

    @property
    def _lengths(self) -> dict[str, float]:
        """Phases of the cycle that is shown."""
        of = self._found.shown
        values = of.cycle.values if of else {}
        known = {phase: as_number(values.get(name)) for phase, name in PHASES.items()}
        return {phase: value for phase, value in known.items() if value is not None}

    @property
    def _golden_lengths(self) -> dict[str, float]:
        baseline = self._found.baseline
        if baseline is None or not baseline.approved_by:
            return {}
        golden = baseline.golden
        return {phase: golden[name] for phase, name in PHASES.items() if name in golden}

    @property
    def _cycle_s(self) -> float | None:
        of = self._found.shown
        return as_number(of.cycle.values.get("cycle_time_s")) if of else None

    @property
    def _span_s(self) -> float:
        """So long is what is drawn: a cycle and a little more."""
        lengths = (sum(self._golden_lengths.values()), sum(self._lengths.values()))
        return 1.04 * max(self.tile.target_s or 0.0, self._cycle_s or 0.0, *lengths) or 30.0

    @property
    def blind_to_coolant(self) -> bool:
        """Whether nothing that this mold shows would tell that its water fails."""
        cycles = self._mine
        return len(cycles) >= CYCLES_TOLD and not any(
            name in each.cycle.values for each in cycles for name in WATER
        )

    @property
    def _mine(self) -> Sequence[Booked]:
        """Those of the cycles that the same mold made, without a break in the counter."""
        of = self._found.shown
        if of is None:
            return []
        return [c for c in self._found.cycles if (c.mold, c.segment) == (of.mold, of.segment)]

    @property
    def curves(self) -> list[tuple[str, CurveChart]]:
        """Curves of the cycle that is shown and are in no plot, by their names with units."""
        found = []
        drawn = {each["name"] for plot in self.chart.data["plots"] for each in plot["signals"]}
        for name, curve in sorted(self._found.curves.items()):
            if name in drawn:
                continue
            signal = SIGNALS.get(name)
            decimals = signal.decimals if signal else 2
            chart = curve_chart(name, curve, self._found.before.get(name), decimals)
            if chart is not None:
                unit = unit_of(name)
                found.append((f"{in_words(name)}, {unit}" if unit else in_words(name), chart))
        return found
