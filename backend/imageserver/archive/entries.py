"""The entry of a series in the list of volumes: what it is sorted by, filtered by and found by.

Everything here follows from the rows of the series and its study, and runs inside a transaction of the caller.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from imageserver.archive.models import Series, Study, VolumeEntry, VolumeWord
from imageserver.dicom.search_key import query_words, search_words

# PostgreSQL's index entries end at 2,704 bytes; no value of a conformant file is longer than this.
LONGEST_KEY = 128
MAX_WORDS = 1000  # a series whose files give hundreds of names is found by the first of them
CHUNK = 500  # values in one IN (…)


def write_entry(session: Session, series: Series) -> None:
    """Write the entry of a series with pictures, and its words, where they are not written so already."""
    study = session.execute(
        select(Study.study_date, Study.study_description, Study.accession_number).where(
            Study.id == series.study_id
        )
    ).one()
    entry = session.merge(VolumeEntry(series_id=series.id, **_entry_values(series, study)))
    session.flush()
    session.expunge(entry)
    texts = [study.study_description, study.accession_number, series.series_description]
    _write_words(session, series.id, find_words(series.patient, texts))


def remove_entry(session: Session, series_id: int) -> None:
    """Take a series off the list of volumes; its words go with its entry."""
    session.execute(delete(VolumeEntry).where(VolumeEntry.series_id == series_id))


def _entry_values(series: Series, study: Any) -> dict[str, Any]:
    return {
        "study_id": series.study_id,
        "series_instance_uid": series.series_instance_uid,
        "rank": series.rank,
        "slice_count": series.slice_count,
        "study_moment": exact_key(series.study_moment) if study.study_date else "",  # a time alone is none
        "modality": exact_key(series.modality),
        "verdict": series.verdict,
        "patient_name": sort_key(series.patient.get("name")),
        "patient_id": exact_key(series.patient.get("patient_id")),
        "accession_number": exact_key(study.accession_number),
        "description": sort_key(series.series_description),
    }


def find_words(patient: dict[str, Any], texts: Iterable[str | None]) -> set[str]:
    """Return the words by which a series is found: all groups of all names, Patient ID, and the given texts."""
    names = [patient.get("raw"), patient.get("patient_id")]
    others = [other["name"] for other in patient.get("other_names", ())]
    found = dict.fromkeys(
        word for text in (*names, *texts, *others) if text for word in search_words(text)
    )  # in this order, so that what is cut off is the least of it
    return set(list(found)[:MAX_WORDS])


def exact_key(value: str | None) -> str:
    """Return a value as it is compared for equality."""
    return (value or "")[:LONGEST_KEY]


def sort_key(value: str | None) -> str:
    """Return a text as it is sorted: without regard to case, accents and width."""
    return " ".join(query_words(value or ""))[:LONGEST_KEY]


def _write_words(session: Session, series_id: int, words: set[str]) -> None:
    present = set(session.scalars(select(VolumeWord.word).where(VolumeWord.series_id == series_id)))
    gone = sorted(present - words)
    for start in range(0, len(gone), CHUNK):
        these = VolumeWord.word.in_(gone[start : start + CHUNK])
        session.execute(delete(VolumeWord).where(VolumeWord.series_id == series_id, these))
    if new := sorted(words - present):
        session.execute(insert(VolumeWord), [{"word": word, "series_id": series_id} for word in new])
