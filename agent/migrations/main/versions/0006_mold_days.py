"""Sums by mold and day, kept by triggers; attributions name the row that they are a piece of."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

SUMS = ("shots", "shots_min", "shots_max", "closings", "unobserved", "parts")


def upgrade() -> None:
    op.add_column("attribution", sa.Column("ledger_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "attribution", sa.Column("estimated", sa.SmallInteger(), server_default="0", nullable=False)
    )
    op.create_index(op.f("ix_attribution_ledger_id"), "attribution", ["ledger_id"])
    op.create_table(
        "mold_day",
        sa.Column("mold_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("resin", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint("mold_id", "revision", "resin", "day", name=op.f("pk_mold_day")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO mold_day SELECT coalesce(mold_id, 0), coalesce(revision, ''), "
        "coalesce(resin, ''), until_ns / 86400000000000 AS day, "
        + ", ".join(f"sum(coalesce({name}, 0))" for name in SUMS)
        + " FROM ledger GROUP BY 1, 2, 3, 4"
    )
    new = [f"coalesce(NEW.{name}, 0)" for name in SUMS]
    grown = [f"coalesce(NEW.{name}, 0) - coalesce(OLD.{name}, 0)" for name in SUMS]
    _trigger("ledger_new", "INSERT ON ledger", "until_ns", new)
    _trigger("ledger_grown", f"UPDATE OF {', '.join(SUMS)} ON ledger", "until_ns", grown)
    _trigger("adjustment_new", "INSERT ON adjustment", "at_ns", new)


def _trigger(name: str, event: str, time: str, values: list[str]) -> None:
    adding = ", ".join(f"{each} = {each} + excluded.{each}" for each in SUMS)
    op.execute(
        f"CREATE TRIGGER mold_day_of_{name} AFTER {event} BEGIN "
        "INSERT INTO mold_day VALUES (coalesce(NEW.mold_id, 0), coalesce(NEW.revision, ''), "
        f"coalesce(NEW.resin, ''), NEW.{time} / 86400000000000, {', '.join(values)}) "
        f"ON CONFLICT (mold_id, revision, resin, day) DO UPDATE SET {adding}; END"
    )
