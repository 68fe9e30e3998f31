"""A cycle's row says what its curves are, so that the hash chain has them too."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("cycle", sa.Column("curves", sa.Text(), nullable=True))
