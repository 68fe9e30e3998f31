"""What the API answers, as OpenAPI describes it; units are the ends of names, and `x-unit`."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.config import JsonDict

from agent.molds.life import Life
from agent.molds.mold import Mold
from agent.molds.servicelog import Service
from agent.schema import VALUE_COLUMNS
from drivers.signals import SIGNALS

T = TypeVar("T")

Value = float | int | bool | str | None


class Shape(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid")


class Page(Shape, Generic[T]):
    """A part of a list; ask again with `cursor` = `next` for what comes after."""

    items: list[T]
    next: Annotated[
        str | None, Field(description="Cursor of the next part; null after the last one.")
    ]
    last: Annotated[
        str | None, Field(description="Cursor of what comes after this part, some day.")
    ]


class Problem(BaseModel):
    """Why not, after RFC 9457."""

    type: str
    title: str
    status: int
    detail: Annotated[str, Field(description="In words, for a person.")]


def _unit(name: str) -> Any:
    signal = SIGNALS[name]
    extra: JsonDict = {"x-unit": signal.unit} if signal.unit else {}
    return Field(default=None, description=signal.text, json_schema_extra=extra)


Values = create_model(
    "Values",
    __config__=ConfigDict(extra="allow"),
    __doc__="By canonical name, in the unit of `x-unit`; a vendor's extras under their own names.",
    **{name: (float | None, _unit(name)) for name in VALUE_COLUMNS},
)  # type: ignore[call-overload]


class Cycle(Shape):
    """One finished shot, or a dry cycle."""

    machine: str
    segment: Annotated[int, Field(description="Of the counter: between two resets or wraps.")]
    counter: int
    mold: Annotated[str | None, Field(description="That it counts on now.")]
    revision: str | None
    job: str | None
    time: Annotated[datetime, Field(description="End of the cycle.")]
    closing: Literal["shot", "dry"]
    state: str
    values: Values
    provenance: Annotated[
        Mapping[str, Literal["reported", "latched", "edges", "derived"]],
        Field(description="Where each value comes from."),
    ]
    flags: list[str]
    resin: str | None = None
    uncertainty: Annotated[
        Mapping[str, float] | None, Field(description="Plus or minus, in the value's unit.")
    ] = None
    time_uncertainty_s: Annotated[float | None, Field(json_schema_extra={"x-unit": "s"})] = None


class CurveShape(Shape):
    """One signal sampled during a shot; a sample that is missing is missing."""

    unit: str
    started_at: datetime
    t_s: Annotated[
        list[float], Field(description="Since started_at.", json_schema_extra={"x-unit": "s"})
    ]
    values: Annotated[list[float | None], Field(description="In `unit`; as many as `t_s`.")]


class Curves(Shape):
    """All curves of one cycle."""

    machine: str
    segment: int
    counter: int
    curves: Mapping[str, CurveShape]


class Mute(Shape):
    """What nobody is called for, and until when; what is null does not matter."""

    number: int
    machine: str | None
    mold: str | None
    kind: str | None
    cause: str | None
    signal: str | None
    since: datetime
    until: datetime
    who: str
    reason: str


class Action(Shape):
    """What somebody did to an anomaly."""

    time: datetime
    who: str
    action: str
    text: str


class Anomaly(Shape):
    """One deviation, and what people said to it."""

    number: Annotated[int, Field(description="In this record.")]
    id: Annotated[str, Field(description="The same in every replay.")]
    time: Annotated[datetime, Field(description="Raised.")]
    machine: str | None
    mold: str | None
    revision: str | None
    counter: int | None
    kind: str
    cause: str
    signal: str | None
    value: Annotated[Value, Field(description="In the unit of `signal`: /api/signals.")]
    expected: Value
    limit: float | None
    since_counter: Annotated[int | None, Field(description="The first shot affected.")]
    until_counter: int | None
    severity: Literal["info", "warning", "alarm"]
    message: str
    short: str
    likely: str
    advice: str
    evidence: Mapping[str, Value]
    follows: Annotated[str | None, Field(description="Id of the one it is a consequence of.")]
    state: Literal["open", "acknowledged", "closed"]
    closed_at: datetime | None
    muted: Mute | None
    actions: list[Action]


class MoldLine(Shape):
    """One mold revision: where it is, what it took, what is left."""

    mold: str | None
    revision: str | None
    registered: Annotated[bool, Field(description="False where only a machine has named it.")]
    part: str | None
    machine: Annotated[str | None, Field(description="On which it sits.")]
    location: str | None
    shots: int
    shots_min: int
    shots_max: Annotated[int, Field(description="Bounds, where the evidence leaves doubt.")]
    closings: int
    unobserved: int
    dry: int
    planned_shots: int | None
    used: Annotated[float | None, Field(description="Share of its life; 1 is all of it.")]
    remaining: Annotated[int | None, Field(description="Shots; below 0: over.")]
    service: str | None


class WornOut(Shape):
    """When its life ends, from the day with 10 % to that with 90 %."""

    early: date
    late: date | None
    shots_per_day: float


class TookLine(Shape):
    """What one revision took of one resin."""

    revision: str
    resin: str | None
    shots: int
    shots_min: int
    shots_max: int
    closings: int
    unobserved: int
    parts: int


class Due(Shape):
    """One level of service."""

    level: int
    state: str
    shots_left: int | None
    share: float


_OF_MOLD = get_type_hints(Mold)

MoldDetail = create_model(
    "MoldDetail",
    __base__=Shape,
    __doc__="All that is known of one mold.",
    **{each.name: (_OF_MOLD[each.name], ...) for each in fields(Mold)},
    machine=(str | None, ...),
    life=(Life, ...),
    base_life=(Life, ...),
    worn_out=(WornOut | None, ...),
    took=(list[TookLine], ...),
    services_due=(list[Due], ...),
    log=(list[Service], ...),
)  # type: ignore[call-overload]


class Machine(Shape):
    """One source: its link, and the loss identity seen = kept + refused."""

    machine: str
    driver: str | None
    seen_at: datetime | None
    mold: str | None
    link: Literal["up", "down", "never"]
    why: str | None
    blind_since: datetime | None
    seen: int
    kept: int
    refused: Mapping[str, int]
    unobserved: int
    blind_s: Annotated[float, Field(json_schema_extra={"x-unit": "s"})]
    unavailable: list[str]
    publishing_s: Annotated[float | None, Field(json_schema_extra={"x-unit": "s"})]
    sampling_s: Annotated[float | None, Field(json_schema_extra={"x-unit": "s"})]
    lost: int | None
    missed: int | None
    clock: Mapping[str, float] | None
    server_clock: Mapping[str, float] | None
    anomalies: Annotated[list[str], Field(description="Ids of open ones that nobody muted.")]


class Sink(Shape):
    """Where the record is forwarded to."""

    name: str
    kind: str
    place: str
    waiting: int
    oldest_at: datetime | None
    acknowledged_at: datetime | None
    trouble: str | None
    letters: Annotated[int, Field(description="Rows that it refused.")]


class Status(Shape):
    """How Sprue does."""

    version: str
    now: datetime
    timezone: str
    record: Annotated[str | None, Field(description="Why nothing can be written; null: all well.")]
    machines: list[Machine]
    sinks: list[Sink]


class Export(Shape):
    """An export, from the wish to the file."""

    key: str
    state: Literal["waiting", "writing", "done", "failed", "cancelled"]
    rows: Annotated[int | None, Field(description="Null until they are counted.")]
    written: int
    name: str | None
    sha256: str | None
    why: Annotated[str | None, Field(description="Why it failed, in words.")]
    who: str
    asked_at: datetime


class SignalShape(Shape):
    """One canonical signal."""

    name: str
    unit: str
    text: str
    kind: str
    decimals: int


class Signals(Shape):
    """The vocabulary."""

    items: list[SignalShape]
