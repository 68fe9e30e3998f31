"""What the cycles were that a person chose as golden."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column(
        "golden",
        sa.Column(
            "levels",
            sa.Text(),
            nullable=True,
            comment="JSON: by signal, what the chosen cycles were",
        ),
    )
