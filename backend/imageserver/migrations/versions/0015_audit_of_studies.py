"""Finding audit records by the study, for lists of studies, whose records name no series."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_NAME = "ix_audit_events_session_id_study_instance_uid_kind_time"


def upgrade() -> None:
    """Add the index."""
    op.create_index(_NAME, "audit_events", ["session_id", "study_instance_uid", "kind", "time"])


def downgrade() -> None:
    """Remove it."""
    op.drop_index(_NAME, "audit_events")
