"""``GET /dicomweb/studies/…``: whole instances as files (PS3.18 10.4.1.1.1)."""

from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import Response

from imageserver.api.auditing import AccessAudit, AccessAuditDep
from imageserver.api.conditions import REVALIDATED, matches_etag, not_modified
from imageserver.api.costly_requests import COSTLY
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.dicomweb.accept import ACCEPT_QUERY, DICOM
from imageserver.api.dicomweb.bulk_data_sets import answer_values
from imageserver.api.dicomweb.dicom_answers import dicom_answers, wants_bulk_data
from imageserver.api.dicomweb.instance_parts import instance_parts, measure
from imageserver.api.multipart import closing, content_type, media_type, new_boundary
from imageserver.api.one_thread import OneThread
from imageserver.api.parameters import InstancePath, SeriesPath, StudyPath
from imageserver.api.problems import problem_responses
from imageserver.api.streaming import stream
from imageserver.archive.archive import Archive
from imageserver.archive.retrieve import Retrieval, StoredInstance, etag_of, plan
from imageserver.audit.models import Kind, Outcome
from imageserver.errors import AppError, Gone, NotAcceptable

router = APIRouter(tags=["dicomweb"], dependencies=[*COSTLY, *ACCEPT_QUERY], route_class=OneThread)

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The instances, a part for each; one instance alone where that is asked for. Of parts of type "
        "`application/octet-stream`: their bulk data.",
        "content": {"multipart/related": _BINARY, DICOM: _BINARY},
    },
    206: {
        "description": "Some instances cannot be given in a form that is accepted; `Warning` counts them.",
        "content": {"multipart/related": _BINARY},
    },
    304: {"description": "The client's copy is good."},
    **problem_responses(400, 401, 404, 406, 410, 429, 503, 507),
}


class _Chosen(NamedTuple):
    """What is sent, and what cannot be."""

    is_single_part: bool
    retrievals: list[Retrieval]
    errors: list[AppError]


@router.get("/dicomweb/studies/{study_instance_uid}", response_class=Response, responses=_ANSWERS)
def get_study_instances(
    request: Request, archive: ArchiveDep, audit: AccessAuditDep, study_instance_uid: StudyPath
) -> Response:
    """Give all instances of a study."""
    return _answer(request, archive, audit, study_instance_uid)


@router.get(
    "/dicomweb/studies/{study_instance_uid}/series/{series_instance_uid}",
    response_class=Response,
    responses=_ANSWERS,
)
def get_series_instances(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
) -> Response:
    """Give all instances of a series."""
    return _answer(request, archive, audit, study_instance_uid, series_instance_uid)


@router.get(
    "/dicomweb/studies/{study_instance_uid}/series/{series_instance_uid}/instances/{sop_instance_uid}",
    response_class=Response,
    responses=_ANSWERS,
)
def get_instance(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
    sop_instance_uid: InstancePath,
) -> Response:
    """Give one instance."""
    return _answer(request, archive, audit, study_instance_uid, series_instance_uid, sop_instance_uid)


def _answer(request: Request, archive: Archive, audit: AccessAudit, *uids: str) -> Response:
    if wants_bulk_data(request):
        return answer_values(request, archive, audit, archive.rendered.targets(*uids), only_pixels=False)
    found = archive.stored_instances(*uids)
    try:
        chosen = _choose(request, found)
        tag = etag_of(chosen.retrievals, chosen.is_single_part, len(found))
        headers = {"ETag": f"W/{tag}", **REVALIDATED, "Vary": "Authorization, Accept"}
        if matches_etag(request, tag):
            return not_modified(f"W/{tag}", headers)
        send = send_alone if chosen.is_single_part else _send_parts
        response = send(request, archive, chosen.retrievals, chosen.errors, headers)
    except AppError:
        record(audit, found, Outcome.FAILURE)
        raise
    record(audit, found, Outcome.SUCCESS)
    return response


def _choose(request: Request, found: list[StoredInstance]) -> _Chosen:
    """Take the first way of sending that the client accepts and something can be sent in."""
    failure: AppError | None = None
    for answer in dicom_answers(request, len(found)):
        retrievals: list[Retrieval] = []
        errors: list[AppError] = []
        for one in found:
            try:
                retrievals.append(plan(one, answer.wanted))
            except (NotAcceptable, Gone) as error:
                errors.append(error)
        if retrievals:
            return _Chosen(answer.is_single_part, retrievals, errors)
        failure = failure or errors[0]
    assert failure is not None
    raise failure


def send_alone(
    request: Request,
    archive: Archive,
    retrievals: list[Retrieval],
    _errors: list[AppError],
    headers: dict[str, str],
) -> Response:
    """Answer with one instance that is no part of anything."""
    [one] = retrievals
    kind = content_type(DICOM, {"transfer-syntax": one.transfer_syntax_uid})
    [length] = archive.retrieved_lengths([one])
    if isinstance(length, Gone):
        raise length
    return stream(request, archive.retrieve(one), kind, headers, length)


def _send_parts(
    request: Request,
    archive: Archive,
    retrievals: list[Retrieval],
    errors: list[AppError],
    headers: dict[str, str],
) -> Response:
    boundary = new_boundary()
    measured = measure(archive, retrievals, boundary)
    missing = [*errors, *measured.errors]
    if not measured.parts:
        raise missing[0]
    parts = instance_parts(archive, measured, boundary, is_only=len(retrievals) + len(errors) == 1)
    length = None if measured.length is None else measured.length + len(closing(boundary))
    if not missing:
        return stream(request, parts, media_type(boundary, DICOM), headers, length)
    count = len(retrievals) + len(errors)
    text = f"{len(missing)} of {count} instances are not in this answer: {missing[0].title}"
    told = {**headers, "Warning": f'299 - "{text}"'}
    return stream(request, parts, media_type(boundary, DICOM), told, length, status=206)


def record(audit: AccessAudit, found: list[StoredInstance], outcome: Outcome) -> None:
    """Make the access durable, for each series."""
    for study, series in dict.fromkeys(one.address[:2] for one in found):
        audit.record(Kind.RETRIEVED, study_instance_uid=study, series_instance_uid=series, outcome=outcome)
