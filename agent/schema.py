"""The record's tables, declared once; Alembic migrations in `agent/migrations` make them.

Two kinds of file: the main one (scalars, ledger, intervals, notices), and one a month for curves,
so that retention of curves is removing a file. Times are whole nanoseconds since 1970, UTC.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from drivers.signals import SIGNALS, Kind

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

KEY = Integer().with_variant(BigInteger, "postgresql")
"""SQLite gives out row ids only for a column of type INTEGER."""

VALUE_COLUMNS = tuple(
    signal.name
    for signal in SIGNALS.values()
    if signal.kind in (Kind.CYCLE, Kind.LEVEL, Kind.COUNTER) and signal.name != "counter"
)
"""Canonical signals with a column of their own in `cycle`; everything else goes into `extra`."""

VERSION = "0002"
"""The newest migration of the main file; what a reader of this Sprue understands."""

main = MetaData(naming_convention=CONVENTION)
curves = MetaData(naming_convention=CONVENTION)


def _ns(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


def _machine() -> Column[int]:
    return Column("machine_id", ForeignKey("machine.id"), nullable=False)


machine = Table(
    "machine",
    main,
    Column("id", KEY, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("driver", String(32)),
    _ns("seen_ns", null=True),
    Column("condition", Text, comment="JSON: how its connection does; drivers.condition"),
)

mold = Table(
    "mold",
    main,
    Column("id", KEY, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("revision", Text, nullable=False, comment="the present one"),
    Column("registered", SmallInteger, nullable=False, comment="0: only a machine named it"),
    Column("part", Text),
    Column("alloy", Text),
    Column("resin", Text),
    Column("cavities", Integer),
    Column("planned_shots", BigInteger),
    Column("expected_cycle_s", Double),
)

mount = Table(
    "mount",
    main,
    Column("id", KEY, primary_key=True),
    _machine(),
    Column("mold_id", ForeignKey("mold.id"), nullable=False),
    Column("revision", Text, nullable=False),
    _ns("since_ns"),
    _ns("until_ns", null=True),
    Column("source", String(16), nullable=False),
    UniqueConstraint("machine_id", "since_ns"),
)

segment = Table(
    "segment",
    main,
    Column("id", KEY, primary_key=True),
    _machine(),
    Column("number", Integer, nullable=False),
    Column("first", BigInteger, nullable=False),
    _ns("opened_ns"),
    Column("reason", String(16), nullable=False),
    UniqueConstraint("machine_id", "number"),
)

provenance = Table(
    "provenance",
    main,
    Column("id", KEY, primary_key=True),
    Column("body", Text, nullable=False, unique=True, comment="JSON: origin by signal"),
)

cycle = Table(
    "cycle",
    main,
    Column("id", KEY, primary_key=True, comment="order of arrival"),
    _machine(),
    Column("segment", Integer, nullable=False),
    Column("counter", BigInteger, nullable=False),
    _ns("time_ns"),
    _ns("received_ns"),
    Column("time_uncertainty_s", Double, nullable=False),
    Column("mold_id", ForeignKey("mold.id")),
    Column("revision", Text),
    Column("job", Text),
    Column("mode", String(16)),
    Column("closing", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("flags", Text, nullable=False, comment="separated by spaces"),
    Column("provenance_id", ForeignKey("provenance.id"), nullable=False),
    Column("uncertainty", Text, comment="JSON: plus or minus by signal"),
    Column("extra", Text, comment="JSON: values under a vendor's own name"),
    *(Column(name, Double) for name in VALUE_COLUMNS),
    UniqueConstraint("machine_id", "segment", "counter"),
    Index(None, "machine_id", "time_ns"),
    Index(None, "mold_id", "time_ns"),
)

run = Table(
    "ledger",
    main,
    Column("id", KEY, primary_key=True),
    _machine(),
    Column("segment", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("mold_id", ForeignKey("mold.id")),
    Column("revision", Text),
    Column("closings", BigInteger, nullable=False),
    Column("shots", BigInteger, nullable=False),
    Column("unobserved", BigInteger, nullable=False),
    _ns("since_ns"),
    _ns("until_ns"),
    Column("evidence", Text, nullable=False),
    UniqueConstraint("machine_id", "segment", "kind", "first"),
    Index(None, "mold_id", "revision"),
)

blind = Table(
    "blind",
    main,
    Column("id", KEY, primary_key=True),
    _machine(),
    _ns("since_ns"),
    _ns("until_ns", null=True),
    Column("cause", String(16), nullable=False),
    Column("why", Text, nullable=False),
    UniqueConstraint("machine_id", "since_ns"),
)

notice = Table(
    "notice",
    main,
    Column("id", KEY, primary_key=True),
    _machine(),
    _ns("time_ns"),
    _ns("received_ns"),
    Column("change", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("old", Text, comment="JSON"),
    Column("new", Text, comment="JSON"),
    Column("who", Text),
    Index(None, "machine_id", "time_ns"),
)

refused = Table(
    "refused",
    main,
    Column("machine_id", ForeignKey("machine.id"), primary_key=True),
    Column("reason", String(32), primary_key=True),
    Column("n", BigInteger, nullable=False),
    comment="cycles that were seen and not kept; kept ones are counted in cycle",
)

curve = Table(
    "curve",
    curves,
    Column("machine", Text, primary_key=True),
    Column("segment", Integer, primary_key=True),
    Column("counter", BigInteger, primary_key=True),
    Column("signal", Text, primary_key=True),
    Column("samples", Integer, nullable=False),
    _ns("started_ns"),
    Column("data", LargeBinary, nullable=False, comment="agent.curves"),
    sqlite_with_rowid=False,
)
