"""The plant record's tables: those of every record, and three about the agents that fill it."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    MetaData,
    Sequence,
    SmallInteger,
    Table,
    Text,
)

from agent import schema

plant = MetaData(naming_convention=schema.CONVENTION)

for _table in (*schema.main.sorted_tables, schema.curve):
    for _column in _table.to_metadata(plant).c:
        if getattr(_column.type, "length", None):
            _column.type = Text()  # SQLite holds nobody to a length; what it took must fit here

member = Table(
    "member",
    plant,
    Column("agent", Text, primary_key=True, comment="its id, as its own record has it"),
    Column("name", Text, nullable=False, comment="of its site and computer"),
    Column("sprue", Text, nullable=False, comment="its version"),
    Column("seen_ns", BigInteger, nullable=False, comment="by the server's clock"),
    comment="the agents that have written here",
)

lease = Table(
    "lease",
    plant,
    Column("machine_id", ForeignKey("machine.id"), primary_key=True),
    Column("agent", Text, nullable=False, comment="who counts it, or did so last"),
    Column("shared", SmallInteger, nullable=False, comment="1: several agents may, in turn"),
    Column("term", BigInteger, nullable=False, comment="rises whenever another agent takes it"),
    Column("until_ns", BigInteger, nullable=False, comment="where shared; by the server's clock"),
    comment="whose a machine is",
)

origin = Table(
    "origin",
    plant,
    Column("agent", Text, primary_key=True),
    Column("kind", Text, primary_key=True, comment="the table"),
    Column("row_id", BigInteger, primary_key=True, comment="in the agent's own record"),
    Column("plant_id", BigInteger, nullable=False, comment="in this one"),
    Index(None, "kind", "plant_id"),
    comment="rows without a key of their own: which of them are here already",
)

changes = Sequence("changes", metadata=plant)
"""What `changed` is taken from, where rows grow or close."""

SUMS = ("shots", "shots_min", "shots_max", "closings", "unobserved", "parts")

_ADDING = ", ".join(f"{name} = mold_day.{name} + excluded.{name}" for name in SUMS)


def _sums_of(time: str, values: str) -> str:
    return (
        "INSERT INTO mold_day VALUES (coalesce(NEW.mold_id, 0), coalesce(NEW.revision, ''), "
        f"coalesce(NEW.resin, ''), NEW.{time} / 86400000000000, {values}) "
        f"ON CONFLICT (mold_id, revision, resin, day) DO UPDATE SET {_ADDING}"
    )


def _trigger(name: str, event: str, time: str, values: list[str]) -> list[str]:
    function = f"mold_day_of_{name}"
    return [
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"{_sums_of(time, ', '.join(values))}; RETURN NULL; END $$",
        f"CREATE TRIGGER {function} AFTER {event} FOR EACH ROW EXECUTE FUNCTION {function}()",
    ]


_NEW = [f"coalesce(NEW.{name}, 0)" for name in SUMS]
_GROWN = [f"coalesce(NEW.{name}, 0) - coalesce(OLD.{name}, 0)" for name in SUMS]

TRIGGERS = (
    *_trigger("ledger_new", "INSERT ON ledger", "until_ns", _NEW),
    *_trigger("ledger_grown", f"UPDATE OF {', '.join(SUMS)} ON ledger", "until_ns", _GROWN),
    *_trigger("adjustment_new", "INSERT ON adjustment", "at_ns", _NEW),
)
"""What keeps `mold_day`, as migration 0006 does it in SQLite."""

TIMED_KEYS = (
    "ALTER TABLE cycle DROP CONSTRAINT pk_cycle",
    "ALTER TABLE cycle DROP CONSTRAINT uq_cycle_machine_id_segment_counter",
    "ALTER TABLE cycle ADD CONSTRAINT pk_cycle PRIMARY KEY (id, time_ns)",
    "ALTER TABLE cycle ADD CONSTRAINT uq_cycle_machine_id_segment_counter "
    "UNIQUE (machine_id, segment, counter, time_ns)",
    "ALTER TABLE curve DROP CONSTRAINT pk_curve",
    "ALTER TABLE curve ADD CONSTRAINT pk_curve "
    "PRIMARY KEY (machine, segment, counter, signal, started_ns)",
)
"""A hypertable's keys hold its time; what is there already is found without them."""

HYPERTABLES = (
    "SELECT create_hypertable('cycle', 'time_ns', chunk_time_interval => 604800000000000)",
    "SELECT create_hypertable('curve', 'started_ns', chunk_time_interval => 604800000000000)",
)
"""A chunk a week; TimescaleDB's own function."""
