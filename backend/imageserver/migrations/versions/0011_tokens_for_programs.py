"""Tokens for programs, and which of them an audit record is about."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table, and the two columns of the audit."""
    op.create_table(
        "program_tokens",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("start", sa.String(8), nullable=False),
        sa.Column("rights", sa.String(16), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.Column("last_used", TIME, nullable=True),
        sa.Column("revoked", TIME, nullable=True),
        sa.Column("end_reason", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_program_tokens_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_program_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_program_tokens_token_hash"),
    )
    op.create_index("ix_program_tokens_user_id", "program_tokens", ["user_id"])
    op.add_column("audit_events", sa.Column("token_id", sa.String(32), nullable=True))
    op.add_column("audit_events", sa.Column("token_name", sa.String(64), nullable=True))


def downgrade() -> None:
    """Drop them; the records stay without their tokens."""
    op.drop_column("audit_events", "token_name")
    op.drop_column("audit_events", "token_id")
    op.drop_table("program_tokens")
