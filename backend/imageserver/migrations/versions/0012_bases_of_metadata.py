"""What the metadata of a series are compressed against; those of every instance come when the files are read again."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; metadata that are there were compressed without a base, and can be read as they are."""
    op.create_table(
        "metadata_bases",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("series_id", name="pk_metadata_bases"),
        sa.ForeignKeyConstraint(
            ["series_id"], ["series.id"], name="fk_metadata_bases_series_id_series", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    """Drop the table, and the metadata that nobody can read without it."""
    op.execute("DELETE FROM instance_metadata")
    op.drop_table("metadata_bases")
