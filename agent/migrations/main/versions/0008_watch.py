"""What people tell the watch: limits and golden cycles; and the resin of a cycle."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "golden",
        sa.Column("id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("action", sa.String(length=8), nullable=False, comment="approve, carry"),
        sa.Column(
            "machine_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.Column(
            "mold_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("from_revision", sa.Text(), nullable=True, comment="where action is carry"),
        sa.Column(
            "segment",
            sa.Integer(),
            nullable=True,
            comment="of the chosen cycles; null: as it stands",
        ),
        sa.Column("first", sa.BigInteger(), nullable=True),
        sa.Column("last", sa.BigInteger(), nullable=True),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "audit_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name=op.f("fk_golden_audit_id")),
        sa.ForeignKeyConstraint(["machine_id"], ["machine.id"], name=op.f("fk_golden_machine_id")),
        sa.ForeignKeyConstraint(["mold_id"], ["mold.id"], name=op.f("fk_golden_mold_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_golden")),
        comment="what people said a mold should be like; only ever appended to",
    )
    op.create_index(op.f("ix_golden_machine_id"), "golden", ["machine_id"], unique=False)
    op.create_table(
        "sheet_limit",
        sa.Column("id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column(
            "mold_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True, comment="no low and no high: lifted"),
        sa.Column("since_ns", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column(
            "audit_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name=op.f("fk_sheet_limit_audit_id")),
        sa.ForeignKeyConstraint(["mold_id"], ["mold.id"], name=op.f("fk_sheet_limit_mold_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet_limit")),
        comment="of the set-up sheet; the newest in force counts, and none is ever rewritten",
    )
    op.create_index(
        op.f("ix_sheet_limit_mold_id_revision"),
        "sheet_limit",
        ["mold_id", "revision"],
        unique=False,
    )
    op.add_column(
        "cycle", sa.Column("resin", sa.Text(), nullable=True, comment="as the machine says")
    )
