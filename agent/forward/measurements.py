"""The schema of what line-protocol sinks get: measurements, tags, fields, and what they mean.

`docs/reference/influxdb.md` is printed from here. Types are fixed by this table, never by a value:
a field's first type is for ever. Tags are only what is bounded; a shot's number is a field.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.anomaly import CAUSES
from agent.schema import VALUE_COLUMNS
from drivers import Change
from drivers.signals import MODES, SIGNALS

Type = Literal["float", "integer", "boolean", "text", "word"]
"""`word` is a text of a closed vocabulary: a field where words are stored, a tag where not."""

ABSENT = "none"
"""A tag's value where nothing is known: a point always has all of its tags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a measurement; a unit is the end of its name."""

    name: str
    type: Type
    text: str
    """What it is, for a person."""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One kind of point."""

    name: str
    topic: str
    text: str
    time: str
    """What its timestamp is."""
    tags: Mapping[str, str]
    """By name, what each is; every point has all of them."""
    fields: Sequence[Field]
    open_fields: str = ""
    """What other fields there are, where their names are not ours to know."""


def _integer(name: str, text: str) -> Field:
    return Field(name=name, type="integer", text=text)


def _float(name: str, text: str) -> Field:
    return Field(name=name, type="float", text=text)


def _text(name: str, text: str) -> Field:
    return Field(name=name, type="text", text=text)


def _word(name: str, text: str, *words: str) -> Field:
    return Field(name=name, type="word", text=text, words=words)


AGENT = {"agent": "the site's name and its computer's"}
MACHINE = {"machine": "its name in the configuration"}
MOLD = {"mold": "its id, as it was known when the row was written", "revision": "of the mold"}

CYCLE = Measurement(
    name="sprue_cycle",
    topic="cycles",
    text="One shot or dry cycle.",
    time="its end; the last three digits of the nanoseconds are of the counter",
    tags=MACHINE | MOLD,
    fields=(
        _integer("counter", "the shot's number; rises within a segment"),
        _integer("segment", "a stretch in which the counter rose without reset or wrap"),
        _word("closing", "with plastic or without", "shot", "dry"),
        _word("state", "what it was made as", "production", "test", "failed", "setup"),
        _word("mode", "of the machine", *MODES),
        _text("job", "production order"),
        _text("flags", "words about this record, separated by spaces"),
        _float("time_uncertainty_s", "it ended at most this much earlier"),
        *(_float(name, SIGNALS[name].text) for name in VALUE_COLUMNS),
    ),
    open_fields="values under a vendor's own name as `x_NAME` (a number) or `x_NAME_text`",
)

CURVE = Measurement(
    name="sprue_curve",
    topic="curves",
    text="One instant of one shot: every chosen curve that has a sample there.",
    time="of the sample",
    tags=MACHINE | MOLD,
    fields=(_integer("counter", "the shot's number"),),
    open_fields="each curve under its signal's name (a number); scaled, `NAME_e2` is a whole "
    "number in steps of 10^-2 of the signal's unit, and so on",
)

LEDGER = Measurement(
    name="sprue_ledger",
    topic="ledger",
    text="Consecutive closings of one segment on one mold revision: a row of the ledger. "
    "A mold's life is the sum of `shots` over this and `sprue_adjustment`.",
    time="InfluxDB: its first closing, and it grows in place; VictoriaMetrics: its last one so far",
    tags=MACHINE
    | MOLD
    | {"kind": "`seen`, `unobserved`, `seen_late` (corrects an unobserved one), ..."},
    fields=(
        _integer("segment", "of the machine's counter"),
        _integer("first", "counter of the first closing"),
        _integer("last", "counter of the last closing"),
        _integer("closings", "with and without plastic"),
        _integer("shots", "closings with plastic"),
        _integer("shots_min", "fewest that the evidence leaves room for"),
        _integer("shots_max", "most that the evidence leaves room for"),
        _integer("unobserved", "how many of the shots were not seen"),
        _integer("parts", "shots times open cavities"),
        _float("duration_s", "first to last closing"),
        _text("resin", "that was molded"),
        _text("evidence", "what proves it"),
    ),
)

ADJUSTMENT = Measurement(
    name="sprue_adjustment",
    topic="adjustments",
    text="What people added to a mold's life or took off it, and what was moved from one mold to "
    "another when its mount was entered late (the shots' own points stay as they are); signed.",
    time="when it was made",
    tags=MOLD | {"kind": "`start`, `correction`, `moved`"},
    fields=(
        *(
            _integer(name, f"{name.replace('_', ' ')}, to be added")
            for name in ("closings", "shots", "shots_min", "shots_max", "unobserved", "parts")
        ),
        _text("resin", "that was molded"),
        _text("reason", "in words"),
    ),
)

BLIND = Measurement(
    name="sprue_blind",
    topic="blinds",
    text="Two points an interval in which a machine could not be seen: its beginning (`open` true) "
    "and its end.",
    time="of the beginning, and of the end",
    tags=MACHINE,
    fields=(
        Field(name="open", type="boolean", text="true: it begins here"),
        _float("duration_s", "at its end"),
        _word(
            "cause", "why", "unreachable", "refused", "mistaken", "garbled", "stale", "overflow",
            "unseen", "not_running",
        ),
        _text("why", "in words"),
    ),
)  # fmt: skip

NOTICE = Measurement(
    name="sprue_notice",
    topic="notices",
    text="Mode, job, mold, parameter, production status or message changed, or a clock was set.",
    time="of the change; the last three digits of the nanoseconds tell those of one instant apart",
    tags=MACHINE
    | {
        "change": ", ".join(f"`{change.value}`" for change in Change),
        "name": "what changed: a parameter's name, `mode`, ...",
    },
    fields=(
        _integer("n", "always 1, to be counted"),
        _text("old", "before"),
        _text("new", "after"),
        _float("old_number", "before, where it is a number"),
        _float("new_number", "after, where it is a number"),
        _text("who", "by the machine's word"),
    ),
)

ANOMALY = Measurement(
    name="sprue_anomaly",
    topic="anomalies",
    text="Two points an anomaly: raised (`open` true), and closed.",
    time="of both; the last three digits of the nanoseconds tell those of one instant apart",
    tags=MACHINE
    | {
        "mold": "its id",
        "kind": ", ".join(f"`{kind}`" for kind in CAUSES),
        "signal": "what it shows in",
    },
    fields=(
        Field(name="open", type="boolean", text="true: raised here"),
        _word(
            "cause", "what it is put down to",
            *dict.fromkeys(cause for causes in CAUSES.values() for cause in causes),
        ),
        _word("severity", "how bad", "info", "warning", "alarm"),
        _text("id", "the same in the record and on the pages"),
        _text("revision", "of the mold"),
        _integer("segment", "of the machine's counter"),
        _integer("counter", "the shot at which it was raised"),
        _integer("since_counter", "the first shot affected"),
        _float("value", "found, where it is a number"),
        _text("value_text", "found, where it is a word"),
        _float("expected", "where it is a number"),
        _text("expected_text", "where it is a word"),
        _float("limit", "that was crossed"),
        _text("message", "what changed, for a person"),
        _float("duration_s", "at its closing"),
    ),
)  # fmt: skip

NOW = "when it was looked, every 30 s; while the sink is away nobody looks"

HEALTH = Measurement(
    name="sprue_health",
    topic="vitals",
    text="How an agent itself does.",
    time=NOW,
    tags=AGENT,
    fields=(
        _integer("machines", "that it has"),
        _integer("machines_up", "whose links stand"),
        _integer(
            "record_writable",
            "0 where the disk takes nothing, or only shots, where room was kept for them; else 1",
        ),
        _integer("disk_free_bytes", "where the record lies"),
        _integer("memory_bytes", "of the agent"),
        _float("processor_s", "time of a processor that the agent has taken since its start"),
    ),
)

LINK = Measurement(
    name="sprue_link",
    topic="vitals",
    text="How the link to a machine does.",
    time=NOW,
    tags=MACHINE,
    fields=(
        _integer("up", "1 where it stands, else 0"),
        _float("seen_age_s", "since its last sign of life"),
        _integer("refused", "cycles that came so far and were not kept"),
        _integer("unobserved", "shots so far that the counter proves and no cycle came for"),
    ),
)

SINK = Measurement(
    name="sprue_sink",
    topic="vitals",
    text="How what an agent delivers does, this sink's part too.",
    time=NOW,
    tags=AGENT | {"sink": "its name in the configuration"},
    fields=(
        _integer("up", "0 while it takes nothing, else 1"),
        _integer("rows", "that wait for it"),
        _float("oldest_age_s", "of what waits longest; 0 where nothing waits"),
        _integer("letters", "rows that it refused and that wait for a person"),
    ),
)

MEASUREMENTS = (CYCLE, CURVE, LEDGER, ADJUSTMENT, BLIND, NOTICE, ANOMALY, HEALTH, LINK, SINK)

RESERVED = frozenset(
    {"time"}.union(
        *(m.tags for m in MEASUREMENTS), *((f.name for f in m.fields) for m in MEASUREMENTS)
    )
)
"""Names that no tag of a plant's own may have: a tag and a field can't share one."""
