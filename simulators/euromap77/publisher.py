"""Publishes what one press does below DeviceSet of an OPC 40077 server: values and events."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from asyncua import ua

from simulators.euromap77.curves import ProcessCurves
from simulators.euromap77.cycleevent import cycle_fields
from simulators.euromap77.datasets import build_datasets
from simulators.euromap77.delivery import Delivery
from simulators.euromap77.logbook import (
    LOGGED,
    log_fields,
    log_type,
    message_fields,
    standstill_fields,
    words,
)
from simulators.euromap77.machine import MANUFACTURER, MOLD_TYPE, MOLDS, build_machine, build_mold
from simulators.euromap77.maker import EVENT_TYPE
from simulators.euromap77.options import Options
from simulators.euromap77.panel import Panel
from simulators.euromap77.standstill import RUNNING, SET_UP, entered
from simulators.euromap77.tree import Tree
from simulators.euromap77.types import CYCLE_EVENT, DEVICE_SET, LOGBOOK_EVENT, MACHINE_TYPE, MAKER
from simulators.listener import Change
from simulators.modes import MOLDING, Mode, Phase
from simulators.opcua.event import Fields, MachineEvent, Source
from simulators.opcua.modelchange import model_change
from simulators.opcua.nodes import GENERATES_EVENT, text
from simulators.opcua.server import UaServer
from simulators.press import Press
from simulators.shot import Shot


class Publisher:
    """One press on one server, from before the server listens until it is gone.

    Args:
        server: Where the press is published.
        press: What is published.
        options: What the machine offers.
        panel: What its control knows besides.
        generation: Software updates so far.
    """

    def __init__(
        self, server: UaServer, press: Press, options: Options, panel: Panel, generation: int
    ) -> None:
        self._server = server
        self._press = press
        self._options = options
        self._panel = panel
        self._levels: Mapping[str, float] = press.levels
        name = f"IMM_{MANUFACTURER}_{press.name}"
        self._tree = Tree(server, name, press.faults, panel.measures, generation=generation)
        root = self._tree.root
        self._source = Source(root, name)
        self._delivery = Delivery(server, press.faults, root)
        nodes, label = server.nodes, ua.QualifiedName(name, MAKER)
        keeps = options.event_history > 0
        nodes.object(root, label, DEVICE_SET, MACHINE_TYPE, events=True, history=keeps)
        for kind in (CYCLE_EVENT, LOGBOOK_EVENT, EVENT_TYPE):
            nodes.reference(root, GENERATES_EVENT, kind, ua.NodeClass.ObjectType)
        if panel.has_another_mold:
            panel.number_mold()
        build_machine(self._tree, press, options, panel)
        build_mold(self._tree, press, self._mold_path, panel.mold_number)
        if options.production_datasets:
            build_datasets(self._tree, press)
        self._curves = ProcessCurves(server, self._tree, press) if options.curves else None
        panel.display = self

    @property
    def fragile(self) -> ua.NodeId:
        """What the fault `node_deleted` deletes."""
        counter, mode = "Jobs/ActiveJobValues/JobCycleCounter", "MachineStatus/MachineMode"
        return self._tree.id(counter if self._options.jobs else mode)

    @property
    def late(self) -> Sequence[ua.NodeId]:
        """What is not there at first after the fault `nodes_missing`."""
        paths = ["InjectionUnits/InjectionUnit_1"] + ["Jobs"] * self._options.jobs
        return [self._tree.id(path) for path in paths]

    # What the press does

    async def phase_changed(self, press: Press) -> None:
        """Publish the temperatures that come with a phase."""
        if press.phase is Phase.CLOSE and press.mode in MOLDING:
            await self._panel.stands(RUNNING)
        if press.levels is not self._levels or press.phase is Phase.IDLE:
            self._levels = press.levels
            await self._publish()

    async def shot_ended(self, press: Press, shot: Shot) -> None:
        """Publish the counters and the curves, and then the cycle event."""
        if self._frozen:
            return
        await self._publish()
        if self._curves is not None:
            await self._curves.publish()
        panel = self._panel
        fields = cycle_fields(press, shot, self._options, panel.measures, mold=panel.mold_number)
        at = shot.ended_at + timedelta(seconds=self._server.clock_offset_s)
        said = f"Cycle {shot.job_counter} finished"
        event = self._event(EVENT_TYPE, said, fields, at)
        self._server.remember(event)
        await self._delivery.deliver(event)

    async def changed(self, press: Press, change: Change) -> None:
        """Publish what changed, and fire the logbook event that announces it."""
        await self._publish()
        if change.kind in LOGGED:
            fields = log_fields(press, change, self._panel.measures)
            await self._log(LOGGED[change.kind], words(change), fields)
        if change.kind == "units":
            await self._panel.set_to(change.new)
        if change.kind == "mode" and change.new is Mode.SETUP:
            await self._panel.stands(replace(SET_UP, who=change.who))
        elif change.reason:
            await self._panel.stands(entered(change.reason, change.who))

    # What happens at its control

    async def standstill_changed(self) -> None:
        """Publish why the press stands, and log it."""
        reason = self._panel.standstill
        await self._publish()
        fields = standstill_fields(self._press, reason)
        await self._log("standstill", reason.text or "Production goes on", fields)
        if reason.alarm:
            await self._log("message", reason.text, message_fields(self._press, reason))

    async def refresh(self) -> None:
        """Show everything as it is now, in the units that the control is set to."""
        if self._frozen:
            return
        await self._tree.set_measures(self._panel.measures)
        await self._publish()
        if self._curves is not None:
            await self._curves.publish()

    # The mold's node

    @property
    def _mold_path(self) -> str:
        return f"{MOLDS}/{self._options.mold_name(self._panel.mold_number)}"

    async def _replace_mold(self) -> None:
        """Delete the old mold's node, add the new one's, and tell of both."""
        tree, panel, old = self._tree, self._panel, self._mold_path
        panel.number_mold()
        await tree.remove(old)
        build_mold(tree, self._press, self._mold_path, panel.mold_number)
        await tree.write(f"{MOLDS}/NodeVersion", text(str(panel.mold_nodes)))
        event = model_change(
            self._server,
            Source(tree.id(MOLDS), MOLDS),
            MOLD_TYPE,
            deleted=tree.id(old),
            added=tree.id(self._mold_path),
        )
        await self._server.fire(event, tree.root)

    # The machinery

    @property
    def _frozen(self) -> bool:
        return self._press.faults.active("frozen_values") is not None

    async def _publish(self) -> None:
        if self._frozen:
            return
        if self._panel.has_another_mold:
            await self._replace_mold()
        await self._tree.publish()

    async def _log(self, logged: str, said: str, fields: Fields) -> None:
        if not self._frozen:
            event = self._event(log_type(logged), said, fields, self._server.now())
            self._server.remember(event)
            await self._server.fire(event)

    def _event(self, kind: ua.NodeId, said: str, fields: Fields, at: datetime) -> MachineEvent:
        return MachineEvent(kind, self._source, at, said, fields, received=self._server.now())
