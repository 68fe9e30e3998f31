"""Rows of the ledger say resin, cavities, parts, bounds and why they are what they are."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for column in (
        sa.Column("resin", sa.Text(), nullable=True),
        sa.Column("cavities", sa.Integer(), nullable=True),
        sa.Column("parts", sa.BigInteger(), nullable=True),
        sa.Column("shots_min", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("shots_max", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("reason", sa.String(length=16), nullable=False, server_default=""),
    ):
        op.add_column("ledger", column)
    op.execute("UPDATE ledger SET shots_min = shots, shots_max = shots")
