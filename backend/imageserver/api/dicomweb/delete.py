"""``DELETE /dicomweb/studies/…``: deleting a study, series or instance. Only administrators may."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from imageserver.accounts.callers import Caller
from imageserver.accounts.models import Role
from imageserver.api.auditing import actor_of, record_of_deleted
from imageserver.api.authentication import CurrentUser
from imageserver.api.dependencies import ArchiveDep, Now
from imageserver.api.parameters import InstancePath, SeriesPath, StudyPath
from imageserver.api.problems import problem_responses
from imageserver.archive.archive import Archive
from imageserver.archive.deletions import DeletedInstance, Wanted
from imageserver.audit.models import Kind, Outcome
from imageserver.audit.record import InstanceRecord, record_instances
from imageserver.errors import Forbidden, InstanceNotFound, SeriesNotFound, StudyNotFound

router = APIRouter(tags=["dicomweb"])

_STUDY = "/dicomweb/studies/{study_instance_uid}"
_SERIES = _STUDY + "/series/{series_instance_uid}"
_INSTANCE = _SERIES + "/instances/{sop_instance_uid}"
_ROUTE: dict[str, Any] = {
    "status_code": 204,
    "response_class": Response,
    "responses": problem_responses(400, 401, 403, 404, 503, 507),
}


@router.delete(_STUDY, **_ROUTE)
def delete_study(
    request: Request, archive: ArchiveDep, user: CurrentUser, now: Now, study_instance_uid: StudyPath
) -> None:
    """Delete a study; it can be restored for a while."""
    if not _delete(request, archive, user, now, Wanted(study_instance_uid)):
        raise StudyNotFound("No study has this Study Instance UID.")


@router.delete(_SERIES, **_ROUTE)
def delete_series(
    request: Request,
    archive: ArchiveDep,
    user: CurrentUser,
    now: Now,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
) -> None:
    """Delete a series; it can be restored for a while."""
    if not _delete(request, archive, user, now, Wanted(study_instance_uid, series_instance_uid)):
        raise SeriesNotFound("The study has no series with this Series Instance UID.")


@router.delete(_INSTANCE, **_ROUTE)
def delete_instance(
    request: Request,
    archive: ArchiveDep,
    user: CurrentUser,
    now: Now,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
    sop_instance_uid: InstancePath,
) -> None:
    """Delete an instance; it can be restored for a while."""
    wanted = Wanted(study_instance_uid, series_instance_uid, sop_instance_uid)
    if not _delete(request, archive, user, now, wanted):
        raise InstanceNotFound("The series has no instance with this SOP Instance UID.")


def _delete(request: Request, archive: Archive, user: Caller, now: datetime, wanted: Wanted) -> bool:
    actor = actor_of(request, user)
    if user.role != Role.ADMIN:
        refused = InstanceRecord(Outcome.FAILURE, "forbidden", *wanted)
        with archive.database.writing() as session:
            record_instances(session, actor, Kind.DELETED, now, [refused])
        raise Forbidden("Only an administrator may delete.")

    def record(session: Session, deleted: Sequence[DeletedInstance]) -> None:
        record_instances(session, actor, Kind.DELETED, now, map(record_of_deleted, deleted))

    archive.catalogue.require_directory()
    archive.store.open()
    return bool(archive.store.trash.delete(wanted, user.username, record, now.timestamp()))
