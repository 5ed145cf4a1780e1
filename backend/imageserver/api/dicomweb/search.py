"""``GET /dicomweb/studies``, ``/series``, ``/instances`` and those within others: search (PS3.18 10.6)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from imageserver.accounts.callers import Caller
from imageserver.api.auditing import AccessAuditDep
from imageserver.api.authentication import CurrentUser
from imageserver.api.conditions import NO_STORE
from imageserver.api.costly_requests import CostlyRequests
from imageserver.api.dependencies import DatabaseDep
from imageserver.api.dicomweb.accept import ACCEPT_QUERY, DICOM_JSON, DICOM_XML, choose_text_answer
from imageserver.api.dicomweb.search_query import MOST_RESULTS, SearchQuery, read_search_query, told_name
from imageserver.api.dicomweb.search_results import Answers, retrieve_url
from imageserver.api.dicomweb.service_address import service_address
from imageserver.api.multipart import PART_END, closing, media_type, new_boundary, part_head
from imageserver.api.one_thread import OneThread
from imageserver.api.parameters import SeriesPath, StudyPath
from imageserver.api.problems import problem_responses
from imageserver.archive.instance_search import FoundPage, looks_into_headers, search
from imageserver.audit.models import Kind
from imageserver.audit.record import Subject
from imageserver.database import Database
from imageserver.dicom.attributes import Level
from imageserver.dicom.dicom_xml import write_dicom_xml

router = APIRouter(tags=["dicomweb"], route_class=OneThread)

_JSON = "application/json"
_MOST_NAMED = 10  # of the parameters that were ignored


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


_BOOLEAN = {"type": "boolean", "default": False}
_OPTIONS: dict[str, Any] = {
    "responses": {
        200: {
            "description": "What was found: an array of objects, or a part for each.",
            "headers": {
                "Warning": {
                    "schema": {"type": "string"},
                    "description": "299, where there is more than is answered, or a parameter was ignored.",
                }
            },
            "content": {
                DICOM_JSON: {"schema": {"type": "array", "items": {"type": "object"}}},
                _JSON: {"schema": {"type": "array", "items": {"type": "object"}}},
                "multipart/related": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        204: {"description": "Nothing was found, and XML has no form for that."},
        **problem_responses(400, 401, 406, 413, 429, 503, 507),
    },
    "response_class": Response,
    "dependencies": ACCEPT_QUERY,
    "openapi_extra": {
        "parameters": [
            _parameter(
                "limit",
                {"type": "integer", "minimum": 0, "maximum": 2**31},
                f"Most results to answer; never more than {MOST_RESULTS}.",
            ),
            _parameter(
                "offset",
                {"type": "integer", "minimum": 0, "maximum": 2**31},
                "Results to leave out in front.",
            ),
            _parameter(
                "includefield",
                {"type": "string"},
                "Attributes to answer beyond the usual ones, or `all`; with commas, or repeated.",
            ),
            _parameter(
                "fuzzymatching", _BOOLEAN, "Person names by the beginnings of their words, in any order."
            ),
            _parameter("emptyvaluematching", _BOOLEAN, 'The value `""` asks for attributes without a value.'),
            _parameter("multiplevaluematching", _BOOLEAN, "Values with backslashes between: any of them."),
        ]
    },
}


@router.get("/dicomweb/studies", **_OPTIONS)
def search_for_studies(
    request: Request, database: DatabaseDep, audit: AccessAuditDep, user: CurrentUser
) -> Response:
    """Search for studies. Further parameters are attributes and what they have to match."""
    return _answer(request, database, audit, user, Level.STUDY)


@router.get("/dicomweb/series", **_OPTIONS)
def search_for_series(
    request: Request, database: DatabaseDep, audit: AccessAuditDep, user: CurrentUser
) -> Response:
    """Search for series of all studies."""
    return _answer(request, database, audit, user, Level.SERIES)


@router.get("/dicomweb/instances", **_OPTIONS)
def search_for_instances(
    request: Request, database: DatabaseDep, audit: AccessAuditDep, user: CurrentUser
) -> Response:
    """Search for instances of all studies."""
    return _answer(request, database, audit, user, Level.INSTANCE)


@router.get("/dicomweb/studies/{study_instance_uid}/series", **_OPTIONS)
def search_for_series_of_a_study(
    request: Request,
    database: DatabaseDep,
    audit: AccessAuditDep,
    user: CurrentUser,
    study_instance_uid: StudyPath,
) -> Response:
    """Search for series of one study."""
    return _answer(request, database, audit, user, Level.SERIES, study_instance_uid)


@router.get("/dicomweb/studies/{study_instance_uid}/instances", **_OPTIONS)
def search_for_instances_of_a_study(
    request: Request,
    database: DatabaseDep,
    audit: AccessAuditDep,
    user: CurrentUser,
    study_instance_uid: StudyPath,
) -> Response:
    """Search for instances of one study."""
    return _answer(request, database, audit, user, Level.INSTANCE, study_instance_uid)


@router.get("/dicomweb/studies/{study_instance_uid}/series/{series_instance_uid}/instances", **_OPTIONS)
def search_for_instances_of_a_series(
    request: Request,
    database: DatabaseDep,
    audit: AccessAuditDep,
    user: CurrentUser,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
) -> Response:
    """Search for instances of one series."""
    return _answer(request, database, audit, user, Level.INSTANCE, study_instance_uid, series_instance_uid)


def _answer(
    request: Request,
    database: Database,
    audit: AccessAuditDep,
    user: Caller,
    level: Level,
    study_instance_uid: str | None = None,
    series_instance_uid: str | None = None,
) -> Response:
    form = choose_text_answer(request)
    query = read_search_query(request, level, study_instance_uid, series_instance_uid)
    with _place(request, user, query), database.asking() as connection:
        page = search(connection, query.search)
    uids = dict.fromkeys(one.uids[:2] for one in page.found)
    audit.record_list(Kind.SEARCH, (Subject(own[0], own[1] if len(own) > 1 else None) for own in uids))
    base = service_address(request)
    headers = {**NO_STORE, "Vary": "Authorization, Accept"}
    if warnings := list(_warnings(page, query)):
        headers["Warning"] = ", ".join(f"299 {base}: {text}" for text in warnings)
    answers = Answers(query, base)
    if not form.is_multipart:
        content = ",".join(map(answers.text_of, page.found))
        return Response(f"[{content}]".encode(), media_type=form.media_type, headers=headers)
    if not page.found:
        return Response(status_code=204, headers=headers)
    boundary = new_boundary()
    body = b"".join(_parts(page, answers, base, boundary))
    return Response(body, media_type=media_type(boundary, DICOM_XML), headers=headers)


@contextmanager
def _place(request: Request, user: Caller, query: SearchQuery) -> Iterator[None]:
    """Hold a place while headers are looked into; what the index answers needs none."""
    if not looks_into_headers(query.search.keys):
        yield
        return
    places: CostlyRequests = request.app.state.costly_requests
    places.enter(user.user_id)
    try:
        yield
    finally:
        places.leave(user.user_id)


def _warnings(page: FoundPage, query: SearchQuery) -> Iterator[str]:
    """Yield what the client is told beside its results (PS3.18 8.3, 8.3.4.4.1)."""
    if page.has_more:
        count = f"{page.remaining} " if page.remaining else ""
        yield f"There are {count}additional results that can be requested"
    if query.ignored:
        names = " ".join(dict.fromkeys(map(_quotable, query.ignored[:_MOST_NAMED])))
        yield f"These query parameters are not supported and were ignored: {names}"


def _quotable(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "?", told_name(name)) or "?"


def _parts(page: FoundPage, answers: Answers, base: str, boundary: str) -> Iterator[bytes]:
    for one in page.found:
        content = write_dicom_xml(answers.dataset_of(one))
        yield part_head(boundary, DICOM_XML, retrieve_url(base, one.uids), len(content)) + content + PART_END
    yield closing(boundary)
