"""The entry of a series in the list of volumes: what it is sorted by, filtered by and found by.

Everything here follows from the rows of the series and its study, and runs inside a transaction of the caller.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, text, update
from sqlalchemy.orm import Session

from imageserver.archive.models import Series, Study, VolumeEntry, VolumeWord
from imageserver.dicom.search_key import query_words, search_words

# PostgreSQL's index entries end at 2,704 bytes; no value of a conformant file is longer than this.
LONGEST_KEY = 128
MAX_WORDS = 1000  # a series whose files give hundreds of names is found by the first of them
LONGEST_PREFIX = 3  # longer ones are counted fast enough
CHUNK = 500  # values in one IN (…)
_ADD_TO_PREFIX = text(
    "INSERT INTO volume_prefixes (prefix, volumes) VALUES (:prefix, :volumes) "
    "ON CONFLICT (prefix) DO UPDATE SET volumes = volume_prefixes.volumes + excluded.volumes"
)


def write_entries(session: Session, series_ids: Iterable[int]) -> None:
    """Write the entries of series with pictures, and their words, where they are not written so already.

    Many at once, because a statement for each would take as long as to read the files.
    """
    wanted = sorted(series_ids)
    for start in range(0, len(wanted), CHUNK):
        _write_entries(session, wanted[start : start + CHUNK])


def remove_entries(session: Session, series_ids: Iterable[int]) -> None:
    """Take series off the list of volumes, with their words."""
    wanted = sorted(series_ids)
    for start in range(0, len(wanted), CHUNK):
        these = wanted[start : start + CHUNK]
        _write_words(session, dict.fromkeys(these, frozenset()))
        session.execute(delete(VolumeEntry).where(VolumeEntry.series_id.in_(these)))


def _write_entries(session: Session, series_ids: list[int]) -> None:
    rows = session.execute(
        select(
            Series.id,
            Series.study_id,
            Series.series_instance_uid,
            Series.rank,
            Series.slice_count,
            Series.study_moment,
            Series.modality,
            Series.verdict,
            Series.series_description,
            Series.patient,
            Study.study_date,
            Study.study_description,
            Study.accession_number,
        )
        .join(Study, Series.study_id == Study.id)
        .where(Series.id.in_(series_ids))
    ).all()
    present = set(session.scalars(select(VolumeEntry.series_id).where(VolumeEntry.series_id.in_(series_ids))))
    connection = session.connection()
    if new := [{"series_id": row.id, **_entry_values(row)} for row in rows if row.id not in present]:
        connection.execute(insert(VolumeEntry), new)
    if known := [{"at": row.id, **_entry_values(row)} for row in rows if row.id in present]:
        connection.execute(update(VolumeEntry).where(VolumeEntry.series_id == bindparam("at")), known)
    _write_words(session, {row.id: _words_of(row) for row in rows})


def _entry_values(row: Any) -> dict[str, Any]:
    return {
        "study_id": row.study_id,
        "series_instance_uid": row.series_instance_uid,
        "rank": row.rank,
        "slice_count": row.slice_count,
        "study_moment": exact_key(row.study_moment) if row.study_date else "",  # a time alone is none
        "modality": exact_key(row.modality),
        "verdict": row.verdict,
        "patient_name": sort_key(row.patient.get("name")),
        "patient_id": exact_key(row.patient.get("patient_id")),
        "accession_number": exact_key(row.accession_number),
        "description": sort_key(row.series_description),
    }


def _words_of(row: Any) -> set[str]:
    return find_words(row.patient, [row.study_description, row.accession_number, row.series_description])


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


def prefixes(words: Iterable[str]) -> set[str]:
    """Return the beginnings of words that are counted."""
    lengths = range(1, LONGEST_PREFIX + 1)
    return {word[:length] for word in words for length in lengths if len(word) >= length}


def _write_words(session: Session, wanted: Mapping[int, Set[str]]) -> None:
    present: dict[int, set[str]] = {series_id: set() for series_id in wanted}
    key = (VolumeWord.series_id, VolumeWord.word)
    for series_id, word in session.execute(select(*key).where(VolumeWord.series_id.in_(wanted))):
        present[series_id].add(word)
    gone, new, counts = [], [], Counter[str]()
    for series_id, words in wanted.items():
        before = present[series_id]
        if words != before:
            gone += [{"of": series_id, "at": word} for word in before - words]
            new += [{"series_id": series_id, "word": word} for word in sorted(words - before)]
            counts.update(prefixes(words))
            counts.subtract(prefixes(before))
    connection = session.connection()
    if gone:
        row = (VolumeWord.word == bindparam("at")) & (VolumeWord.series_id == bindparam("of"))
        connection.execute(delete(VolumeWord).where(row), gone)
    if new:
        connection.execute(insert(VolumeWord), new)
    changed = [{"prefix": prefix, "volumes": count} for prefix, count in sorted(counts.items()) if count]
    if changed:
        connection.execute(_ADD_TO_PREFIX, changed)
