"""``GET /studies``: what the data directory holds, by studies; ``GET /studies/{uid}``: one study with its series."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import NO_STORE, NOT_MODIFIED, matches_etag, not_modified
from imageserver.api.dependencies import ArchiveDep, DatabaseDep
from imageserver.api.index_state import Index, describe_index, index_etag
from imageserver.api.parameters import StudyPath
from imageserver.api.patient import OtherName
from imageserver.api.problems import problem_responses
from imageserver.api.study_query import StudyQuery
from imageserver.api.thumbnails import thumbnail_address
from imageserver.api.volumes import iso_date
from imageserver.archive.related_studies import RelatedStudy, find_related
from imageserver.archive.studies import SeriesSummary, StudySummary, get_study
from imageserver.archive.study_search import find_studies
from imageserver.audit.models import Kind
from imageserver.audit.record import Subject
from imageserver.errors import StudyNotFound

router = APIRouter(tags=["studies"])
_THUMBNAIL = (
    "Address of a small picture of the middle slice; null where there is none. It changes with the picture."
)


class StudyPatient(BaseModel):
    """Whose study it is, as the series that stands for it says; and what other series say instead."""

    name: str | None
    reason: Literal["absent", "empty", "anonymous"] | None = Field(description="Why there is no name.")
    patient_id: str | None
    birth_date: str | None = Field(description="ISO 8601; null where the files have no valid date.")
    sex: str | None
    other_names: list[OtherName] = Field(description="Names in other files of the study.")
    other_patient_ids: list[str] = Field(
        description="Patient IDs of other series of the study; the empty text where one has none."
    )


class Study(BaseModel):
    """One study."""

    study_instance_uid: str
    study_date: str | None = Field(description="ISO 8601; null where the files have no valid date.")
    study_time: str | None = Field(description="HH:MM or HH:MM:SS; null where the files have no valid time.")
    description: str | None = Field(description="Study Description (0008,1030).")
    accession_number: str | None
    modalities: list[str] = Field(description="Of all its series, sorted.")
    series_count: int = Field(description="Series with pictures.")
    slice_count: int = Field(description="Frames of those series.")
    series_without_pictures: int = Field(description="Reports, presentation states and the like.")
    verdict: str = Field(description="Of the series that stands for the study; `empty` without pictures.")
    patient: StudyPatient
    series_instance_uid: str | None = Field(
        description="The series that stands for the study: the first by the rule of the default volume; null where the "
        "study has no pictures."
    )
    thumbnail: str | None = Field(description=_THUMBNAIL)


class Totals(BaseModel):
    """What is on all pages together."""

    series: int
    slices: int


class StudyList(BaseModel):
    """One page of studies; unless `sort` says otherwise, the newest first."""

    studies: list[Study]
    total: int = Field(description="Studies that fulfil the conditions, on all pages.")
    totals: Totals | None = Field(
        description="Series with pictures, and their frames, on all pages; null where many studies fulfil conditions, "
        "because adding up would hold the list up."
    )
    index: Index


class StudySeries(BaseModel):
    """One series of a study."""

    series_instance_uid: str
    series_number: int | None
    series_date: str | None = Field(description="ISO 8601.")
    modality: str | None
    description: str | None = Field(description="Series Description (0008,103E).")
    slice_count: int
    verdict: str
    has_pictures: bool
    thumbnail: str | None = Field(description=_THUMBNAIL)


class OtherStudy(BaseModel):
    """Another study of the same patient."""

    study_instance_uid: str
    study_date: str | None
    study_time: str | None
    description: str | None
    modalities: list[str]
    series_count: int
    slice_count: int
    series_instance_uid: str | None
    thumbnail: str | None
    relation: Literal["prior", "later", "same_time", "unknown"] = Field(
        description="Seen from the study that was asked for; `unknown` where a date is missing."
    )


class StudyDetail(Study):
    """One study with its series, and what else there is of the patient."""

    series: list[StudySeries] = Field(description="By Series Number, then date and time.")
    other_studies: list[OtherStudy] = Field(
        description="Of the same patient, newest first: the same Patient ID and issuer, a compatible name, no other "
        "birth date or sex."
    )
    other_studies_complete: bool = Field(
        description="False where so many studies have the Patient ID that only the newest were looked at."
    )


@router.get(
    "/studies",
    response_model=StudyList,
    responses={**NOT_MODIFIED, **problem_responses(401, 422, 503, 507)},
)
def list_studies(
    request: Request,
    archive: ArchiveDep,
    database: DatabaseDep,
    audit: AccessAuditDep,
    asked: Annotated[StudyQuery, Query()],
) -> Response:
    """List the studies: all, or those that fulfil every condition. Send `If-None-Match` to poll."""
    wanted, sort = asked.filter(), asked.sort_keys()
    status = archive.catalogue.status()
    etag = index_etag(status, asked)
    if matches_etag(request, etag):
        return not_modified(etag, NO_STORE)
    totals = archive.catalogue.count_studies(wanted)
    with database.reading() as session:
        page = asked.limit, asked.offset
        studies = find_studies(
            session, *page, wanted, sort, total=totals.studies, sets=archive.catalogue.sets
        )
    audit.record_list(Kind.STUDIES, map(_subject, studies))
    body = {
        "studies": [_study(study) for study in studies],
        "total": totals.studies,
        "totals": None if totals.series is None else {"series": totals.series, "slices": totals.slices},
        "index": describe_index(status),
    }
    return JSONResponse(body, headers={**NO_STORE, "ETag": etag})


@router.get(
    "/studies/{study_instance_uid}",
    response_model=StudyDetail,
    responses={**NOT_MODIFIED, **problem_responses(401, 404, 422, 503, 507)},
)
def get_one_study(
    request: Request,
    archive: ArchiveDep,
    database: DatabaseDep,
    audit: AccessAuditDep,
    study_instance_uid: StudyPath,
) -> Response:
    """Describe one study: its series, and the other studies of the same patient. Send `If-None-Match` to poll."""
    archive.catalogue.require_directory()
    etag = index_etag(archive.catalogue.status(), study_instance_uid)
    if matches_etag(request, etag):
        return not_modified(etag, NO_STORE)
    with database.reading() as session:
        study = get_study(session, study_instance_uid)
        if study is None:
            raise StudyNotFound("No study in the data directory has this Study Instance UID.")
        related = find_related(session, study)
    told = (study.summary, *(other.summary for other in related.studies))
    audit.record_list(Kind.STUDY, map(_subject, told))
    body = {
        **_study(study.summary),
        "series": [_series(series) for series in study.series],
        "other_studies": [_other_study(other) for other in related.studies],
        "other_studies_complete": related.is_complete,
    }
    return JSONResponse(body, headers={**NO_STORE, "ETag": etag})


def _subject(study: StudySummary) -> Subject:
    """Return what the record names: with the series that says whose the study is."""
    return Subject(study.study_instance_uid, study.series_instance_uid)


def _study(study: StudySummary) -> dict[str, Any]:
    patient = study.patient
    kept = ("name", "reason", "patient_id", "sex", "other_names", "other_patient_ids")
    return {
        **_in_short(study),
        "accession_number": study.accession_number,
        "series_without_pictures": study.series_without_pictures,
        "verdict": study.verdict,
        "patient": {
            **{part: patient[part] for part in kept},
            "birth_date": iso_date(patient["birth_date"]),
        },
    }


def _other_study(other: RelatedStudy) -> dict[str, Any]:
    return {**_in_short(other.summary), "relation": other.relation}


def _in_short(study: StudySummary) -> dict[str, Any]:
    return {
        "study_instance_uid": study.study_instance_uid,
        "study_date": iso_date(study.study_date),
        "study_time": iso_time(study.study_time),
        "description": study.description,
        "modalities": list(study.modalities),
        "series_count": study.series_count,
        "slice_count": study.slice_count,
        "series_instance_uid": study.series_instance_uid,
        "thumbnail": thumbnail_address(study.thumbnail),
    }


def _series(series: SeriesSummary) -> dict[str, Any]:
    return {
        "series_instance_uid": series.series_instance_uid,
        "series_number": series.series_number,
        "series_date": iso_date(series.series_date),
        "modality": series.modality,
        "description": series.description,
        "slice_count": series.slice_count,
        "verdict": series.verdict,
        "has_pictures": series.has_pictures,
        "thumbnail": thumbnail_address(series.thumbnail),
    }


def iso_time(value: str | None) -> str | None:
    """Write a DICOM time (PS3.5 6.2, TM) as HH:MM or HH:MM:SS; None where it is none."""
    digits = (value or "").replace(":", "")[:6]
    if len(digits) < 4 or not (digits.isascii() and digits.isdigit()):
        return None
    parts = [digits[at : at + 2] for at in range(0, len(digits) - 1, 2)]
    is_time = all(int(part) < limit for part, limit in zip(parts, (24, 60, 61), strict=False))
    return ":".join(parts) if is_time else None
