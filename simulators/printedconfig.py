"""The `sprue.toml` that watches a fleet, as far as it is about machines and molds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.certificates import identity
from simulators.fleet import Fleet, first_of
from simulators.fleetentries import FleetPress, FleetTcu
from simulators.opcua.face import application_uri

FAST = 10.0
"""From this speed on a cycle takes so little of the wall's time that polls have to be dense."""

MAKER_FIELDS: Mapping[str, str] = {
    "HoldTime": "hold_time_s",
    "MouldOpenTime": "mold_open_time_s",
    "MouldCloseTime": "mold_close_time_s",
    "EjectionTime": "ejection_time_s",
    "PauseTime": "pause_time_s",
    "CoolingTimeSet": "cooling_time_set_s",
    "ClampForce": "clamp_force_kn",
}
"""The simulated maker's own event fields and the signals that they are."""

AGENT = "simulated-agent"
"""Whose certificate the secured machines' tables name."""
PASSWORD = "SIMULATED_PASSWORD"
"""The environment variable that holds the password of the secured machines."""

MOLD_KEYS = (
    "id",
    "revision",
    "part",
    "alloy",
    "cavities",
    "planned_shots",
    "expected_cycle_s",
    "resin",
)
"""What an agent's `[[mold]]` has."""


def print_config(
    fleet: Fleet,
    ports: Mapping[str, int],
    *,
    host: str = "127.0.0.1",
    speed: float = FAST,
    certificates: Path | None = None,
) -> str:
    """The `[[machine]]` and `[[mold]]` tables of a sprue.toml that watches the fleet.

    A secured machine's table names files: the certificate and key of an agent that the machine lets
    in, and the machine's own certificate; they are made where they are not there yet.

    Args:
        fleet: The fleet.
        ports: Where each press listens, by its name.
        host: Where all of them listen.
        speed: How fast they mold: at real speed, servers that are dear to poll are polled less.
        certificates: Folder with the certificates of the plant's secured servers; None: secured
            machines are named in a comment.

    Raises:
        OSError: a certificate can't be written.
    """
    tables = []
    for press in fleet.press:
        at = _Reached(host, ports[press.name], speed)
        tables.append(_machine(press, at, _secured(fleet, press, certificates)))
        if not tables[-1].startswith("#"):
            tables += [_tcu(each, host, ports) for each in fleet.tcu if each.press == press.name]
    tables += [_table("mold", mold.model_dump(include=set(MOLD_KEYS))) for mold in fleet.mold]
    return "\n".join(tables)


@dataclass(frozen=True, slots=True)
class _Reached:
    host: str
    port: int
    speed: float

    @property
    def url(self) -> str:
        return f"opc.tcp://{self.host}:{self.port}"


def _secured(
    fleet: Fleet, press: FleetPress, certificates: Path | None
) -> Mapping[str, Any] | None:
    """The entries of a secured machine, empty for an open one; None where there is no folder."""
    if press.security is None and press.tls is None:
        return {}
    if certificates is None:
        return None
    folder, named = certificates.resolve(), first_of(fleet, press)
    identity(folder / named, application_uri(named))
    identity(folder / AGENT, f"urn:{AGENT}")
    files = {
        "certificate": str(folder / AGENT / "server.der"),
        "key": str(folder / AGENT / "server.pem"),
        "server_certificate": str(folder / named / "server.der"),
    }
    if press.security is None:
        return {"tls": files}
    way = {"policy": press.security.policy, "mode": "SignAndEncrypt"}
    entries: dict[str, Any] = {"security": way | files}
    if press.security.user:
        entries |= {"user": press.security.user, "password": {"env": PASSWORD}}
    return entries


def _machine(press: FleetPress, at: _Reached, secured: Mapping[str, Any] | None) -> str:
    if secured is None:
        where = at.url if press.protocol != "modbus" else f"{at.host}:{at.port}"
        return (
            f"# {press.name} at {where} asks for certificates: `--certificates DIR` makes them, "
            "and names them here.\n"
        )
    entries: dict[str, Any] = {"name": press.name}
    match press.protocol:
        case "modbus":
            entries |= {"driver": "modbus", "host": at.host, "port": at.port, "unit": press.unit}
            if press.framing == "rtu":
                entries["framing"] = "rtu"
            entries |= {"map": "retrofit-plc", "poll_s": 0.1}
        case "flat":
            entries |= {"driver": "opcua", "url": at.url}
            entries |= {"map": "flat-em63", "poll_s": 0.2 if at.speed < FAST else 0.1}
        case "euromap77":
            entries |= {"driver": "euromap77", "url": at.url}
            if press.server is not None:
                entries["serial"] = press.name
            entries["cooling"] = {"event_field": "CoolingTime"}
            entries["fields"] = MAKER_FIELDS
    entries |= secured
    entries["tonnage"] = press.tonnage
    if press.hall is not None:
        entries["hall"] = press.hall
    return _table("machine", entries)


def _tcu(tcu: FleetTcu, host: str, ports: Mapping[str, int]) -> str:
    """A control unit at the press above it."""
    entries = {"name": tcu.name, "driver": "modbus", "host": host, "port": ports[tcu.name]}
    return _table("machine.tcd", entries | {"unit": tcu.unit, "map": "tcu-9"})


def _table(name: str, entries: Mapping[str, Any]) -> str:
    lines = [f"{key} = {_toml(value)}" for key, value in entries.items()]
    return "\n".join([f"[[{name}]]", *lines, ""])


def _toml(value: Any) -> str:
    """
    >>> _toml({"event_field": "CoolingTime"}), _toml('a "b"'), _toml(24.0)
    ('{ event_field = "CoolingTime" }', '"a \\\\"b\\\\""', '24.0')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # a fleet's texts are printable
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} = {_toml(each)}" for key, each in value.items())
        return f"{{ {inside} }}"
    return repr(value)
