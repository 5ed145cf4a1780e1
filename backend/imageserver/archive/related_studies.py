"""Other studies of the same patient: by Patient ID and its issuer, and only where nothing else contradicts.

A study of somebody else beside a patient's own is worse than a missing one. So a name alone never tells that two
studies are of one patient, and neither does an ID alone: numbers are given again, and typed wrong.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from imageserver.archive.entry_words import exact_key, moment_key
from imageserver.archive.models import Study, StudyEntry
from imageserver.archive.studies import StudyDetail, StudySummary, read_studies
from imageserver.dicom.search_key import query_words

MAX_LOOKED_AT = 1000  # an ID that more studies have is none


class RelatedStudy(NamedTuple):
    """Another study; `relation` is ``prior``, ``later``, or ``same_time``, or ``unknown`` where a date is missing."""

    summary: StudySummary
    relation: str


class RelatedStudies(NamedTuple):
    """The other studies, newest first; not complete where too many have the Patient ID."""

    studies: tuple[RelatedStudy, ...]
    is_complete: bool


def find_related(session: Session, of: StudyDetail) -> RelatedStudies:
    """Return the other studies of the patient of a study; none where the study gives no Patient ID."""
    patient = of.summary.patient
    if not patient.get("patient_id"):
        return RelatedStudies((), is_complete=True)
    newest = (StudyEntry.study_moment.desc(), StudyEntry.study_instance_uid.desc())
    statement = (
        select(StudyEntry.study_id, Study.patient)
        .join(Study, StudyEntry.study_id == Study.id)
        .where(StudyEntry.patient_id == exact_key(patient["patient_id"]), StudyEntry.study_id != of.study_id)
        .order_by(*newest)
        .limit(MAX_LOOKED_AT + 1)
    )
    rows = session.execute(statement).all()
    same = [row.study_id for row in rows[:MAX_LOOKED_AT] if is_same_patient(patient, row.patient)]
    moment = _moment(of.summary)
    return RelatedStudies(
        tuple(RelatedStudy(one, _relation(_moment(one), moment)) for one in read_studies(session, same)),
        is_complete=len(rows) <= MAX_LOOKED_AT,
    )


def is_same_patient(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether two studies are of one patient.

    Patient ID and issuer have to be the same (a missing issuer is one of its own), birth dates and sexes must not
    contradict, and the names have to be compatible: all words of one name begin words of the other, in any group; or,
    where both give the same birth date, one word is the same, as after a marriage.
    """
    for part in ("patient_id", "issuer_of_patient_id"):
        if (one.get(part) or "") != (other.get(part) or ""):
            return False
    dates = one.get("birth_date"), other.get("birth_date")
    if _contradict(*dates) or _contradict(one.get("sex"), other.get("sex")):
        return False
    names = [_words(patient.get("raw")) for patient in (one, other)]
    if not all(names):
        return not any(names) and bool(dates[0]) and dates[0] == dates[1]
    if _begin(*names) or _begin(*names[::-1]):
        return True
    return bool(dates[0]) and dates[0] == dates[1] and not set(names[0]).isdisjoint(names[1])


def _contradict(one: str | None, other: str | None) -> bool:
    return bool(one) and bool(other) and one != other


def _words(raw: str | None) -> list[str]:
    return query_words((raw or "").replace("^", " ").replace("=", " "))


def _begin(few: Sequence[str], many: Sequence[str]) -> bool:
    """Tell whether each word of one name is, or begins, a word of the other; a bare initial alone tells nobody."""
    begins = all(any(word.startswith(start) for word in many) for start in few)
    return begins and not set(few).isdisjoint(many)


def _moment(study: StudySummary) -> str:
    return moment_key(study.study_date, study.study_time)


def _relation(moment: str, reference: str) -> str:
    if not moment or not reference:
        return "unknown"
    if moment == reference:
        return "same_time"
    return "prior" if moment < reference else "later"
