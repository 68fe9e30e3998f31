"""The tables of a fleet file: `[[press]]`, `[[mold]]`, `[[run]]`, `[[event]]`, `[[tcu]]`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, FilePath, field_validator, model_validator

from simulators.counters import Kept
from simulators.menu import MENU
from simulators.orders import Order, checked
from simulators.physics.alloy import ALLOYS
from simulators.physics.program import NUMBERS, enterable
from simulators.physics.resin import RESINS
from simulators.strict import Strict, hint, one_of, printable

Protocol = Literal["modbus", "flat", "euromap77"]
ModeName = Literal["automatic", "semi_automatic", "manual", "setup", "sleep"]


def _word(name: str) -> str:
    """A name by which an order can call a press, and a folder can be called."""
    if not name.isprintable() or any(letter in " /\\*," for letter in name):
        raise ValueError("should be one word, without any of / \\ * ,")
    return name


Text = Annotated[str, AfterValidator(printable)]
Name = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_word)]
"""Of a press or control unit."""
Id = Annotated[str, Field(min_length=1, max_length=16), AfterValidator(printable)]
Count = Annotated[int, Field(ge=0, lt=2**32)]
Port = Annotated[int | None, Field(ge=1, le=65535)]

OWN_KEYS: Mapping[str, tuple[str, ...]] = {
    "unit": ("modbus",),
    "gateway": ("modbus",),
    "framing": ("modbus",),
    "max_words": ("modbus",),
    "tls": ("modbus",),
    "security": ("flat", "euromap77"),
    "limits": ("flat", "euromap77"),
    "twin": ("flat",),
    "server": ("euromap77",),
    "jobs": ("euromap77",),
    "machine_counter": ("euromap77",),
    "production_datasets": ("euromap77",),
    "injection_units": ("euromap77",),
    "event_history": ("euromap77",),
    "mold_number": ("euromap77",),
    "mold_nodes": ("euromap77",),
    "pressure_unit": ("euromap77",),
    "temperature_unit": ("euromap77",),
}
"""Keys that only presses of some protocols have."""


class FleetMold(Strict):
    """One `[[mold]]` table."""

    id: Id
    revision: Id = "A"
    part: Text = ""
    alloy: str = "7075-T6"
    cavities: Annotated[int, Field(ge=1, le=256)] = 1
    planned_shots: Annotated[int, Field(ge=1, lt=2**32)] = 10_000
    expected_cycle_s: Annotated[float, Field(ge=5, le=600)] = 24.0
    resin: str = "ABS"
    wall_mm: Annotated[float, Field(ge=0.5, le=8)] = 2.0
    """Of the part; thicker walls cool longer."""

    @field_validator("resin")
    @classmethod
    def _known_resin(cls, resin: str) -> str:
        return one_of(resin, RESINS)

    @field_validator("alloy")
    @classmethod
    def _known_alloy(cls, alloy: str) -> str:
        return one_of(alloy, ALLOYS)


class FleetSecurity(Strict):
    """A server that asks for certificates, and perhaps for a log-in."""

    policy: Literal["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"] = (
        "Basic256Sha256"
    )
    user: str = ""
    """Empty: anonymous clients are let in."""
    password: str = ""


class FleetTls(Strict):
    """A Modbus port that speaks Modbus/TCP Security, and nothing in clear."""

    client_certificate: FilePath | None = None
    """Of the only client that is let in, PEM or DER; without, anybody is."""


class FleetLimits(Strict):
    """What a small server takes; 0 where it states no limit."""

    nodes_per_read: Annotated[int, Field(ge=0)] = 0
    nodes_per_browse: Annotated[int, Field(ge=0)] = 0
    nodes_per_translate: Annotated[int, Field(ge=0)] = 0
    monitored_items_per_call: Annotated[int, Field(ge=0)] = 0
    sessions: Annotated[int, Field(ge=0)] = 0
    subscriptions: Annotated[int, Field(ge=0)] = 0
    select_clauses: Annotated[int, Field(ge=0)] = 0
    where_elements: Annotated[int, Field(ge=0)] = 0
    monitored_items: Annotated[int, Field(ge=0)] = 0
    said: bool = True
    """Whether clients can read them, or learn them by what is refused."""


def _known_set_points(program: Mapping[str, float]) -> None:
    for name, value in program.items():
        if name not in NUMBERS:
            raise ValueError(f"has no set point '{name}'{hint(name, NUMBERS)}")
        enterable(name, value)


class FleetPress(Strict):
    """One `[[press]]` table."""

    name: Name
    protocol: Protocol
    mold: str
    """Id of one of the fleet's molds."""
    job: Id = "J-1"
    lot: Text = ""
    customer: Text = ""
    parts: Count = 0
    """How many the job asks for."""
    mode: ModeName = "automatic"
    tonnage: Annotated[int, Field(ge=5, le=10_000)] = 80
    hall: str | None = None
    port: Port = None
    open_cavities: Annotated[int, Field(ge=0, le=256)] = 0
    """Cavities that make parts, where some are blocked; 0 for all."""
    counter: Annotated[int, Field(ge=0)] = 0
    """The machine's shot counter at the start."""
    job_counter: Count = 0
    counter_limit: Annotated[int, Field(ge=10, le=2**64)] = 2**32
    """The first number that the shot counter can't show: 65536, 10000, ..."""
    counter_kept: Kept = "always"
    """Over a power-off: always, as last saved, or lost."""
    save_every: Annotated[int, Field(ge=1)] = 50
    """Closings from save to save, where `counter_kept` is "saved"."""
    program: Mapping[str, float] = {}
    """Set points that are entered otherwise than usual."""

    unit: Annotated[int, Field(ge=0, le=255)] = 1
    """Modbus unit id."""
    gateway: str | None = None
    """Modbus: presses and control units with the same word share one port and one serial line."""
    framing: Literal["tcp", "rtu"] = "tcp"
    """Modbus: as Modbus TCP has it, or RTU frames over TCP."""
    max_words: Annotated[int, Field(ge=1, le=125)] = 125
    """Modbus: registers that one request may read."""
    tls: FleetTls | None = None
    """Modbus: over TLS; behind a gateway, the same for all."""
    security: FleetSecurity | None = None
    limits: FleetLimits | None = None
    twin: bool = False
    """Flat: a second namespace has nodes of the same names, with another machine's values."""
    server: str | None = None
    """OPC 40077: presses with the same word share one server, as behind a gateway."""
    jobs: bool = True
    """OPC 40077: whether the optional Jobs branch is there."""
    machine_counter: bool = True
    """OPC 40077: whether the optional MachineCycleCounter is there."""
    production_datasets: bool = False
    """OPC 40077: whether the optional ProductionDatasetManagement branch is there."""
    injection_units: Literal[1, 2] = 1
    """OPC 40077: the second one stands by."""
    event_history: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """OPC 40077: how many past events the server keeps for HistoryRead; 0 for none."""
    mold_number: Annotated[int, Field(ge=1, le=999)] = 1
    """OPC 40077: number of the mold's container; from 10 on it is called like `Mould_042`."""
    mold_nodes: Literal["keep", "replace"] = "keep"
    """OPC 40077: whether a mold change keeps the mold's node or brings another."""
    pressure_unit: Literal["bar", "MPa", "psi"] = "bar"
    temperature_unit: Literal["C", "F"] = "C"

    @field_validator("program")
    @classmethod
    def _set_points(cls, program: Mapping[str, float]) -> Mapping[str, float]:
        _known_set_points(program)
        return program

    @model_validator(mode="after")
    def _fitting(self) -> "FleetPress":
        for key, protocols in OWN_KEYS.items():
            if key in self.model_fields_set and self.protocol not in protocols:
                names = " and ".join(f"'{name}'" for name in protocols)
                raise ValueError(f"'{key}' is for protocol {names} only")
        if self.counter >= self.counter_limit:
            raise ValueError(
                f"'counter' = {self.counter}; it should be below 'counter_limit' = "
                f"{self.counter_limit}"
            )
        return self


class FleetRun(Strict):
    """One `[[run]]` table: what a press does when its job before has its parts."""

    press: str
    mold: str
    job: Id
    parts: Annotated[int, Field(ge=1, lt=2**32)]
    recut: bool = False
    """The mold is re-cut before: from here on it has the next revision."""
    resin: str | None = None
    """Where it is not the mold's usual one."""
    lot: Text = ""
    lots: tuple[Text, ...] = ()
    """Resin lots one after the other, each for an equal share of the parts."""
    customer: Text = ""
    mode: Literal["automatic", "semi_automatic"] = "automatic"
    open_cavities: Annotated[int, Field(ge=0, le=256)] = 0
    program: Mapping[str, float] = {}
    set_up_s: Annotated[float, Field(ge=60, le=86_400)] = 1800.0
    set_up_closings: Annotated[int, Field(ge=0, le=100)] = 3

    @field_validator("resin")
    @classmethod
    def _known_resin(cls, resin: str | None) -> str | None:
        return None if resin is None else one_of(resin, RESINS)

    @field_validator("program")
    @classmethod
    def _set_points(cls, program: Mapping[str, float]) -> Mapping[str, float]:
        _known_set_points(program)
        return program


class FleetEvent(Strict):
    """One `[[event]]` table: a fault that comes, or something that people do."""

    at_s: Annotated[float, Field(ge=0)]
    """Process seconds since the start."""
    press: str | tuple[str, ...]
    """Name of one press or control unit, or of several; `*` for all presses."""
    fault: str | None = None
    do: str | None = None
    given: Annotated[Mapping[str, Any], Field(alias="with")] = {}
    """Parameters of the fault, or of what is done."""
    for_s: Annotated[float | None, Field(gt=0)] = None
    """Process seconds until the fault is switched off; without, it stays."""
    every_s: Annotated[float | None, Field(ge=1)] = None
    """Process seconds after which it happens again, and again."""

    @model_validator(mode="after")
    def _one(self) -> "FleetEvent":
        if (self.fault is None) == (self.do is None):
            raise ValueError("should have either 'fault' or 'do'")
        if self.fault is not None and self.fault not in MENU:
            raise ValueError(f"no fault '{self.fault}'{hint(self.fault, MENU)}")
        checked(self.order)
        if not self.presses:
            raise ValueError("'press' is an empty list; it should name at least one")
        return self

    @property
    def order(self) -> Order:
        """What is to be done."""
        return Order(what=self.fault or self.do or "", given=self.given, for_s=self.for_s)

    @property
    def presses(self) -> tuple[str, ...]:
        """The presses that it names; `*` for all."""
        return (self.press,) if isinstance(self.press, str) else self.press


class FleetTcu(Strict):
    """One `[[tcu]]` table: a temperature control unit at a press, over Modbus."""

    name: Name
    press: str
    unit: Annotated[int, Field(ge=0, le=255)] = 2
    gateway: str | None = None
    """Presses and control units with the same word share one port and one serial line."""
    port: Port = None
