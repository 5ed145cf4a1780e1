"""``GET /dicomweb/…/metadata``: attributes as JSON or XML (PS3.18 10.4.1.1.2, F; PS3.19 A.1)."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import NO_STORE, matches_etag, not_modified
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.dicomweb.accept import ACCEPT_QUERY, DICOM_XML, choose_text_answer
from imageserver.api.dicomweb.service_address import service_address
from imageserver.api.frame_parts import ROOT
from imageserver.api.multipart import PART_END, closing, media_type, new_boundary, part_head
from imageserver.api.one_thread import OneThread
from imageserver.api.parameters import InstancePath, SeriesPath, StudyPath
from imageserver.api.problems import problem_responses
from imageserver.api.streaming import gzipped, stream
from imageserver.archive.archive import Archive
from imageserver.archive.series_metadata import MetadataList, read_documents
from imageserver.audit.models import Kind, Outcome
from imageserver.dicom.dicom_xml import write_dicom_xml
from imageserver.errors import NotAcceptable

router = APIRouter(tags=["dicomweb"], dependencies=ACCEPT_QUERY, route_class=OneThread)

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "An array with an object for each instance; in XML a part for each.",
        "content": {
            "application/dicom+json": {"schema": {"type": "array", "items": {"type": "object"}}},
            "multipart/related": {"schema": {"type": "string", "format": "binary"}},
        },
    },
    304: {"description": "The client's copy is good."},
    **problem_responses(400, 401, 404, 406, 410, 503, 507),
}


@router.get("/dicomweb/studies/{study_instance_uid}/metadata", response_class=Response, responses=_ANSWERS)
def get_study_metadata(
    request: Request, archive: ArchiveDep, audit: AccessAuditDep, study_instance_uid: StudyPath
) -> Response:
    """Give the attributes of all instances of a study; `BulkDataURI` stands for long values."""
    wanted = archive.study_metadata_lists(study_instance_uid)
    return _answer(request, archive, audit, wanted)


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
    return _answer(request, archive, audit, [wanted])


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
    return _answer(request, archive, audit, [wanted])


def _answer(
    request: Request, archive: Archive, audit: AccessAuditDep, wanted: list[MetadataList]
) -> Response:
    try:
        answer = choose_text_answer(request)
    except NotAcceptable:
        _record(audit, wanted, Outcome.FAILURE)
        raise
    _record(audit, wanted, Outcome.SUCCESS)
    tag = _tag(wanted, answer.media_type)
    headers = {"ETag": f"W/{tag}", **NO_STORE, "Vary": "Authorization, Accept"}
    if matches_etag(request, tag):
        return not_modified(f"W/{tag}", headers)
    # Whole addresses: clients ask for what stands here, and do not look where they had it from.
    root = f"{service_address(request)}/"
    if answer.is_multipart:
        boundary = new_boundary()
        parts, told = gzipped(request, _xml_parts(archive, wanted, root, boundary), headers)
        return stream(request, parts, media_type(boundary, DICOM_XML), told)
    return stream(request, archive.metadata_answers.pieces(wanted, root), answer.media_type, headers)


def _tag(wanted: list[MetadataList], kind: str) -> str:
    if len(wanted) == 1 and kind != DICOM_XML:
        return wanted[0].tag
    digest = hashlib.sha256(repr((kind, [one.tag for one in wanted])).encode())
    return f'"{digest.hexdigest()[:32]}"'


def _xml_parts(archive: Archive, wanted: list[MetadataList], root: str, boundary: str) -> Iterator[bytes]:
    for one in wanted:
        for documents in read_documents(archive.database, archive.directory, one, root):
            for address, content in documents:
                document = write_dicom_xml(json.loads(content))
                location = f"{ROOT}{address.path}/metadata"
                yield part_head(boundary, DICOM_XML, location, len(document)) + document + PART_END
    yield closing(boundary)


def _record(audit: AccessAuditDep, wanted: list[MetadataList], outcome: Outcome) -> None:
    for one in wanted:
        audit.record(
            Kind.METADATA,
            study_instance_uid=one.study_instance_uid,
            series_instance_uid=one.series_instance_uid,
            outcome=outcome,
        )
