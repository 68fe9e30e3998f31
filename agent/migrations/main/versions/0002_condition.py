"""How each machine's connection does."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("machine", sa.Column("condition", sa.Text(), nullable=True))
