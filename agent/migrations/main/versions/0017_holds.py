"""What must be kept whatever its age, and months of curves that are gone."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

KEY = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "curves_retired",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("audit_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name="fk_curves_retired_audit_id"),
    )
    op.create_table(
        "hold",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("machine", sa.Text(), nullable=True),
        sa.Column("mold", sa.Text(), nullable=True),
        sa.Column("job", sa.Text(), nullable=True),
        sa.Column("since_ns", sa.BigInteger(), nullable=True),
        sa.Column("until_ns", sa.BigInteger(), nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("audit_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name="fk_hold_audit_id"),
    )
    op.create_table(
        "hold_release",
        sa.Column("hold_id", KEY, primary_key=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("audit_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"], name="fk_hold_release_hold_id"),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name="fk_hold_release_audit_id"),
    )
