"""``/measurements``: what the user who asks has measured on images."""

import hashlib
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.orm import Session

from imageserver.api.auditing import AccessAudit, AccessAuditDep, actor_of
from imageserver.api.authentication import AuthenticatedFirst, CurrentUser
from imageserver.api.conditions import NO_STORE, NOT_MODIFIED, matches_etag, not_modified, read_version
from imageserver.api.dependencies import DatabaseDep, Now
from imageserver.api.measurement_models import Measurement, MeasurementContent, MeasurementList
from imageserver.api.parameters import Absent, SeriesUid, StudyUid
from imageserver.api.problems import problem_responses
from imageserver.archive.image_places import require_frame
from imageserver.audit.models import Kind, Outcome
from imageserver.audit.record import Actor, Subject, record_event
from imageserver.database import Database
from imageserver.errors import InvalidParameter, PreconditionRequired
from imageserver.measurements import measurements
from imageserver.measurements.content import ImagePlace
from imageserver.measurements.csv_table import write_table
from imageserver.measurements.measurements import describe, find_measurements
from imageserver.measurements.models import Measurement as Row

router = APIRouter(tags=["measurements"], route_class=AuthenticatedFirst)

UUID_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
MeasurementId = Annotated[
    str, Path(pattern=UUID_PATTERN, description="A UUID that the client made, in lower case.")
]
OfStudy = Annotated[
    StudyUid | Absent, Query(alias="study", description="Study Instance UID; this or `series`.")
]
OfSeries = Annotated[
    SeriesUid | Absent, Query(alias="series", description="Series Instance UID; this or `study`.")
]
IfMatch = Annotated[
    str | Absent, Header(description="The `ETag` of the version that is changed or deleted, or `*`.")
]
IfNoneMatch = Annotated[Literal["*"] | Absent, Header(description="`*` for a measurement that is new.")]
CSV_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The table, as UTF-8 with byte order mark.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}


@router.get(
    "/measurements",
    response_model=MeasurementList,
    responses={**NOT_MODIFIED, **problem_responses(401, 422, 503, 507)},
)
def list_measurements(
    request: Request,
    database: DatabaseDep,
    user: CurrentUser,
    audit: AccessAuditDep,
    study: OfStudy = None,
    series: OfSeries = None,
) -> Response:
    """List what the user measured in a study or a series; also where its files are not there just now."""
    found = _find(database, audit, user.user_id, study, series, Kind.MEASUREMENTS)
    digest = hashlib.sha256("".join(f"{one.id}{one.version}" for one in found).encode())
    etag = f'"{digest.hexdigest()[:32]}"'
    if matches_etag(request, etag):
        return not_modified(etag, NO_STORE)
    body = {"measurements": [describe(one) for one in found]}
    return JSONResponse(body, headers={**NO_STORE, "ETag": etag})


@router.get(
    "/measurements.csv",
    response_class=Response,
    responses={**CSV_CONTENT, **problem_responses(401, 422, 503, 507)},
)
def export_measurements(
    database: DatabaseDep,
    user: CurrentUser,
    audit: AccessAuditDep,
    study: OfStudy = None,
    series: OfSeries = None,
) -> Response:
    """Give the same as a table for spreadsheets; units stand in the heads of its columns."""
    found = _find(database, audit, user.user_id, study, series, Kind.MEASUREMENTS_EXPORTED)
    headers = {**NO_STORE, "Content-Disposition": 'attachment; filename="measurements.csv"'}
    return Response(write_table(found), media_type="text/csv; charset=utf-8; header=present", headers=headers)


@router.get(
    "/measurements/{measurement_id}",
    response_model=Measurement,
    responses=problem_responses(401, 404, 422, 503, 507),
)
def get_measurement(
    database: DatabaseDep, user: CurrentUser, audit: AccessAuditDep, measurement_id: MeasurementId
) -> Response:
    """Give one measurement of the user."""
    with database.reading() as session:
        found = measurements.get_measurement(session, user.user_id, measurement_id)
    study, series = found.study_instance_uid, found.series_instance_uid
    audit.record(Kind.MEASUREMENTS, study_instance_uid=study, series_instance_uid=series)
    return _answer(found, 200)


@router.put(
    "/measurements/{measurement_id}",
    response_model=Measurement,
    responses={
        201: {"model": Measurement, "description": "It is new."},
        **problem_responses(401, 403, 404, 409, 412, 413, 422, 428, 503, 507),
    },
)
def put_measurement(
    request: Request,
    database: DatabaseDep,
    user: CurrentUser,
    now: Now,
    measurement_id: MeasurementId,
    sent: MeasurementContent,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Save a measurement under an identifier that the client made; the same request may come twice.

    A new one needs `If-None-Match: *`, a change `If-Match` with the version that it changes. Who knows an older version
    gets 412 with the present one.
    """
    content = sent.to_content()
    if (if_match is None) == (if_none_match is None):
        raise PreconditionRequired(
            "Send either If-None-Match: * for a new measurement, or If-Match with its version."
        )
    with database.writing() as session:

        def require_place(place: ImagePlace) -> None:
            require_frame(
                session,
                place.study_instance_uid,
                place.series_instance_uid,
                place.sop_instance_uid,
                place.frame_number,
            )

        if if_match is None:
            saved = measurements.create_measurement(
                session, user.user_id, measurement_id, content, now, require_place
            )
        else:
            saved = measurements.change_measurement(
                session, user.user_id, measurement_id, content, read_version(if_match), now
            )
        if saved.is_changed:
            _record_change(session, actor_of(request, user), Kind.MEASUREMENT_SAVED, now, saved.measurement)
    return _answer(saved.measurement, 201 if saved.is_new else 200)


@router.delete(
    "/measurements/{measurement_id}",
    status_code=204,
    responses=problem_responses(401, 403, 412, 422, 428, 503, 507),
)
def delete_measurement(
    request: Request,
    database: DatabaseDep,
    user: CurrentUser,
    now: Now,
    measurement_id: MeasurementId,
    if_match: IfMatch = None,
) -> Response:
    """Delete a measurement of the user; one that is not there is a success."""
    if if_match is None:
        raise PreconditionRequired("Send If-Match with the version that is to be deleted.")
    with database.writing() as session:
        deleted = measurements.delete_measurement(
            session, user.user_id, measurement_id, read_version(if_match)
        )
        if deleted is not None:
            _record_change(session, actor_of(request, user), Kind.MEASUREMENT_DELETED, now, deleted)
    return Response(status_code=204, headers=NO_STORE)


def _find(
    database: Database, audit: AccessAudit, user_id: str, study: str | None, series: str | None, kind: Kind
) -> list[Row]:
    if (study is None) == (series is None):
        raise InvalidParameter("Name either `study` or `series`.")
    with database.reading() as session:
        found = find_measurements(session, user_id, study_instance_uid=study, series_instance_uid=series)
    if found:  # an empty list tells nothing of a patient
        audit.record(kind, study_instance_uid=study, series_instance_uid=series)
    return found


def _record_change(session: Session, actor: Actor, kind: Kind, now: datetime, row: Row) -> None:
    # Each time, and in the transaction of the change: both stand or fall together.
    subject = Subject(row.study_instance_uid, row.series_instance_uid)
    record_event(session, actor, kind, Outcome.SUCCESS, now, subject=subject)


def _answer(row: Row, status: int) -> Response:
    return JSONResponse(describe(row), status, {**NO_STORE, "ETag": f'"{row.version}"'})
