"""Instances that were deleted, so that they can be restored; and instances in audit records."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "deletions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_instance_uid", sa.String(64), nullable=False),
        sa.Column("series_instance_uid", sa.String(64), nullable=False),
        sa.Column("sop_instance_uid", sa.String(64), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("trash", sa.String(80), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_by", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deletions"),
    )
    op.create_index("ix_deletions_study_instance_uid", "deletions", ["study_instance_uid"])
    op.create_index("ix_deletions_sop_instance_uid", "deletions", ["sop_instance_uid"])
    op.add_column("audit_events", sa.Column("sop_instance_uid", sa.String(64), nullable=True))


def downgrade() -> None:
    """Drop the table: what was hidden in the data directory is shown again."""
    op.drop_table("deletions")
    with op.batch_alter_table("audit_events") as batch:
        batch.drop_column("sop_instance_uid")
