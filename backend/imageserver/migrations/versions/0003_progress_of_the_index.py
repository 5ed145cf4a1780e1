"""How many files the present look at the data directory has still to read, and how long that may take."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; a look that runs meanwhile fills them with its next batch."""
    with op.batch_alter_table("index_state") as table:
        table.add_column(sa.Column("pending", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("remaining_seconds", sa.Double(), nullable=True))


def downgrade() -> None:
    """Drop the columns."""
    with op.batch_alter_table("index_state") as table:
        table.drop_column("remaining_seconds")
        table.drop_column("pending")
