"""The entry of a study in the list of studies: put together from its series, made again whenever one of them is.

Everything here follows from the rows of the study and its series, and runs inside a transaction of the caller.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from imageserver.archive import entry_words
from imageserver.archive.entry_words import CHUNK, STUDIES, exact_key, exactly, moment_key, sort_key, words_of
from imageserver.archive.models import Series, Study
from imageserver.database import Base

RANK_WITHOUT_PIXELS = 3
_STUDIES = Base.metadata.tables["studies"]
_STUDY_OF = attrgetter("study_id")
_BETWEEN_MODALITIES = "\\"  # as between the values of Modalities in Study (0008,0061)


def write_study_entries(session: Session, study_ids: Iterable[int]) -> None:
    """Write the entries of studies, their words, and what their series say together of the patient."""
    wanted = sorted(study_ids)
    for start in range(0, len(wanted), CHUNK):
        _write_entries(session, wanted[start : start + CHUNK])


def remove_study_entries(session: Session, study_ids: Iterable[int]) -> None:
    """Take studies off the list, with their words."""
    entry_words.remove_entries(session, STUDIES, study_ids)


def _write_entries(session: Session, study_ids: list[int]) -> None:
    rows = session.execute(
        select(
            Series.study_id,
            Series.series_instance_uid,
            Series.rank,
            Series.slice_count,
            Series.modality,
            Series.verdict,
            Series.series_description,
            Series.patient,
            Study.study_instance_uid,
            Study.study_date,
            Study.study_time,
            Study.study_description,
            Study.accession_number,
        )
        .join(Study, Series.study_id == Study.id)
        .where(Series.study_id.in_(study_ids))
    ).all()
    studies = {key: list(group) for key, group in groupby(sorted(rows, key=_place), key=_STUDY_OF)}
    if not studies:
        return
    entry_words.write_entries(session, STUDIES, {key: _entry_values(own) for key, own in studies.items()})
    entry_words.write_words(session, STUDIES, {key: _words_of(own) for key, own in studies.items()})
    shown = [{"at": key, **_shown_values(own)} for key, own in studies.items()]
    session.connection().execute(update(_STUDIES).where(_STUDIES.c.id == bindparam("at")), shown)


def _place(row: Any) -> tuple[Any, ...]:
    """Order the series by study, the one that stands for it in front: by the rule of the default volume."""
    return row.study_id, row.rank, -row.slice_count, row.series_instance_uid


def _entry_values(series: Sequence[Any]) -> dict[str, Any]:
    """Return the values of an entry; `series` has the one that stands for the study in front."""
    first = series[0]
    with_pictures = [row for row in series if row.rank < RANK_WITHOUT_PIXELS]
    return {
        "study_instance_uid": first.study_instance_uid,
        "series_instance_uid": first.series_instance_uid if with_pictures else "",
        "study_moment": moment_key(first.study_date, first.study_time),
        "modality": exact_key(_BETWEEN_MODALITIES.join(_modalities(series))),
        "verdict": first.verdict,
        "patient_name": sort_key(first.patient.get("name")),
        "patient_id": exact_key(first.patient.get("patient_id")),
        "accession_number": exact_key(first.accession_number),
        "description": sort_key(first.study_description),
        "series_count": len(with_pictures),
        "slice_count": sum(row.slice_count for row in with_pictures),
        "series_without_pictures": len(series) - len(with_pictures),
    }


def _shown_values(series: Sequence[Any]) -> dict[str, Any]:
    return {
        "patient": summarise_study_patient([row.patient for row in series]),
        "modalities": _modalities(series),
    }


def _modalities(series: Sequence[Any]) -> list[str]:
    return sorted({row.modality for row in series if row.modality})


def _words_of(series: Sequence[Any]) -> set[str]:
    first = series[0]
    patients = [row.patient for row in series]
    texts = [
        *(patient.get(part) for part in ("raw", "patient_id") for patient in patients),
        first.study_description,
        first.accession_number,
        *(row.series_description for row in series),
        *(other["name"] for patient in patients for other in patient.get("other_names", ())),
    ]
    return words_of(texts) | set(map(exactly, _modalities(series)))


def summarise_study_patient(patients: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the first of the series says of the patient, and what the others say instead.

    Parameters
    ----------
    patients : sequence of dict
        `patients.summarise_patients` of each series; the one that stands for the study in front.

    Returns
    -------
    dict
        `other_names` with the number of files that give each, `other_patient_ids` sorted.
    """
    chosen = patients[0]
    names = Counter[str | None]()
    for patient in patients:
        names[patient.get("name")] += patient.get("count", 0)
        for other in patient.get("other_names", ()):
            names[other["name"]] += other["count"]
    del names[chosen.get("name")]
    kept = ("name", "reason", "raw", "patient_id", "issuer_of_patient_id", "birth_date", "sex")
    return {
        **{part: chosen.get(part) for part in kept},
        "other_names": [
            {"name": name, "count": count}
            for name, count in sorted(names.items(), key=lambda item: (-item[1], item[0] or ""))
        ],
        "other_patient_ids": sorted(
            {patient.get("patient_id") or "" for patient in patients} - {chosen.get("patient_id") or ""}
        ),
    }
