"""Audit records of requests: who asks is known here, so that a route only says what was asked for."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from imageserver.accounts.callers import Caller, Program, SignedInUser
from imageserver.accounts.sessions import NamedSession
from imageserver.api.authentication import CurrentUser
from imageserver.api.client_address import client_address
from imageserver.api.dependencies import Now
from imageserver.archive.deletions import DeletedInstance
from imageserver.audit.models import Kind, Outcome
from imageserver.audit.record import UNKNOWN_USER, AccessRecorder, Actor, InstanceRecord, Subject
from imageserver.logs import request_id


class AccessAudit:
    """Records what the user of this request sees of a patient."""

    def __init__(self, recorder: AccessRecorder, actor: Actor, now: datetime) -> None:
        self._recorder = recorder
        self._actor = actor
        self._now = now

    def record(
        self,
        kind: Kind,
        *,
        study_instance_uid: str | None = None,
        series_instance_uid: str | None = None,
        outcome: Outcome = Outcome.SUCCESS,
    ) -> None:
        """Make the access durable; call it before anything of the patient is answered.

        Raises
        ------
        DatabaseUnavailable, StorageFull
            If the record cannot be written; let it through, so that nothing is answered.
        """
        self._recorder.record(
            self._actor,
            kind,
            outcome,
            self._now,
            study_instance_uid=study_instance_uid,
            series_instance_uid=series_instance_uid,
        )

    def record_list(self, kind: Kind, subjects: Iterable[Subject]) -> None:
        """Make the access to a list durable, and to everything that this page of it tells; raises as `record`."""
        whole = Subject(None, None)
        self._recorder.record_all(self._actor, kind, Outcome.SUCCESS, self._now, [whole, *subjects])


def actor_of(request: Request, user: Caller | NamedSession | None = None) -> Actor:
    """Describe who sent a request."""
    return Actor(
        username=user.username if user else UNKNOWN_USER,
        user_id=user.user_id if user else None,
        session_id=user.session_id if isinstance(user, SignedInUser | NamedSession) else None,
        token_id=user.token_id if isinstance(user, Program) else None,
        token_name=user.token_name if isinstance(user, Program) else None,
        request_id=request_id.get(),
        client_address=client_address(request),
    )


def record_of_deleted(deleted: DeletedInstance) -> InstanceRecord:
    """Describe an instance that was deleted, restored or purged."""
    uids = (deleted.study_instance_uid, deleted.series_instance_uid, deleted.sop_instance_uid)
    return InstanceRecord(Outcome.SUCCESS, None, *uids)


async def get_access_audit(request: Request, user: CurrentUser, now: Now) -> AccessAudit:
    """Prepare the audit of this request."""
    return AccessAudit(request.app.state.access_recorder, actor_of(request, user), now)


AccessAuditDep = Annotated[AccessAudit, Depends(get_access_audit)]
