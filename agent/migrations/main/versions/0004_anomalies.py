"""Anomalies, what people do to them, what is muted, and what stages remember."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "anomaly",
        sa.Column("id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="agent.anomaly's id"),
        sa.Column(
            "machine_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=True
        ),
        sa.Column(
            "mold_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=True
        ),
        sa.Column("revision", sa.Text(), nullable=True),
        sa.Column("segment", sa.Integer(), nullable=True),
        sa.Column("counter", sa.BigInteger(), nullable=True),
        sa.Column("since_counter", sa.BigInteger(), nullable=True),
        sa.Column("until_counter", sa.BigInteger(), nullable=True),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("closed_ns", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("signal", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True, comment="JSON"),
        sa.Column("expected", sa.Text(), nullable=True, comment="JSON"),
        sa.Column("limit", sa.Double(), nullable=True),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("short", sa.Text(), nullable=False),
        sa.Column("likely", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True, comment="JSON"),
        sa.Column(
            "follows",
            sa.Text(),
            nullable=True,
            comment="key of the one that this is a consequence of",
        ),
        sa.ForeignKeyConstraint(["machine_id"], ["machine.id"], name=op.f("fk_anomaly_machine_id")),
        sa.ForeignKeyConstraint(["mold_id"], ["mold.id"], name=op.f("fk_anomaly_mold_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anomaly")),
        sa.UniqueConstraint("key", name=op.f("uq_anomaly_key")),
        comment="as the machine's stages say it now; what people do to it is in anomaly_action",
    )
    op.create_index(op.f("ix_anomaly_closed_ns"), "anomaly", ["closed_ns"], unique=False)
    op.create_index(op.f("ix_anomaly_time_ns"), "anomaly", ["time_ns"], unique=False)
    op.create_table(
        "mute",
        sa.Column("id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column(
            "machine_id",
            sa.Integer().with_variant(sa.BigInteger(), "postgresql"),
            nullable=True,
            comment="null: any",
        ),
        sa.Column(
            "mold_id",
            sa.Integer().with_variant(sa.BigInteger(), "postgresql"),
            nullable=True,
            comment="null: any",
        ),
        sa.Column("kind", sa.String(length=16), nullable=True, comment="null: any"),
        sa.Column("cause", sa.String(length=32), nullable=True, comment="null: any"),
        sa.Column("signal", sa.Text(), nullable=True, comment="null: any"),
        sa.Column("since_ns", sa.BigInteger(), nullable=False),
        sa.Column("until_ns", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "audit_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name=op.f("fk_mute_audit_id")),
        sa.ForeignKeyConstraint(["machine_id"], ["machine.id"], name=op.f("fk_mute_machine_id")),
        sa.ForeignKeyConstraint(["mold_id"], ["mold.id"], name=op.f("fk_mute_mold_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mute")),
        comment="what is muted, and until when; only ever appended to",
    )
    op.create_table(
        "saved",
        sa.Column(
            "machine_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column(
            "segment",
            sa.Integer(),
            nullable=True,
            comment="of the last cycle that it has taken; null for none",
        ),
        sa.Column("counter", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["machine_id"], ["machine.id"], name=op.f("fk_saved_machine_id")),
        sa.PrimaryKeyConstraint("machine_id", "stage", name=op.f("pk_saved")),
        comment="what a stage remembers of a machine",
    )
    op.create_table(
        "anomaly_action",
        sa.Column("id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column(
            "anomaly_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column(
            "action",
            sa.String(length=16),
            nullable=False,
            comment="ack, comment, close, not_a_fault",
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "audit_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["anomaly_id"], ["anomaly.id"], name=op.f("fk_anomaly_action_anomaly_id")
        ),
        sa.ForeignKeyConstraint(
            ["audit_id"], ["audit.id"], name=op.f("fk_anomaly_action_audit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anomaly_action")),
        comment="only ever appended to",
    )
    op.create_index(
        op.f("ix_anomaly_action_anomaly_id"), "anomaly_action", ["anomaly_id"], unique=False
    )
    op.create_table(
        "unmute",
        sa.Column(
            "mute_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column(
            "audit_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name=op.f("fk_unmute_audit_id")),
        sa.ForeignKeyConstraint(["mute_id"], ["mute.id"], name=op.f("fk_unmute_mute_id")),
        sa.PrimaryKeyConstraint("mute_id", name=op.f("pk_unmute")),
        comment="mutes that a person ended early",
    )
