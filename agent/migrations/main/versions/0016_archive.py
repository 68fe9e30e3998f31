"""Parquet files that cycles were moved to, and an index for a machine's newest cycles."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

KEY = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "archive_file",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("machine_id", KEY, nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("first_ns", sa.BigInteger(), nullable=False),
        sa.Column("last_ns", sa.BigInteger(), nullable=False),
        sa.Column("first_segment", sa.Integer(), nullable=False),
        sa.Column("last_segment", sa.Integer(), nullable=False),
        sa.Column("first_counter", sa.BigInteger(), nullable=False),
        sa.Column("last_counter", sa.BigInteger(), nullable=False),
        sa.Column("closings", sa.LargeBinary(), nullable=False),
        sa.Column("audit_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["machine_id"], ["machine.id"], name="fk_archive_file_machine_id"),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name="fk_archive_file_audit_id"),
        sa.UniqueConstraint("name", name="uq_archive_file_name"),
    )
    op.create_index("ix_archive_file_machine_id_last_ns", "archive_file", ["machine_id", "last_ns"])
    op.create_table(
        "archive_retired",
        sa.Column("file_id", KEY, primary_key=True),
        sa.Column("audit_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["archive_file.id"], name="fk_archive_retired_file_id"
        ),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name="fk_archive_retired_audit_id"),
    )
    op.create_index("ix_cycle_machine_id_id", "cycle", ["machine_id", "id"])
