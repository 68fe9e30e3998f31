"""Molds as people know them: revisions, mounts entered by hand, services, corrections, audit."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column(
            "origin",
            sa.Text(),
            nullable=False,
            comment="from where: configuration, command line, ...",
        ),
        sa.Column("action", sa.String(length=24), nullable=False),
        sa.Column(
            "kind",
            sa.String(length=16),
            nullable=False,
            comment="of what was changed: mold, machine, ...",
        ),
        sa.Column("subject", sa.Text(), nullable=False, comment="its name"),
        sa.Column("old", sa.Text(), nullable=True, comment="JSON"),
        sa.Column("new", sa.Text(), nullable=True, comment="JSON"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_kind_subject"), "audit", ["kind", "subject"], unique=False)

    op.create_table(
        "identity",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_identity")),
        comment="agent: who counts here; made once, so that several records can be added",
    )
    op.create_table(
        "attribution",
        sa.Column(
            "id",
            sa.Integer().with_variant(sa.BigInteger(), "postgresql"),
            nullable=False,
            comment="the latest one that covers a counter counts",
        ),
        sa.Column(
            "machine_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.Column("segment", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column(
            "mold_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=True
        ),
        sa.Column("revision", sa.Text(), nullable=True),
        sa.Column("resin", sa.Text(), nullable=True),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machine.id"], name=op.f("fk_attribution_machine_id")
        ),
        sa.ForeignKeyConstraint(["mold_id"], ["mold.id"], name=op.f("fk_attribution_mold_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attribution")),
        comment="whose closings these turned out to be, after the ledger had booked them",
    )
    op.create_index(
        op.f("ix_attribution_machine_id_segment_first"),
        "attribution",
        ["machine_id", "segment", "first"],
        unique=False,
    )

    op.create_table(
        "mold_revision",
        sa.Column("id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column(
            "mold_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("since_ns", sa.BigInteger(), nullable=False),
        sa.Column(
            "restarts", sa.Text(), nullable=False, comment="JSON: components whose life starts anew"
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "audit_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=True
        ),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name=op.f("fk_mold_revision_audit_id")),
        sa.ForeignKeyConstraint(["mold_id"], ["mold.id"], name=op.f("fk_mold_revision_mold_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mold_revision")),
        sa.UniqueConstraint("mold_id", "revision", name=op.f("uq_mold_revision_mold_id_revision")),
    )
    op.create_table(
        "mount_entry",
        sa.Column("id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column(
            "machine_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.Column(
            "mold_id",
            sa.Integer().with_variant(sa.BigInteger(), "postgresql"),
            nullable=True,
            comment="null: taken off",
        ),
        sa.Column("revision", sa.Text(), nullable=True, comment="null: the mold's at that time"),
        sa.Column("resin", sa.Text(), nullable=True),
        sa.Column("cavities_open", sa.Integer(), nullable=True),
        sa.Column("since_ns", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "withdraws",
            sa.Integer().with_variant(sa.BigInteger(), "postgresql"),
            nullable=True,
            comment="an entry that was a mistake",
        ),
        sa.Column(
            "audit_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name=op.f("fk_mount_entry_audit_id")),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machine.id"], name=op.f("fk_mount_entry_machine_id")
        ),
        sa.ForeignKeyConstraint(["mold_id"], ["mold.id"], name=op.f("fk_mount_entry_mold_id")),
        sa.ForeignKeyConstraint(
            ["withdraws"], ["mount_entry.id"], name=op.f("fk_mount_entry_withdraws")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mount_entry")),
        comment="what people said of what sits on a machine; the machine's own word is in mount",
    )
    op.create_index(
        op.f("ix_mount_entry_machine_id_since_ns"),
        "mount_entry",
        ["machine_id", "since_ns"],
        unique=False,
    )

    op.create_table(
        "service",
        sa.Column("id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column(
            "mold_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.String(length=16),
            nullable=False,
            comment="service, repair, pull, storage, ...",
        ),
        sa.Column("level", sa.SmallInteger(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("done_by", sa.Text(), nullable=False),
        sa.Column(
            "shots", sa.BigInteger(), nullable=False, comment="of all revisions, at the event"
        ),
        sa.Column("defect", sa.Text(), nullable=True),
        sa.Column("cavity", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("replaced", sa.Text(), nullable=True),
        sa.Column("hours", sa.Double(), nullable=True),
        sa.Column("cost", sa.Double(), nullable=True),
        sa.Column("links", sa.Text(), nullable=True, comment="JSON"),
        sa.Column(
            "checklist", sa.Text(), nullable=True, comment="JSON: points and whether they are done"
        ),
        sa.Column(
            "corrects",
            sa.Integer().with_variant(sa.BigInteger(), "postgresql"),
            nullable=True,
            comment="an entry that this one replaces",
        ),
        sa.Column(
            "audit_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name=op.f("fk_service_audit_id")),
        sa.ForeignKeyConstraint(["corrects"], ["service.id"], name=op.f("fk_service_corrects")),
        sa.ForeignKeyConstraint(["mold_id"], ["mold.id"], name=op.f("fk_service_mold_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
    )
    op.create_index(op.f("ix_service_mold_id_at_ns"), "service", ["mold_id", "at_ns"], unique=False)

    op.create_table(
        "adjustment",
        sa.Column("id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="start, correction, moved"),
        sa.Column(
            "mold_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=True
        ),
        sa.Column("revision", sa.Text(), nullable=True),
        sa.Column("resin", sa.Text(), nullable=True),
        sa.Column("closings", sa.BigInteger(), nullable=False),
        sa.Column("shots", sa.BigInteger(), nullable=False),
        sa.Column("shots_min", sa.BigInteger(), nullable=False),
        sa.Column("shots_max", sa.BigInteger(), nullable=False),
        sa.Column("unobserved", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.BigInteger(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "attribution_id",
            sa.Integer().with_variant(sa.BigInteger(), "postgresql"),
            nullable=True,
            comment="where kind is moved",
        ),
        sa.Column(
            "audit_id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["attribution_id"], ["attribution.id"], name=op.f("fk_adjustment_attribution_id")
        ),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name=op.f("fk_adjustment_audit_id")),
        sa.ForeignKeyConstraint(["mold_id"], ["mold.id"], name=op.f("fk_adjustment_mold_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustment")),
        comment="signed; added to the ledger's rows",
    )
    op.create_index(
        op.f("ix_adjustment_mold_id_revision"), "adjustment", ["mold_id", "revision"], unique=False
    )

    op.add_column("mold", sa.Column("description", sa.Text(), nullable=True))
    op.add_column(
        "mold",
        sa.Column(
            "location", sa.Text(), nullable=True, comment="where it is when it is on no machine"
        ),
    )
    op.add_column(
        "mold",
        sa.Column("owner", sa.Text(), nullable=True, comment="the customer's ownership mark"),
    )
    op.add_column(
        "mold",
        sa.Column("wall_mm", sa.Double(), nullable=True, comment="of the part, at its thickest"),
    )
    op.add_column(
        "mold",
        sa.Column(
            "base_shots",
            sa.BigInteger(),
            nullable=True,
            comment="planned life of the base, in any resin",
        ),
    )
    op.add_column(
        "mold",
        sa.Column(
            "life_plan", sa.Text(), nullable=True, comment="JSON: planned shots by resin family"
        ),
    )
    op.add_column(
        "mold",
        sa.Column(
            "service_plan",
            sa.Text(),
            nullable=True,
            comment="JSON: when which level of service is due",
        ),
    )
    op.add_column("mold", sa.Column("links", sa.Text(), nullable=True, comment="JSON: documents"))
    op.add_column(
        "mold", sa.Column("retired", sa.SmallInteger(), server_default="0", nullable=False)
    )

    connection = op.get_bind()
    insert = sa.text("INSERT INTO identity (name, value) VALUES ('agent', :value)")
    connection.execute(insert, {"value": uuid.uuid4().hex})
    # Revisions that were counted before anybody entered one; the first began when the mold did.
    columns = "INSERT INTO mold_revision (mold_id, revision, since_ns, restarts, note) "
    op.execute(
        columns + "SELECT mold_id, revision, min(since_ns), '[]', '' FROM ledger "
        "WHERE mold_id IS NOT NULL AND revision IS NOT NULL GROUP BY mold_id, revision"
    )
    op.execute(
        columns + "SELECT id, revision, coalesce((SELECT max(until_ns) FROM ledger "
        "WHERE ledger.mold_id = mold.id), 0), '[]', '' FROM mold WHERE NOT EXISTS (SELECT 1 "
        "FROM mold_revision r WHERE r.mold_id = mold.id AND r.revision = mold.revision)"
    )
    op.execute(
        "UPDATE mold_revision SET since_ns = 0 WHERE since_ns = (SELECT min(since_ns) "
        "FROM mold_revision o WHERE o.mold_id = mold_revision.mold_id)"
    )
