"""Which series got instances since they were arranged."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; every series that is there has been arranged."""
    op.add_column("series", sa.Column("is_stale", sa.Boolean(), nullable=False, server_default=sa.false()))
    is_stale = sa.text("is_stale")
    op.create_index("ix_series_is_stale", "series", ["id"], sqlite_where=is_stale, postgresql_where=is_stale)


def downgrade() -> None:
    """Drop the column."""
    op.drop_index("ix_series_is_stale", "series")
    op.drop_column(
        "series", "is_stale"
    )  # not in batch mode: a copy of the table would take its rows' entries along
