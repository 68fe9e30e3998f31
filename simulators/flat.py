"""A press whose OPC UA server follows no companion specification: a flat list of EUROMAP 63 tokens.

Every number is a Double, even counters; the mode is a bit mask. The values of the last cycle are
written one after the other, the counter last, as the controls of this kind do it.
"""

import asyncio
from collections.abc import Mapping

from asyncua import ua

from simulators.listener import Change
from simulators.modes import Mode
from simulators.nodes import DATA_VARIABLE, FOLDER, OBJECTS, ORGANIZES, double, text
from simulators.opcua import UaServer
from simulators.press import Press
from simulators.sharednodes import standard_nodes
from simulators.shot import Shot

NAMESPACE = "urn:sprue:simulated:flat"
INDEX = 2

DOUBLE = ua.NodeId(ua.ObjectIds.Double)
STRING = ua.NodeId(ua.ObjectIds.String)

MODE_BITS: Mapping[Mode, int] = {
    Mode.OTHER: 0,
    Mode.SLEEP: 2,
    Mode.MANUAL: 4,
    Mode.SETUP: 4,
    Mode.SEMI_AUTOMATIC: 8,
    Mode.AUTOMATIC: 16,
}
"""1 is off; this control knows no set-up mode."""

LAST_CYCLE: Mapping[str, str] = {
    "ActTimCyc": "cycle_time_s",
    "ActTimCool": "cooling_time_s",
    "ActTimFill[1]": "fill_time_s",
    "ActTimHld": "hold_time_s",
    "ActTimPlst[1]": "recovery_time_s",
    "ActTimMldOpn": "mold_open_time_s",
    "ActTimMldCls": "mold_close_time_s",
    "ActTimEj": "ejection_time_s",
    "ActTimPse": "pause_time_s",
    "ActPrsMachSpecMax": "injection_pressure_peak_bar",
    "ActPrsXfrSpec[1]": "transfer_pressure_bar",
    "ActPrsHldSpec[1]": "hold_pressure_bar",
    "ActPrsBck[1]": "back_pressure_bar",
    "ActStrCsh[1]": "cushion_mm",
    "ActStrXfr[1]": "transfer_position_mm",
    "ActVolSht[1]": "shot_volume_cm3",
    "ActFrcClp": "clamp_force_kn",
    "ActPrsCavMax": "cavity_pressure_peak_bar",
    "SetTimCool": "cooling_time_set_s",
    "SetTmpMld[1]": "mold_temp_set_c",
    "ActCntPrtGood": "parts_good",
    "ActCntPrtBad": "parts_bad",
}
"""Token and canonical signal of what changes at the end of a cycle."""

LEVELS: Mapping[str, str] = {
    "ActTmpMld[1]": "mold_temp_c",
    "ActTmpBrlZn[1,1]": "barrel_zone_1_c",
    "ActTmpBrlZn[1,2]": "barrel_zone_2_c",
    "ActTmpBrlZn[1,3]": "barrel_zone_3_c",
    "ActTmpBrlZn[1,4]": "barrel_zone_4_c",
    "ActTmpMlt[1]": "melt_temp_c",
    "ActTmpOil": "oil_temp_c",
}

LIVE = ("ActPrsInj", "ActStrScr")
TEXTS = ("SetDescMld", "SetDescJob")
STATES = ("ActCntCyc", "ModMach", "StsProd", "StsPhase", "TypClosing")


class FlatFace:
    """Publishes one press on an OPC UA server of its own."""

    def __init__(self, press: Press, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.press = press
        self.host = host
        self.port = port
        """0 until it has started, if it was not given."""
        self._server: UaServer | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"opc.tcp://{self.host}:{self.port}"

    async def start(self) -> None:
        """Listen with a fresh address space that shows the press as it is.

        Raises:
            OSError: the port is taken.
        """
        server = UaServer(
            standard_nodes(),
            [NAMESPACE],
            name=f"{self.press.name} flat",
            uri=f"urn:sprue:simulated:{self.press.name}",
        )
        await server.init()
        self._build(server)
        await server.listen(self.host, self.port)
        self._server, self.port = server, server.port
        self.press.listeners.append(self)

    async def stop(self) -> None:
        """Stop answering; the press molds on."""
        if self._server is None:
            return
        self.press.listeners.remove(self)
        server, self._server = self._server, None
        await server.close()

    async def tick(self) -> None:
        """Tell those who subscribed to live values; reads compute them anyway."""
        if self._server is not None:
            live = self.press.live
            await self._write("ActPrsInj", double(live.injection_pressure_bar))
            await self._write("ActStrScr", double(live.screw_position_mm))

    async def phase_changed(self, press: Press) -> None:
        """Publish the phase, and the levels that go with it."""
        await self._write("StsPhase", double(press.phase))
        for token, signal in LEVELS.items():
            await self._write(token, double(press.levels[signal]))

    async def shot_ended(self, press: Press, shot: Shot) -> None:
        """Publish the last cycle's values, and then the counter."""
        for token, signal in LAST_CYCLE.items():
            await self._write(token, double(shot.values[signal]))
            await asyncio.sleep(0)
        await self._write("TypClosing", double(shot.closing == "dry"))
        await self._write("ActCntCyc", double(shot.counter))

    async def changed(self, press: Press, change: Change) -> None:
        """Publish mode, production status, job, mold and counter as they are now."""
        for token in (*TEXTS, *STATES):
            if token != "TypClosing":
                await self._write(token, _state(press, token))

    def _build(self, server: UaServer) -> None:
        nodes, press = server.nodes, self.press
        folder = nodes.object(
            _id("Machine"), ua.QualifiedName("Machine", INDEX), OBJECTS, FOLDER, reference=ORGANIZES
        )

        def add(token: str, value: ua.Variant) -> None:
            data_type = STRING if value.VariantType is ua.VariantType.String else DOUBLE
            name = ua.QualifiedName(token, INDEX)
            nodes.variable(_id(token), name, folder, value, data_type, DATA_VARIABLE)

        shot = press.last
        for token in (*TEXTS, *STATES):
            add(token, _state(press, token))
        for token, signal in LAST_CYCLE.items():
            add(token, double(shot.values[signal] if shot else 0.0))
        for token, signal in LEVELS.items():
            add(token, double(press.levels[signal]))
        for token in LIVE:
            add(token, double(0.0))
        server.on_read(_id("ActPrsInj"), lambda: double(press.live.injection_pressure_bar))
        server.on_read(_id("ActStrScr"), lambda: double(press.live.screw_position_mm))

    async def _write(self, token: str, value: ua.Variant) -> None:
        if self._server is not None:
            await self._server.write(_id(token), value)


def _id(token: str) -> ua.NodeId:
    return ua.NodeId(token, INDEX)


def _state(press: Press, token: str) -> ua.Variant:
    match token:
        case "SetDescMld":
            return text(press.mold_shown.id)
        case "SetDescJob":
            return text(press.job.name)
        case "ActCntCyc":
            return double(press.counter)
        case "ModMach":
            return double(MODE_BITS[press.mode])
        case "StsProd":
            return double(press.status)
        case "StsPhase":
            return double(press.phase)
        case _:
            return double(press.last is not None and press.last.closing == "dry")
