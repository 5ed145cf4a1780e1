"""``GET /dicomweb/…/metadata``: the attributes of a series or an instance as DICOM JSON (PS3.18 10.4.1.1.2, F)."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import NO_STORE, matches_etag, not_modified
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.dicomweb.accept import choose_text_answer
from imageserver.api.parameters import InstancePath, SeriesPath, StudyPath
from imageserver.api.problems import problem_responses
from imageserver.api.streaming import stream
from imageserver.archive.series_metadata import MetadataList, write_metadata
from imageserver.audit.models import Kind

router = APIRouter(tags=["dicomweb"])

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "An array with an object for each instance.",
        "content": {"application/dicom+json": {"schema": {"type": "array", "items": {"type": "object"}}}},
    },
    304: {"description": "The client's copy is good."},
    **problem_responses(400, 401, 404, 406, 422, 503, 507),
}


@router.get(
    "/dicomweb/studies/{study_instance_uid}/series/{series_instance_uid}/metadata",
    response_class=Response,
    responses=_ANSWERS,
)
def get_series_metadata(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
) -> Response:
    """Give the attributes of all instances of a series; `BulkDataURI` stands for long values."""
    wanted = archive.metadata_list(study_instance_uid, series_instance_uid)
    return _answer(request, archive, audit, wanted, "instances/{sop}/")


@router.get(
    "/dicomweb/studies/{study_instance_uid}/series/{series_instance_uid}/instances/{sop_instance_uid}/metadata",
    response_class=Response,
    responses=_ANSWERS,
)
def get_instance_metadata(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
    sop_instance_uid: InstancePath,
) -> Response:
    """Give the attributes of one instance; `BulkDataURI` stands for long values."""
    wanted = archive.metadata_list(study_instance_uid, series_instance_uid, sop_instance_uid)
    return _answer(request, archive, audit, wanted, "")


def _answer(
    request: Request, archive: ArchiveDep, audit: AccessAuditDep, wanted: MetadataList, prefix: str
) -> Response:
    media_type = choose_text_answer(request).media_type
    audit.record(
        Kind.METADATA,
        study_instance_uid=wanted.study_instance_uid,
        series_instance_uid=wanted.series_instance_uid,
    )
    headers = {"ETag": f"W/{wanted.tag}", **NO_STORE, "Vary": "Authorization, Accept"}
    if matches_etag(request, wanted.tag):
        return not_modified(f"W/{wanted.tag}", headers)
    return stream(
        request, write_metadata(archive.database, archive.directory, wanted, prefix), media_type, headers
    )
