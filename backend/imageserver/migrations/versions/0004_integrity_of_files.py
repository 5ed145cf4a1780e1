"""What is known of each file's content: which rules read it, its checksum, and the metadata of its instance."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table; rows that exist were read by rules of no name, and are read again."""
    op.add_column("files", sa.Column("read_by", sa.String(24), nullable=False, server_default=""))
    op.add_column("files", sa.Column("sha256", sa.String(64), nullable=True))
    op.add_column("files", sa.Column("scrubbed", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("ix_files_scrubbed", "files", ["scrubbed"])
    op.create_table(
        "instance_metadata",
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(24), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_id"],
            ["instances.id"],
            name="fk_instance_metadata_instance_id_instances",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("instance_id", name="pk_instance_metadata"),
    )


def downgrade() -> None:
    """Drop them; all is made again from the files."""
    op.drop_table("instance_metadata")
    op.drop_index("ix_files_scrubbed", "files")
    for column in ("scrubbed", "sha256", "read_by"):
        op.drop_column("files", column)
