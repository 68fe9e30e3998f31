"""Notices say the unit of old and new, who was behind them, the machine's words, and the cycle."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("notice", sa.Column("unit", sa.Text(), nullable=True, comment="of old and new"))
    op.add_column("notice", sa.Column("originator", sa.Text(), nullable=True))
    op.add_column(
        "notice", sa.Column("text", sa.Text(), nullable=True, comment="the machine's own words")
    )
    op.add_column(
        "notice",
        sa.Column(
            "job_counter", sa.BigInteger(), nullable=True, comment="cycles of the job by then"
        ),
    )
