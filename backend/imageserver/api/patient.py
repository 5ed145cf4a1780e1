"""``GET /patient``: the name that stands in the DICOM files."""

import json
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import NO_STORE
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.parameters import SeriesQuery
from imageserver.api.problems import problem_responses
from imageserver.api.volumes import Finding, iso_date
from imageserver.archive.volumes import Volume
from imageserver.audit.models import Kind

router = APIRouter(tags=["patient"])

WITHOUT_PICTURES = {
    "code": "no_pixels",
    "message": "No series in the data directory has pictures; the newest DICOM series is used.",
    "sop_instance_uids": [],
}


class NameComponents(BaseModel):
    """The five components of one group of a person name (PS3.5 6.2.1.1)."""

    family: str
    given: str
    middle: str
    prefix: str
    suffix: str


class NameGroups(BaseModel):
    """The three groups of a person name; null where a group is empty."""

    alphabetic: NameComponents | None
    ideographic: NameComponents | None
    phonetic: NameComponents | None


class OtherName(BaseModel):
    """A name in other files of the same series."""

    name: str | None
    count: int = Field(description="Files that give this name.")


class Patient(BaseModel):
    """Whose series it is."""

    name: str | None = Field(description="As people read it: Family, Prefix Given Middle, Suffix.")
    reason: Literal["absent", "empty", "anonymous"] | None = Field(description="Why there is no name.")
    raw: str | None = Field(description="Patient's Name (0010,0010), decoded, with its delimiters.")
    name_components: NameGroups
    other_names: list[OtherName] = Field(
        description="Names of other files of the series, where they disagree."
    )
    patient_id: str | None
    birth_date: str | None = Field(description="ISO 8601; null where the files have no valid date.")
    sex: str | None
    series_instance_uid: str
    warnings: list[Finding]


@router.get("/patient", response_model=Patient, responses=problem_responses(401, 404, 422, 503, 507))
def get_patient(archive: ArchiveDep, audit: AccessAuditDep, series: SeriesQuery = None) -> Response:
    """Tell whose the series is, by all of its files; no pixel data is read."""
    volume, stands_in = archive.catalogue.patient_series(series)
    summary = volume.summary
    audit.record(
        Kind.PATIENT,
        study_instance_uid=summary.study_instance_uid,
        series_instance_uid=summary.series_instance_uid,
    )
    key = ("patient", summary.series_instance_uid, stands_in)
    body = archive.catalogue.remember(key, lambda: _serialise(volume, stands_in), of=volume)
    return Response(body, media_type="application/json", headers=NO_STORE)


def _serialise(volume: Volume, stands_in: bool) -> bytes:
    return json.dumps(_patient(volume, stands_in), ensure_ascii=False).encode()


def _patient(volume: Volume, stands_in: bool) -> dict[str, Any]:
    patient = volume.patient
    kept = ("name", "reason", "raw", "name_components", "other_names", "patient_id", "sex")
    return {
        **{name: patient[name] for name in kept},
        "birth_date": iso_date(patient["birth_date"]),
        "series_instance_uid": volume.summary.series_instance_uid,
        "warnings": [*patient["warnings"], *([WITHOUT_PICTURES] if stands_in else [])],
    }
