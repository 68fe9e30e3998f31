"""Samples of what a machine shows between shots too."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "slow",
        sa.Column("started_ns", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("started_ns", "machine", "signal", name=op.f("pk_slow")),
        sqlite_with_rowid=False,
    )
