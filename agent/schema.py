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

VERSION = "0017"
"""The newest migration of the main file; what a reader of this Sprue understands."""

CURVES_VERSION = "0002"
"""The newest migration of a month's file."""

main = MetaData(naming_convention=CONVENTION)
curves = MetaData(naming_convention=CONVENTION)


def _ns(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


def _machine() -> Column[int]:
    return Column("machine_id", ForeignKey("machine.id"), nullable=False)


def _changed() -> Column[int]:
    return Column(
        "changed",
        BigInteger,
        nullable=False,
        server_default="0",
        index=True,
        comment="rises with every change of any row; what forwarders follow",
    )


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
    Column("description", Text),
    Column("location", Text, comment="where it is when it is on no machine"),
    Column("owner", Text, comment="the customer's ownership mark"),
    Column("wall_mm", Double, comment="of the part, at its thickest"),
    Column("base_shots", BigInteger, comment="planned life of the base, in any resin"),
    Column("life_plan", Text, comment="JSON: planned shots by resin family"),
    Column("service_plan", Text, comment="JSON: when which level of service is due"),
    Column("links", Text, comment="JSON: documents"),
    Column("retired", SmallInteger, nullable=False, server_default="0"),
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
    Column("resin", Text, comment="as the machine says"),
    Column("closing", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("flags", Text, nullable=False, comment="separated by spaces"),
    Column("provenance_id", ForeignKey("provenance.id"), nullable=False),
    Column("uncertainty", Text, comment="JSON: plus or minus by signal"),
    Column("extra", Text, comment="JSON: values under a vendor's own name"),
    *(Column(name, Double) for name in VALUE_COLUMNS),
    Column("curves", Text, comment="digest of its rows in its month's file; agent.chain"),
    UniqueConstraint("machine_id", "segment", "counter"),
    Index(None, "machine_id", "time_ns"),
    Index(None, "machine_id", "id"),
    Index(None, "mold_id", "time_ns"),
)

archive_file = Table(
    "archive_file",
    main,
    Column("id", KEY, primary_key=True),
    _machine(),
    Column("month", String(7), nullable=False, comment="of the cycles' times, UTC, as 2026-03"),
    Column("name", Text, nullable=False, unique=True, comment="below the archive's folder"),
    Column("size", BigInteger, nullable=False, comment="bytes"),
    Column("sha256", String(64), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("first_id", BigInteger, nullable=False, comment="of cycle"),
    Column("last_id", BigInteger, nullable=False),
    _ns("first_ns"),
    _ns("last_ns"),
    Column("first_segment", Integer, nullable=False, comment="the least"),
    Column("last_segment", Integer, nullable=False, comment="the greatest"),
    Column("first_counter", BigInteger, nullable=False, comment="the least"),
    Column("last_counter", BigInteger, nullable=False, comment="the greatest"),
    Column("closings", LargeBinary, nullable=False, comment="agent.archive.closings"),
    Column("audit_id", ForeignKey("audit.id"), nullable=False),
    Index(None, "machine_id", "last_ns"),
    comment="Parquet files that rows of cycle were moved to; the rows are in the files, not here",
)

archive_retired = Table(
    "archive_retired",
    main,
    Column("file_id", ForeignKey("archive_file.id"), primary_key=True),
    Column("audit_id", ForeignKey("audit.id"), nullable=False),
    comment="files of moved cycles that retention has removed",
)

curves_retired = Table(
    "curves_retired",
    main,
    Column("id", KEY, primary_key=True),
    Column("month", String(7), nullable=False, comment="UTC, as 2026-03"),
    Column("audit_id", ForeignKey("audit.id"), nullable=False),
    comment="months whose curves retention has removed",
)

hold = Table(
    "hold",
    main,
    Column("id", KEY, primary_key=True),
    Column("machine", Text, comment="null: any"),
    Column("mold", Text, comment="null: any"),
    Column("job", Text, comment="null: any"),
    _ns("since_ns", null=True),
    _ns("until_ns", null=True),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    _ns("at_ns"),
    Column("audit_id", ForeignKey("audit.id"), nullable=False),
    comment="what retention must not remove; only ever appended to",
)

hold_release = Table(
    "hold_release",
    main,
    Column("hold_id", ForeignKey("hold.id"), primary_key=True),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    _ns("at_ns"),
    Column("audit_id", ForeignKey("audit.id"), nullable=False),
    comment="holds that are over",
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
    Column("resin", Text),
    Column("cavities", Integer, comment="open ones; null where nobody knows"),
    Column("closings", BigInteger, nullable=False),
    Column("shots", BigInteger, nullable=False),
    Column("unobserved", BigInteger, nullable=False),
    Column("parts", BigInteger, comment="shots times open cavities"),
    Column("shots_min", BigInteger, nullable=False, server_default="0"),
    Column("shots_max", BigInteger, nullable=False, server_default="0"),
    _ns("since_ns"),
    _ns("until_ns"),
    Column("reason", String(16), nullable=False, server_default=""),
    Column("evidence", Text, nullable=False),
    _changed(),
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
    _changed(),
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
    Column("unit", Text, comment="of old and new"),
    Column("originator", Text),
    Column("text", Text, comment="the machine's own words"),
    Column("job_counter", BigInteger, comment="cycles of the job by then"),
    Index(None, "machine_id", "time_ns"),
)

identity = Table(
    "identity",
    main,
    Column("name", String(16), primary_key=True),
    Column("value", Text, nullable=False),
    comment="agent: who counts here; made once, so that several records can be added",
)

audit = Table(
    "audit",
    main,
    Column("id", KEY, primary_key=True),
    _ns("at_ns"),
    Column("who", Text, nullable=False),
    Column("origin", Text, nullable=False, comment="from where: configuration, command line, ..."),
    Column("action", String(24), nullable=False),
    Column("kind", String(16), nullable=False, comment="of what was changed: mold, machine, ..."),
    Column("subject", Text, nullable=False, comment="its name"),
    Column("old", Text, comment="JSON"),
    Column("new", Text, comment="JSON"),
    Column("wish", Text, comment="what came with the same one is not done twice"),
    Index(None, "kind", "subject"),
    Index(None, "wish"),
)

mold_revision = Table(
    "mold_revision",
    main,
    Column("id", KEY, primary_key=True),
    Column("mold_id", ForeignKey("mold.id"), nullable=False),
    Column("revision", Text, nullable=False),
    _ns("since_ns"),
    Column("restarts", Text, nullable=False, comment="JSON: components whose life starts anew"),
    Column("note", Text, nullable=False),
    Column("audit_id", ForeignKey("audit.id")),
    UniqueConstraint("mold_id", "revision"),
)

mount_entry = Table(
    "mount_entry",
    main,
    Column("id", KEY, primary_key=True),
    _machine(),
    Column("mold_id", ForeignKey("mold.id"), comment="null: taken off"),
    Column("revision", Text, comment="null: the mold's at that time"),
    Column("resin", Text),
    Column("cavities_open", Integer),
    _ns("since_ns"),
    Column("note", Text, nullable=False),
    Column("withdraws", ForeignKey("mount_entry.id"), comment="an entry that was a mistake"),
    Column("audit_id", ForeignKey("audit.id"), nullable=False),
    Index(None, "machine_id", "since_ns"),
    comment="what people said of what sits on a machine; the machine's own word is in mount",
)

attribution = Table(
    "attribution",
    main,
    Column("id", KEY, primary_key=True, comment="the latest one that covers a counter counts"),
    _machine(),
    Column("segment", Integer, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("mold_id", ForeignKey("mold.id")),
    Column("revision", Text),
    Column("resin", Text),
    _ns("at_ns"),
    Column("ledger_id", BigInteger, comment="the row that it is a piece of"),
    Column("estimated", SmallInteger, nullable=False, server_default="0"),
    Index(None, "machine_id", "segment", "first"),
    Index(None, "ledger_id"),
    comment="whose closings these turned out to be, after the ledger had booked them",
)

adjustment = Table(
    "adjustment",
    main,
    Column("id", KEY, primary_key=True),
    Column("kind", String(16), nullable=False, comment="start, correction, moved"),
    Column("mold_id", ForeignKey("mold.id")),
    Column("revision", Text),
    Column("resin", Text),
    Column("closings", BigInteger, nullable=False),
    Column("shots", BigInteger, nullable=False),
    Column("shots_min", BigInteger, nullable=False),
    Column("shots_max", BigInteger, nullable=False),
    Column("unobserved", BigInteger, nullable=False),
    Column("parts", BigInteger, nullable=False),
    _ns("at_ns"),
    Column("reason", Text, nullable=False),
    Column("attribution_id", ForeignKey("attribution.id"), comment="where kind is moved"),
    Column("audit_id", ForeignKey("audit.id")),
    Index(None, "mold_id", "revision"),
    comment="signed; added to the ledger's rows",
)

mold_day = Table(
    "mold_day",
    main,
    Column("mold_id", Integer, primary_key=True, autoincrement=False, comment="0: no known mold"),
    Column("revision", Text, primary_key=True),
    Column("resin", Text, primary_key=True, comment="empty: not known"),
    Column("day", Integer, primary_key=True, autoincrement=False, comment="since 1970, UTC"),
    *(
        Column(name, BigInteger, nullable=False)
        for name in ("shots", "shots_min", "shots_max", "closings", "unobserved", "parts")
    ),
    comment="sums over ledger and adjustment, kept by triggers, so that no reader has to add all",
    sqlite_with_rowid=False,
)

service = Table(
    "service",
    main,
    Column("id", KEY, primary_key=True),
    Column("mold_id", ForeignKey("mold.id"), nullable=False),
    Column("revision", Text, nullable=False),
    _ns("at_ns"),
    Column("kind", String(16), nullable=False, comment="service, repair, pull, storage, ..."),
    Column("level", SmallInteger),
    Column("what", Text, nullable=False),
    Column("done_by", Text, nullable=False),
    Column("shots", BigInteger, nullable=False, comment="of all revisions, at the event"),
    Column("defect", Text),
    Column("cavity", Text),
    Column("action", Text),
    Column("replaced", Text),
    Column("hours", Double),
    Column("cost", Double),
    Column("links", Text, comment="JSON"),
    Column("checklist", Text, comment="JSON: points and whether they are done"),
    Column("corrects", ForeignKey("service.id"), comment="an entry that this one replaces"),
    Column("audit_id", ForeignKey("audit.id"), nullable=False),
    Index(None, "mold_id", "at_ns"),
)

anomaly = Table(
    "anomaly",
    main,
    Column("id", KEY, primary_key=True),
    Column("key", Text, nullable=False, unique=True, comment="agent.anomaly's id"),
    Column("machine_id", ForeignKey("machine.id")),
    Column("mold_id", ForeignKey("mold.id")),
    Column("revision", Text),
    Column("segment", Integer),
    Column("counter", BigInteger),
    Column("since_counter", BigInteger),
    Column("until_counter", BigInteger),
    _ns("time_ns"),
    _ns("closed_ns", null=True),
    Column("kind", String(16), nullable=False),
    Column("cause", String(32), nullable=False),
    Column("signal", Text),
    Column("value", Text, comment="JSON"),
    Column("expected", Text, comment="JSON"),
    Column("limit", Double),
    Column("severity", String(8), nullable=False),
    Column("message", Text, nullable=False),
    Column("short", Text, nullable=False),
    Column("likely", Text, nullable=False),
    Column("advice", Text, nullable=False),
    Column("evidence", Text, comment="JSON"),
    Column("follows", Text, comment="key of the one that this is a consequence of"),
    _changed(),
    Index(None, "closed_ns"),
    Index(None, "time_ns"),
    comment="as the machine's stages say it now; what people do to it is in anomaly_action",
)

anomaly_action = Table(
    "anomaly_action",
    main,
    Column("id", KEY, primary_key=True),
    Column("anomaly_id", ForeignKey("anomaly.id"), nullable=False),
    _ns("at_ns"),
    Column("who", Text, nullable=False),
    Column(
        "action", String(16), nullable=False, comment="ack, give, undo, comment, close, not_a_fault"
    ),
    Column("text", Text, nullable=False),
    Column("audit_id", ForeignKey("audit.id"), nullable=False),
    Index(None, "anomaly_id"),
    comment="only ever appended to",
)

mute = Table(
    "mute",
    main,
    Column("id", KEY, primary_key=True),
    Column("machine_id", ForeignKey("machine.id"), comment="null: any"),
    Column("mold_id", ForeignKey("mold.id"), comment="null: any"),
    Column("kind", String(16), comment="null: any"),
    Column("cause", String(32), comment="null: any"),
    Column("signal", Text, comment="null: any"),
    _ns("since_ns"),
    _ns("until_ns"),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("audit_id", ForeignKey("audit.id"), nullable=False),
    comment="what is muted, and until when; only ever appended to",
)

unmute = Table(
    "unmute",
    main,
    Column("mute_id", ForeignKey("mute.id"), primary_key=True),
    _ns("at_ns"),
    Column("who", Text, nullable=False),
    Column("audit_id", ForeignKey("audit.id"), nullable=False),
    comment="mutes that a person ended early",
)

sheet_limit = Table(
    "sheet_limit",
    main,
    Column("id", KEY, primary_key=True),
    Column("mold_id", ForeignKey("mold.id"), nullable=False),
    Column("revision", Text, nullable=False),
    Column("signal", Text, nullable=False),
    Column("low", Double),
    Column("high", Double, comment="no low and no high: lifted"),
    _ns("since_ns"),
    Column("who", Text, nullable=False),
    Column("audit_id", ForeignKey("audit.id"), nullable=False),
    Index(None, "mold_id", "revision"),
    comment="of the set-up sheet; the newest in force counts, and none is ever rewritten",
)

golden = Table(
    "golden",
    main,
    Column("id", KEY, primary_key=True),
    Column("action", String(8), nullable=False, comment="approve, carry"),
    _machine(),
    Column("mold_id", ForeignKey("mold.id"), nullable=False),
    Column("revision", Text, nullable=False),
    Column("from_revision", Text, comment="where action is carry"),
    Column("segment", Integer, comment="of the chosen cycles; null: as it stands"),
    Column("first", BigInteger),
    Column("last", BigInteger),
    Column("levels", Text, comment="JSON: by signal, what the chosen cycles were"),
    Column("curves", Text, comment="JSON: by signal, the golden curve of the chosen cycles"),
    _ns("at_ns"),
    Column("who", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("audit_id", ForeignKey("audit.id"), nullable=False),
    Index(None, "machine_id"),
    comment="what people said a mold should be like; only ever appended to",
)

context = Table(
    "context",
    main,
    Column("id", KEY, primary_key=True),
    Column("kind", String(16), nullable=False, comment="lot, box, part, sheet, operator, ..."),
    Column("label", Text, nullable=False),
    Column("machine_id", ForeignKey("machine.id")),
    Column("mold_id", ForeignKey("mold.id"), comment="of part and sheet"),
    Column("revision", Text, comment="of the mold"),
    Column("segment", Integer, comment="of the counters"),
    Column("first", BigInteger, comment="null: by time"),
    Column("last", BigInteger, comment="null: until the next of its kind"),
    _ns("since_ns", null=True),
    _ns("until_ns", null=True),
    Column("details", Text, comment="JSON"),
    Column("corrects", ForeignKey("context.id"), comment="the entry in whose place this one is"),
    Column("withdrawn", SmallInteger, nullable=False, comment="1: takes back what it corrects"),
    _ns("at_ns"),
    Column("who", Text, nullable=False),
    Column("audit_id", ForeignKey("audit.id"), nullable=False),
    Index(None, "kind", "label"),
    Index(None, "corrects"),
    comment="what people say of shots that no machine does; only ever appended to",
)

saved = Table(
    "saved",
    main,
    Column("machine_id", ForeignKey("machine.id"), primary_key=True),
    Column("stage", String(16), primary_key=True),
    Column("segment", Integer, comment="of the last cycle that it has taken; null for none"),
    Column("counter", BigInteger),
    Column("body", LargeBinary, nullable=False),
    comment="what a stage remembers of a machine",
)

refused = Table(
    "refused",
    main,
    Column("machine_id", ForeignKey("machine.id"), primary_key=True),
    Column("reason", String(32), primary_key=True),
    Column("n", BigInteger, nullable=False),
    comment="cycles that were seen and not kept; kept ones are counted in cycle",
)

sink = Table(
    "sink",
    main,
    Column("name", Text, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("place", Text, nullable=False, comment="its URL, without secrets"),
    Column("configured", SmallInteger, nullable=False, comment="0: no longer; its lanes stay"),
    _ns("acknowledged_ns", null=True),
    Column("trouble", Text, comment="why nothing is delivered now; null where all is well"),
    _ns("trouble_ns", null=True),
    Column("note", Text, comment="what a person should know of it though it delivers"),
    comment="where the record is forwarded to",
)

lane = Table(
    "lane",
    main,
    Column("id", KEY, primary_key=True),
    Column("sink", ForeignKey("sink.name"), nullable=False),
    Column("topic", String(16), nullable=False),
    Column("after", BigInteger, nullable=False, comment="acknowledged up to here"),
    Column("until", BigInteger, comment="null: whatever comes; else a backlog that ends there"),
    Index(None, "sink"),
    comment="how far a sink has been told of a topic; its cursors",
)

dead_letter = Table(
    "dead_letter",
    main,
    Column("id", KEY, primary_key=True),
    Column("sink", ForeignKey("sink.name"), nullable=False),
    Column("topic", String(16), nullable=False),
    Column("row_id", BigInteger, nullable=False, comment="of the topic's table"),
    _ns("at_ns"),
    Column("words", Text, nullable=False, comment="the sink's own"),
    Column("body", Text, nullable=False, comment="what it refused, or its beginning"),
    Column("tries", Integer, nullable=False),
    Column("again", SmallInteger, nullable=False, comment="1: a person asked for another try"),
    UniqueConstraint("sink", "topic", "row_id"),
    comment="rows that a sink refused, for people to look at",
)

chain = Table(
    "chain",
    main,
    Column("id", KEY, primary_key=True),
    _ns("at_ns"),
    Column("previous", Text, nullable=False, comment="hash of the one before; empty in the first"),
    Column("reached", Text, nullable=False, comment="JSON: how far each covered table is in it"),
    Column("body", Text, nullable=False, comment="JSON: digests of a commit's rows; agent.chain"),
    Column("hash", Text, nullable=False),
    comment="one a commit: what sprue verify compares the rows with",
)

person = Table(
    "person",
    main,
    Column("id", KEY, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", String(16), nullable=False, comment="viewer, maintenance, qa, admin"),
    Column("password", Text, nullable=False, comment="its argon2 hash"),
    Column("taste", Text, comment="JSON: language, units and so on; what is missing is the site's"),
    _ns("since_ns"),
    comment="who may log in to the pages; who may do no more is removed",
)

visit = Table(
    "visit",
    main,
    Column("token", String(64), primary_key=True, comment="SHA-256 of what the browser has"),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    _ns("since_ns"),
    _ns("seen_ns"),
    Column("wall", SmallInteger, nullable=False, comment="1: a screen that may only look"),
    Index(None, "person_id"),
    comment="browsers that are logged in",
)

api_token = Table(
    "api_token",
    main,
    Column("id", KEY, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("token", String(64), nullable=False, unique=True, comment="SHA-256 of it"),
    Column("scope", String(16), nullable=False, comment="a role, or metrics"),
    Column("made_by", Text, nullable=False),
    _ns("since_ns"),
    _ns("until_ns"),
    _ns("used_ns", null=True),
    Column("revoked_ns", BigInteger),
    comment="by which programs are let in",
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

slow = Table(
    "slow",
    curves,
    Column(
        "started_ns",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="of the first sample",
    ),
    Column("machine", Text, primary_key=True),
    Column("signal", Text, primary_key=True),
    Column("samples", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False, comment="agent.curves, as of a curve"),
    sqlite_with_rowid=False,
    comment="temperatures, flows and what else holds, all the time; a stretch of ten minutes a row",
)
