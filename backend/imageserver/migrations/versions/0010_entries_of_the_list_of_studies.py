"""The list of studies: an entry with its words for each study, made from the series that are there."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from imageserver.dicom.search_key import query_words, search_words

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
LONGEST_KEY, MAX_WORDS, LONGEST_PREFIX, RANK_WITHOUT_PIXELS = 128, 1000, 3, 3
BATCH = 500
KEYS = (
    "study_moment",
    "modality",
    "verdict",
    "patient_name",
    "patient_id",
    "accession_number",
    "description",
    "series_count",
    "slice_count",
)
SHOWN = ("name", "reason", "raw", "patient_id", "issuer_of_patient_id", "birth_date", "sex")


def upgrade() -> None:
    """Create the tables and fill them; numbers and dates of series come when the files are read again."""
    op.add_column("series", sa.Column("series_number", sa.BigInteger(), nullable=True))
    op.add_column("series", sa.Column("series_date", sa.String(8), nullable=True))
    op.add_column("series", sa.Column("series_time", sa.Text(), nullable=True))
    op.add_column("series", sa.Column("middle_sop_instance_uid", sa.String(64), nullable=True))
    op.add_column("series", sa.Column("middle_frame_number", sa.Integer(), nullable=True))
    op.add_column("studies", sa.Column("patient", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("studies", sa.Column("modalities", sa.JSON(), nullable=False, server_default="[]"))
    entries = op.create_table(
        "study_entries",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("series_instance_uid", KEY, nullable=False),
        sa.Column("study_moment", KEY, nullable=False),
        sa.Column("modality", KEY, nullable=False),
        sa.Column("verdict", KEY, nullable=False),
        sa.Column("patient_name", KEY, nullable=False),
        sa.Column("patient_id", KEY, nullable=False),
        sa.Column("accession_number", KEY, nullable=False),
        sa.Column("description", KEY, nullable=False),
        sa.Column("series_count", sa.Integer(), nullable=False),
        sa.Column("slice_count", sa.Integer(), nullable=False),
        sa.Column("series_without_pictures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("study_id", name="pk_study_entries"),
        sa.ForeignKeyConstraint(
            ["study_id"], ["studies.id"], name="fk_study_entries_study_id_studies", ondelete="CASCADE"
        ),
    )
    words = op.create_table(
        "study_words",
        sa.Column("word", KEY, nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("word", "study_id", name="pk_study_words"),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study_entries.study_id"],
            name="fk_study_words_study_id_study_entries",
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )
    prefixes = op.create_table(
        "study_prefixes",
        sa.Column("prefix", KEY, nullable=False),
        sa.Column("studies", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", name="pk_study_prefixes"),
    )
    _note_middles()
    counts = _fill(entries, words)
    if counts:
        op.bulk_insert(prefixes, [{"prefix": prefix, "studies": count} for prefix, count in counts.items()])
    for name in KEYS:
        op.create_index(
            f"ix_study_entries_{name}",
            "study_entries",
            [name, "study_instance_uid"],
            postgresql_include=["study_id"],
        )
    op.create_index("ix_study_words_study_id_word", "study_words", ["study_id", "word"])


def downgrade() -> None:
    """Drop the tables and columns; they are made again from the series."""
    for table in ("study_prefixes", "study_words", "study_entries"):
        op.drop_table(table)
    for column in ("patient", "modalities"):
        op.drop_column("studies", column)  # not in batch mode, as in 0007
    for column in (
        "series_number",
        "series_date",
        "series_time",
        "middle_sop_instance_uid",
        "middle_frame_number",
    ):
        op.drop_column("series", column)


def _note_middles() -> None:
    """Take the middle slices out of the arrangements, in the database: those may be long."""
    if op.get_bind().dialect.name == "sqlite":
        uid, frame = (f"json_extract(arrangement, '$.middle.{name}')" for name in _MIDDLE)
    else:
        uid, frame = (f"arrangement -> 'middle' ->> '{name}'" for name in _MIDDLE)
    op.execute(
        f"UPDATE series SET middle_sop_instance_uid = {uid}, "  # noqa: S608 - names of ours
        f"middle_frame_number = CAST({frame} AS INTEGER)"
    )


_MIDDLE = ("sop_instance_uid", "frame_number")


def _fill(entries: sa.Table, words: sa.Table) -> Counter[str]:
    """Write the entries of all studies with their words and what is shown; return the counts of short beginnings."""
    connection, counts = op.get_bind(), Counter[str]()
    studies = sa.table(
        "studies",
        sa.column("id"),
        sa.column("patient", sa.JSON()),
        sa.column("modalities", sa.JSON()),
    )
    for batch in _batches(connection):
        connection.execute(entries.insert(), [_entry(series) for series in batch])
        of_studies = {series[0].study_id: _words(series) for series in batch}
        found = [{"word": word, "study_id": key} for key, own in of_studies.items() for word in own]
        if found:
            connection.execute(words.insert(), found)
        for own in of_studies.values():
            counts.update(_prefixes(own))
        connection.execute(
            studies.update().where(studies.c.id == sa.bindparam("at")),
            [
                {
                    "at": series[0].study_id,
                    "patient": _patient([row.patient for row in series]),
                    "modalities": _modalities(series),
                }
                for series in batch
            ],
        )
    return counts


def _batches(connection: sa.Connection) -> Iterator[list[list[Any]]]:
    """Yield the series of some studies at a time; of each study the one that stands for it in front."""
    names = (
        "study_id",
        "series_instance_uid",
        "rank",
        "slice_count",
        "modality",
        "verdict",
        "series_description",
    )
    series = sa.table("series", *map(sa.column, names), sa.column("patient", sa.JSON()))
    shown = (
        "id",
        "study_instance_uid",
        "study_date",
        "study_time",
        "study_description",
        "accession_number",
    )
    studies = sa.table("studies", *map(sa.column, shown))
    ids = sa.select(studies.c.id).order_by(studies.c.id).limit(BATCH)
    last = -1
    while wanted := list(connection.scalars(ids.where(studies.c.id > last))):
        statement = (
            sa.select(series, *[column for column in studies.c if column.name != "id"])
            .join(studies, studies.c.id == series.c.study_id)
            .where(series.c.study_id.in_(wanted))
        )
        rows = sorted(connection.execute(statement).all(), key=_place)
        batch = [list(group) for _, group in groupby(rows, key=lambda row: row.study_id)]
        if batch:
            yield batch
        last = wanted[-1]


def _place(row: Any) -> tuple[Any, ...]:
    return row.study_id, row.rank, -row.slice_count, row.series_instance_uid


def _entry(series: Sequence[Any]) -> dict[str, Any]:
    first = series[0]
    with_pictures = [row for row in series if row.rank < RANK_WITHOUT_PIXELS]
    return {
        "study_id": first.study_id,
        "study_instance_uid": first.study_instance_uid,
        "series_instance_uid": first.series_instance_uid if with_pictures else "",
        "study_moment": _moment(first),
        "modality": "\\".join(_modalities(series))[:LONGEST_KEY],
        "verdict": first.verdict,
        "patient_name": _sort_key(first.patient.get("name")),
        "patient_id": (first.patient.get("patient_id") or "")[:LONGEST_KEY],
        "accession_number": (first.accession_number or "")[:LONGEST_KEY],
        "description": _sort_key(first.study_description),
        "series_count": len(with_pictures),
        "slice_count": sum(row.slice_count for row in with_pictures),
        "series_without_pictures": len(series) - len(with_pictures),
    }


def _moment(row: Any) -> str:
    return (row.study_date + (row.study_time or ""))[:LONGEST_KEY] if row.study_date else ""


def _modalities(series: Sequence[Any]) -> list[str]:
    return sorted({row.modality for row in series if row.modality})


def _sort_key(value: str | None) -> str:
    return " ".join(query_words(value or ""))[:LONGEST_KEY]


def _words(series: Sequence[Any]) -> set[str]:
    patients = [row.patient for row in series]
    texts = [
        *(patient.get(part) for part in ("raw", "patient_id") for patient in patients),
        series[0].study_description,
        series[0].accession_number,
        *(row.series_description for row in series),
        *(other["name"] for patient in patients for other in patient.get("other_names", ())),
    ]
    unique = dict.fromkeys(text for text in texts if text)
    found = dict.fromkeys(word for text in unique for word in search_words(text))
    return {*list(found)[:MAX_WORDS], *("=" + one[:LONGEST_KEY] for one in _modalities(series))}


def _prefixes(words: set[str]) -> set[str]:
    found = {word for word in words if word.startswith("=")}
    lengths = range(1, LONGEST_PREFIX + 1)
    return found | {word[:n] for word in words - found for n in lengths if len(word) >= n}


def _patient(patients: Sequence[dict[str, Any]]) -> dict[str, Any]:
    chosen = patients[0]
    names = Counter[str | None]()
    for patient in patients:
        names[patient.get("name")] += patient.get("count", 0)
        for other in patient.get("other_names", ()):
            names[other["name"]] += other["count"]
    del names[chosen.get("name")]
    ids = {patient.get("patient_id") or "" for patient in patients}
    return {
        **{part: chosen.get(part) for part in SHOWN},
        "other_names": [
            {"name": name, "count": count}
            for name, count in sorted(names.items(), key=lambda item: (-item[1], item[0] or ""))
        ],
        "other_patient_ids": sorted(ids - {chosen.get("patient_id") or ""}),
    }
