"""The list of volumes: an entry with its words for each series with pictures, made from the rows that are there."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from imageserver.dicom.search_key import query_words, search_words

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
LONGEST_KEY, MAX_WORDS, RANK_WITHOUT_PIXELS = 128, 1000, 3
BATCH = 500
KEYS = (
    "slice_count",
    "study_moment",
    "modality",
    "verdict",
    "patient_name",
    "patient_id",
    "accession_number",
    "description",
)
BEST_FIRST: list[str | sa.TextClause] = [
    "rank",
    sa.text("slice_count DESC"),
    sa.text("study_moment DESC"),
    "series_instance_uid",
]


def upgrade() -> None:
    """Create the tables and fill them; accession numbers come when the files are read again."""
    op.add_column("studies", sa.Column("accession_number", sa.Text(), nullable=True))
    entries = op.create_table(
        "volume_entries",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("series_instance_uid", KEY, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("slice_count", sa.Integer(), nullable=False),
        sa.Column("study_moment", KEY, nullable=False),
        sa.Column("modality", KEY, nullable=False),
        sa.Column("verdict", KEY, nullable=False),
        sa.Column("patient_name", KEY, nullable=False),
        sa.Column("patient_id", KEY, nullable=False),
        sa.Column("accession_number", KEY, nullable=False),
        sa.Column("description", KEY, nullable=False),
        sa.PrimaryKeyConstraint("series_id", name="pk_volume_entries"),
        sa.ForeignKeyConstraint(
            ["series_id"], ["series.id"], name="fk_volume_entries_series_id_series", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_volume_entries_study_id_studies"),
    )
    words = op.create_table(
        "volume_words",
        sa.Column("word", KEY, nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("word", "series_id", name="pk_volume_words"),
        sa.ForeignKeyConstraint(
            ["series_id"],
            ["volume_entries.series_id"],
            name="fk_volume_words_series_id_volume_entries",
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )
    _fill(entries, words)
    op.create_index("ix_volume_entries_study_id", "volume_entries", ["study_id"])
    _create_index("default", BEST_FIRST)
    _create_index("default_of_modality", ["modality", *BEST_FIRST])
    for name in KEYS:
        _create_index(name, [name, "series_instance_uid"])
    op.create_index("ix_volume_words_series_id_word", "volume_words", ["series_id", "word"])
    op.drop_index("ix_series_default", "series")


def _create_index(name: str, columns: list[str | sa.TextClause]) -> None:
    op.create_index(f"ix_volume_entries_{name}", "volume_entries", columns, postgresql_include=["series_id"])


def downgrade() -> None:
    """Drop the tables; they are made again from the index."""
    op.create_index("ix_series_default", "series", BEST_FIRST)
    op.drop_table("volume_words")
    op.drop_table("volume_entries")
    op.drop_column("studies", "accession_number")


def _fill(entries: sa.Table, words: sa.Table) -> None:
    names = (
        "id",
        "study_id",
        "series_instance_uid",
        "rank",
        "slice_count",
        "study_moment",
        "modality",
        "verdict",
        "series_description",
    )
    series = sa.table("series", *map(sa.column, names), sa.column("patient", sa.JSON()))
    studies = sa.table("studies", sa.column("id"), sa.column("study_date"), sa.column("study_description"))
    statement = (
        sa.select(series, studies.c.study_date, studies.c.study_description)
        .join(studies, studies.c.id == series.c.study_id)
        .where(series.c.rank < RANK_WITHOUT_PIXELS)
        .order_by(series.c.id)
        .limit(BATCH)
    )
    connection, last = op.get_bind(), -1
    while rows := connection.execute(statement.where(series.c.id > last)).all():
        connection.execute(entries.insert(), [_entry(row) for row in rows])
        found = [{"word": word, "series_id": row.id} for row in rows for word in _words(row)]
        if found:
            connection.execute(words.insert(), found)
        last = rows[-1].id


def _entry(row: Any) -> dict[str, Any]:
    return {
        "series_id": row.id,
        "study_id": row.study_id,
        "series_instance_uid": row.series_instance_uid,
        "rank": row.rank,
        "slice_count": row.slice_count,
        "study_moment": row.study_moment[:LONGEST_KEY] if row.study_date else "",
        "modality": (row.modality or "")[:LONGEST_KEY],
        "verdict": row.verdict,
        "patient_name": _sort_key(row.patient.get("name")),
        "patient_id": (row.patient.get("patient_id") or "")[:LONGEST_KEY],
        "accession_number": "",
        "description": _sort_key(row.series_description),
    }


def _sort_key(value: str | None) -> str:
    return " ".join(query_words(value or ""))[:LONGEST_KEY]


def _words(row: Any) -> list[str]:
    names = [row.patient.get("raw"), row.patient.get("patient_id")]
    others = [other["name"] for other in row.patient.get("other_names", ())]
    texts = [*names, row.study_description, row.series_description, *others]
    found = dict.fromkeys(word for text in texts if text for word in search_words(text))
    return list(found)[:MAX_WORDS]
