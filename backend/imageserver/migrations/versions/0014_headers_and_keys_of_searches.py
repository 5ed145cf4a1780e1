"""What searches of DICOMweb answer of studies and series, and their keys; they come when the files are read again."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TABLES = {"study": "studies", "series": "series"}


def upgrade() -> None:
    """Create the tables."""
    op.add_column("instances", sa.Column("instance_number", sa.BigInteger(), nullable=True))
    own = {
        "study": (),
        "series": (
            sa.Column("study_content", sa.Text(), nullable=False),
            sa.Column("instance_count", sa.Integer(), nullable=False),
            sa.Column("sop_classes", sa.JSON(), nullable=False),
        ),
    }
    for name, table in TABLES.items():
        key = f"{name}_id"
        op.create_table(
            f"{name}_headers",
            sa.Column(key, sa.Integer(), nullable=False),
            sa.Column("content", sa.Text(), nullable=False),
            *own[name],
            sa.PrimaryKeyConstraint(key, name=f"pk_{name}_headers"),
            sa.ForeignKeyConstraint(
                [key], [f"{table}.id"], name=f"fk_{name}_headers_{key}_{table}", ondelete="CASCADE"
            ),
        )
        op.create_table(
            f"{name}_keys",
            sa.Column("tag", KEY, nullable=False),
            sa.Column("value", KEY, nullable=False),
            sa.Column(key, sa.Integer(), nullable=False),
            sa.PrimaryKeyConstraint("tag", "value", key, name=f"pk_{name}_keys"),
            sa.ForeignKeyConstraint(
                [key],
                [f"{name}_headers.{key}"],
                name=f"fk_{name}_keys_{key}_{name}_headers",
                ondelete="CASCADE",
            ),
            sqlite_with_rowid=False,
        )
        op.create_index(f"ix_{name}_keys_{key}_tag", f"{name}_keys", [key, "tag"])


def downgrade() -> None:
    """Drop the tables; they are made again from the files."""
    for name in TABLES:
        op.drop_table(f"{name}_keys")
        op.drop_table(f"{name}_headers")
    op.drop_column("instances", "instance_number")  # not in batch mode, as in 0007
