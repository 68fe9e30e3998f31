"""What no machine says of its shots: lots, boxes, part numbers and the like."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

KEY = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "context",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("machine_id", KEY, nullable=True),
        sa.Column("mold_id", KEY, nullable=True),
        sa.Column("revision", sa.Text(), nullable=True),
        sa.Column("segment", sa.Integer(), nullable=True),
        sa.Column("first", sa.BigInteger(), nullable=True),
        sa.Column("last", sa.BigInteger(), nullable=True),
        sa.Column("since_ns", sa.BigInteger(), nullable=True),
        sa.Column("until_ns", sa.BigInteger(), nullable=True),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("corrects", KEY, nullable=True),
        sa.Column("withdrawn", sa.SmallInteger(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("audit_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_context"),
        sa.ForeignKeyConstraint(["machine_id"], ["machine.id"], name="fk_context_machine_id"),
        sa.ForeignKeyConstraint(["mold_id"], ["mold.id"], name="fk_context_mold_id"),
        sa.ForeignKeyConstraint(["corrects"], ["context.id"], name="fk_context_corrects"),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name="fk_context_audit_id"),
    )
    op.create_index("ix_context_kind_label", "context", ["kind", "label"])
    op.create_index("ix_context_corrects", "context", ["corrects"])
