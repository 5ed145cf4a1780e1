"""``POST /dicomweb/studies``: storing instances (STOW-RS, PS3.18 10.5).

Who asks is known before a byte of the body is read, and the body goes to the disk as it comes.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session
from starlette.requests import ClientDisconnect

from imageserver.accounts.callers import Caller
from imageserver.api.auditing import actor_of
from imageserver.api.authentication import CurrentUser
from imageserver.api.dependencies import ArchiveDep, Now
from imageserver.api.dicomweb.accept import DICOM_JSON, accepted
from imageserver.api.dicomweb.related_parts import Part, check_boundary, read_content_type, read_parts
from imageserver.api.dicomweb.service_address import service_address
from imageserver.api.dicomweb.store_answer import RETRIEVE_URL, response_dataset, status_of
from imageserver.api.dicomweb.store_metadata import DICOM_XML, receive_metadata
from imageserver.api.parameters import StudyPath
from imageserver.api.problems import problem_responses
from imageserver.api.request_body import RequestBody
from imageserver.api.store_turns import StoreTurns
from imageserver.archive.archive import Archive
from imageserver.archive.store import StoreRun
from imageserver.archive.store_outcomes import FailureReason, StoreOutcome, StoreState
from imageserver.audit.models import Kind, Outcome
from imageserver.audit.record import InstanceRecord, record_instances
from imageserver.dicom.dicom_xml import write_dicom_xml
from imageserver.errors import (
    MalformedBody,
    NotAcceptable,
    NotOffered,
    StoreUnavailable,
    UnsupportedMediaType,
)

router = APIRouter(tags=["dicomweb"])

DICOM = "application/dicom"
_RELATED = "multipart/related"

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_DATASET = {"schema": {"type": "object"}}
_ROUTE: dict[str, Any] = {
    "response_class": Response,
    "openapi_extra": {
        "requestBody": {"required": True, "content": {_RELATED: _BINARY, DICOM: _BINARY}},
    },
    "responses": {
        status: {"description": text, "content": {DICOM_JSON: _DATASET, DICOM_XML: _DATASET}}
        for status, text in (
            (200, "All instances are stored."),
            (202, "Some are stored; the answer says which, and why others are not."),
            (409, "None is stored; the answer says why."),
            (507, "There is no room."),
        )
    }
    | problem_responses(400, 401, 403, 405, 406, 408, 413, 415, 503),
}


@router.post("/dicomweb/studies", **_ROUTE)
async def store_instances(request: Request, archive: ArchiveDep, user: CurrentUser, now: Now) -> Response:
    """Store instances of any study."""
    return await _store(request, archive, user, now, None)


@router.post("/dicomweb/studies/{study_instance_uid}", **_ROUTE)
async def store_instances_of_study(
    request: Request, archive: ArchiveDep, user: CurrentUser, now: Now, study_instance_uid: StudyPath
) -> Response:
    """Store instances of one study; those of others are refused."""
    return await _store(request, archive, user, now, study_instance_uid)


async def _store(request: Request, archive: Archive, user: Caller, now: Any, study: str | None) -> Response:
    if not archive.store.is_offered:
        raise NotOffered(
            "This server stores nothing: IMAGESERVER_STORE_DIR is not set. Its data directory is only read."
        )
    media_type = _answer_type(request)
    kind, boundary = _content_type(request)
    actor = actor_of(request, user)
    body = RequestBody(request)

    def record(session: Session, outcomes: Sequence[StoreOutcome]) -> None:
        record_instances(session, actor, Kind.STORED, now, map(_record, outcomes))

    def work() -> list[StoreOutcome]:
        archive.catalogue.require_directory()
        parts = _parts(body, kind, boundary)
        with archive.store.run() as run:
            if kind == DICOM:
                _receive(run, parts, study)
            else:
                receive_metadata(run, parts, kind, study)
            outcomes = run.commit(record)
        if not outcomes:
            raise MalformedBody("The body has no instance.")
        if all(outcome.code == StoreUnavailable.code for outcome in outcomes):
            raise StoreUnavailable("The store cannot be written just now.")
        return outcomes

    turns: StoreTurns = request.app.state.store_turns
    try:
        async with turns.turn(user.user_id):
            outcomes = await to_thread.run_sync(work, limiter=turns.threads)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it, or BodyLimit answers instead
    finally:
        await body.close()
    return _answer(outcomes, service_address(request), media_type)


def _receive(run: StoreRun, parts: Iterator[Part], study: str | None) -> None:
    """Let the run receive parts that are files."""
    for part in parts:
        declared = _media_type(part.headers.get("content-type", DICOM))
        if declared == DICOM:
            run.receive(part.content, study)
        else:
            run.refuse(
                FailureReason.CANNOT_UNDERSTAND, "unsupported_media_type", f"A part is not of type {DICOM}."
            )


def _parts(body: RequestBody, kind: str, boundary: bytes | None) -> Iterator[Part]:
    if boundary is None:
        return iter([Part({"content-type": kind}, body)])
    return read_parts(body, boundary)


def _content_type(request: Request) -> tuple[str, bytes | None]:
    """Return of which type the instances are, and the boundary between them, if there is any.

    Raises
    ------
    UnsupportedMediaType, MalformedBody
    """
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType("The body must come without Content-Encoding.")
    values = request.headers.getlist("content-type")
    if len(values) != 1:
        raise UnsupportedMediaType(f'The body must be of type {_RELATED}; type="{DICOM}".')
    declared, parameters = read_content_type(values[0])
    if declared == DICOM:
        return DICOM, None
    kind = _media_type(parameters.get("type", DICOM))
    if declared != _RELATED or kind not in (DICOM, DICOM_JSON, DICOM_XML):
        raise UnsupportedMediaType(f'The body must be of type {_RELATED}; type="{DICOM}".')
    return kind, check_boundary(parameters.get("boundary", ""))


def _media_type(value: str) -> str:
    return value.partition(";")[0].strip().strip('"').lower()


def _answer_type(request: Request) -> str:
    """Choose how the answer is written.

    Raises
    ------
    NotAcceptable
    """
    for wanted in accepted(request):
        if wanted.media_type in ("*/*", "application/*", DICOM_JSON):
            return DICOM_JSON
        if wanted.media_type in (DICOM_XML, "application/json"):
            return wanted.media_type
    raise NotAcceptable(f"There is {DICOM_JSON} and {DICOM_XML}.")


def _record(outcome: StoreOutcome) -> InstanceRecord:
    """Describe an outcome for the audit: what is new by its series, everything else by its instance."""
    uids = (outcome.study_instance_uid, outcome.series_instance_uid)
    if outcome.state is StoreState.REFUSED:
        return InstanceRecord(Outcome.FAILURE, outcome.code, *uids, outcome.sop_instance_uid)
    is_new = outcome.state is StoreState.STORED
    return InstanceRecord(
        Outcome.SUCCESS, outcome.state.value, *uids, None if is_new else outcome.sop_instance_uid
    )


def _answer(outcomes: Sequence[StoreOutcome], root: str, media_type: str) -> Response:
    dataset = response_dataset(outcomes, root)
    content = write_dicom_xml(dataset) if media_type == DICOM_XML else json.dumps(dataset).encode()
    headers = {"Cache-Control": "no-store"}
    addresses = dataset[RETRIEVE_URL].get("Value", [])
    if addresses and any(one.state is StoreState.STORED for one in outcomes):  # table 10.5.3-2
        headers["Location"] = addresses[0]
    return Response(content, status_of(outcomes), headers, media_type)
