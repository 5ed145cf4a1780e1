"""Writing audit records: events each time, accesses to patient data once per session, series and kind in a while."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session

from imageserver.audit.models import AuditEvent, Kind, Outcome
from imageserver.database import Database
from imageserver.errors import DatabaseUnavailable

REPEAT_AFTER = timedelta(minutes=15)
REMEMBERED = 10_000
WAIT_SECONDS = 2.0
UNKNOWN_USER = "(unknown)"
COMMAND_LINE = "(command line)"
SERVER = "(server)"


@dataclass(frozen=True)
class Actor:
    """Who did it, and over which request."""

    username: str
    user_id: str | None = None
    session_id: str | None = None
    request_id: str | None = None
    client_address: str | None = None


def record_event(
    session: Session,
    actor: Actor,
    kind: Kind,
    outcome: Outcome,
    now: datetime,
    *,
    reason: str | None = None,
    subject_username: str | None = None,
) -> None:
    """Add a record in the caller's transaction, so that the event and its record stand or fall together."""
    session.add(
        _event(actor, kind, outcome, now, reason=reason, subject_username=subject_username),
    )


def record_alert(
    session: Session,
    reason: str,
    now: datetime,
    *,
    study_instance_uid: str | None = None,
    series_instance_uid: str | None = None,
) -> None:
    """Add a security alert of the server itself, in the transaction that acts on what was found.

    References
    ----------
    DICOM PS3.15 A.5.3.11; code 110113 of PS3.16
    """
    event = _event(
        Actor(SERVER),
        Kind.SECURITY_ALERT,
        Outcome.FAILURE,
        now,
        reason=reason,
        study_instance_uid=study_instance_uid,
        series_instance_uid=series_instance_uid,
    )
    session.add(event)


class AccessRecorder:
    """Records who saw which series; a record is durable before ``record`` returns.

    One record per session, series, kind and outcome is repeated after 15 minutes at the earliest. What is durably
    recorded already is remembered here, so that a repeated access costs no query.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._recorded: OrderedDict[tuple[str | None, ...], datetime] = OrderedDict()
        self._memory = threading.Lock()
        self._writing = threading.Lock()

    def record(
        self,
        actor: Actor,
        kind: Kind,
        outcome: Outcome,
        now: datetime,
        *,
        study_instance_uid: str | None,
        series_instance_uid: str | None,
    ) -> None:
        """Record an access, unless the same one was recorded within the last 15 minutes.

        Raises
        ------
        DatabaseUnavailable, StorageFull
            If the record cannot be written; then nothing of the patient may be answered.
        """
        key = (actor.session_id, study_instance_uid, series_instance_uid, kind, outcome)
        if self._is_recorded(key, now):
            return
        with self._turn():  # of many equal requests at once, one writes
            if self._is_recorded(key, now):
                return
            event = _event(
                actor,
                kind,
                outcome,
                now,
                study_instance_uid=study_instance_uid,
                series_instance_uid=series_instance_uid,
            )
            with self._database.writing() as session:
                if not _is_in_database(session, event, now):
                    session.add(event)
        self._remember(key, now)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._writing.acquire(timeout=WAIT_SECONDS):
            raise DatabaseUnavailable("The audit record cannot be written just now.")
        try:
            yield
        finally:
            self._writing.release()

    def _is_recorded(self, key: tuple[str | None, ...], now: datetime) -> bool:
        with self._memory:
            recorded = self._recorded.get(key)
            return recorded is not None and timedelta(0) <= now - recorded < REPEAT_AFTER

    def _remember(self, key: tuple[str | None, ...], now: datetime) -> None:
        with self._memory:
            self._recorded[key] = now
            self._recorded.move_to_end(key)
            while len(self._recorded) > REMEMBERED:
                self._recorded.popitem(last=False)


def _is_in_database(session: Session, event: AuditEvent, now: datetime) -> bool:
    # Another worker may have recorded it.
    same = and_(
        AuditEvent.session_id == event.session_id,
        AuditEvent.series_instance_uid == event.series_instance_uid,
        AuditEvent.study_instance_uid == event.study_instance_uid,
        AuditEvent.kind == event.kind,
        AuditEvent.outcome == event.outcome,
        AuditEvent.time > now - REPEAT_AFTER,
        AuditEvent.time <= now,  # a clock that was set back silences nothing
    )
    return bool(session.scalar(select(exists().where(same))))


def _event(
    actor: Actor,
    kind: Kind,
    outcome: Outcome,
    now: datetime,
    *,
    reason: str | None = None,
    subject_username: str | None = None,
    study_instance_uid: str | None = None,
    series_instance_uid: str | None = None,
) -> AuditEvent:
    return AuditEvent(
        time=now,
        kind=kind,
        outcome=outcome,
        reason=reason,
        user_id=actor.user_id,
        username=actor.username,
        subject_username=subject_username,
        session_id=actor.session_id,
        study_instance_uid=study_instance_uid,
        series_instance_uid=series_instance_uid,
        request_id=actor.request_id,
        client_address=actor.client_address,
    )
