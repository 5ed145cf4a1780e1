"""The entry of a series in the list of volumes: what it is sorted by, filtered by and found by.

Everything here follows from the rows of the series and its study, and runs inside a transaction of the caller.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from imageserver.archive import entry_words
from imageserver.archive.entry_words import CHUNK, VOLUMES, exact_key, find_words, moment_key, sort_key
from imageserver.archive.models import Series, Study


def write_entries(session: Session, series_ids: Iterable[int]) -> None:
    """Write the entries of series with pictures, and their words, where they are not written so already.

    Many at once, because a statement for each would take as long as to read the files.
    """
    wanted = sorted(series_ids)
    for start in range(0, len(wanted), CHUNK):
        _write_entries(session, wanted[start : start + CHUNK])


def remove_entries(session: Session, series_ids: Iterable[int]) -> None:
    """Take series off the list of volumes, with their words."""
    entry_words.remove_entries(session, VOLUMES, series_ids)


def _write_entries(session: Session, series_ids: list[int]) -> None:
    rows = session.execute(
        select(
            Series.id,
            Series.study_id,
            Series.series_instance_uid,
            Series.rank,
            Series.slice_count,
            Series.modality,
            Series.verdict,
            Series.series_description,
            Series.patient,
            Study.study_date,
            Study.study_time,
            Study.study_description,
            Study.accession_number,
        )
        .join(Study, Series.study_id == Study.id)
        .where(Series.id.in_(series_ids))
    ).all()
    entry_words.write_entries(session, VOLUMES, {row.id: _entry_values(row) for row in rows})
    entry_words.write_words(session, VOLUMES, {row.id: _words_of(row) for row in rows})


def _entry_values(row: Any) -> dict[str, Any]:
    return {
        "study_id": row.study_id,
        "series_instance_uid": row.series_instance_uid,
        "rank": row.rank,
        "slice_count": row.slice_count,
        "study_moment": moment_key(row.study_date, row.study_time),
        "modality": exact_key(row.modality),
        "verdict": row.verdict,
        "patient_name": sort_key(row.patient.get("name")),
        "patient_id": exact_key(row.patient.get("patient_id")),
        "accession_number": exact_key(row.accession_number),
        "description": sort_key(row.series_description),
    }


def _words_of(row: Any) -> set[str]:
    return find_words(row.patient, [row.study_description, row.accession_number, row.series_description])
