"""What people measured on images, each row one user's."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "measurements",
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("study_instance_uid", sa.String(64), nullable=False),
        sa.Column("series_instance_uid", sa.String(64), nullable=False),
        sa.Column("sop_instance_uid", sa.String(64), nullable=False),
        sa.Column("frame_number", sa.Integer(), nullable=False),
        sa.Column("plane", sa.String(16), nullable=False),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.Column("measured", sa.JSON(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_measurements_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_measurements"),
    )
    op.create_index(
        "ix_measurements_user_id_study_instance_uid", "measurements", ["user_id", "study_instance_uid"]
    )
    op.create_index(
        "ix_measurements_user_id_series_instance_uid", "measurements", ["user_id", "series_instance_uid"]
    )


def downgrade() -> None:
    """Drop the table with all that was measured."""
    op.drop_table("measurements")
