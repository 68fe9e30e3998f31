"""What the curves of the cycles were that a person chose as golden."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column(
        "golden",
        sa.Column(
            "curves",
            sa.Text(),
            nullable=True,
            comment="JSON: by signal, the golden curve of the chosen cycles",
        ),
    )
