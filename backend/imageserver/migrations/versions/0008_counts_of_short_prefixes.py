"""How many volumes have a word that begins with one, two or three given characters."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
LONGEST_PREFIX = 3


def upgrade() -> None:
    """Create the table and count."""
    op.create_table(
        "volume_prefixes",
        sa.Column("prefix", KEY, nullable=False),
        sa.Column("volumes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", name="pk_volume_prefixes"),
    )
    for length in range(1, LONGEST_PREFIX + 1):
        op.execute(
            "INSERT INTO volume_prefixes (prefix, volumes) "  # noqa: S608 - a number of ours
            f"SELECT substr(word, 1, {length}), count(DISTINCT series_id) FROM volume_words "
            f"WHERE length(word) >= {length} GROUP BY substr(word, 1, {length})"
        )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("volume_prefixes")
