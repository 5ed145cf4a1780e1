"""Writing audit records: events each time, accesses to patient data once per session, series and kind in a while."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from imageserver.audit.models import AuditEvent, Kind, Outcome
from imageserver.database import Base, Database
from imageserver.errors import DatabaseUnavailable

REPEAT_AFTER = timedelta(minutes=15)
REMEMBERED = 10_000
CHUNK = 500  # values in one IN (…)
WAIT_SECONDS = 2.0
UNKNOWN_USER = "(unknown)"
COMMAND_LINE = "(command line)"
SERVER = "(server)"
# The table, not the class: a statement of the latter takes twice as long to put together.
_EVENTS = Base.metadata.tables[AuditEvent.__tablename__]
_ADD = insert(_EVENTS)


@dataclass(frozen=True)
class Actor:
    """Who did it, and over which request."""

    username: str
    user_id: str | None = None
    session_id: str | None = None
    request_id: str | None = None
    client_address: str | None = None
    token_id: str | None = None
    token_name: str | None = None


class Subject(NamedTuple):
    """What was accessed; both are None for a list as such."""

    study_instance_uid: str | None
    series_instance_uid: str | None


def record_event(
    session: Session,
    actor: Actor,
    kind: Kind,
    outcome: Outcome,
    now: datetime,
    *,
    reason: str | None = None,
    subject_username: str | None = None,
    subject: Subject | None = None,
) -> None:
    """Add a record in the caller's transaction, so that the event and its record stand or fall together."""
    event = {
        "time": now,
        "kind": kind,
        "outcome": outcome,
        "reason": reason,
        "subject_username": subject_username,
    }
    uids = subject._asdict() if subject else {}
    session.add(AuditEvent(**event, **asdict(actor), **uids))


class InstanceRecord(NamedTuple):
    """What happened to an instance, or to all of a series where the last UID is None."""

    outcome: Outcome
    reason: str | None
    study_instance_uid: str | None
    series_instance_uid: str | None
    sop_instance_uid: str | None


def record_instances(
    session: Session, actor: Actor, kind: Kind, now: datetime, records: Iterable[InstanceRecord]
) -> None:
    """Add records in the caller's transaction; of equal ones, one."""
    common = {"time": now, "kind": kind, **asdict(actor)}
    rows = [{**common, **record._asdict()} for record in dict.fromkeys(records)]
    if rows:
        session.execute(_ADD, rows)


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
    subject = Subject(study_instance_uid, series_instance_uid)
    alert = _access(Actor(SERVER), Kind.SECURITY_ALERT, Outcome.FAILURE, now)
    session.add(AuditEvent(**alert, **subject._asdict(), reason=reason))


class AccessRecorder:
    """Records who saw which series; a record is durable before ``record`` returns.

    One record per session or token, series, kind and outcome is repeated after 15 minutes at the earliest. What is
    durably recorded already is remembered here, so that a repeated access costs no query.
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
        """Record an access, unless the same one was recorded within the last 15 minutes; raises as `record_all`."""
        self.record_all(actor, kind, outcome, now, [Subject(study_instance_uid, series_instance_uid)])

    def record_all(
        self, actor: Actor, kind: Kind, outcome: Outcome, now: datetime, subjects: Iterable[Subject]
    ) -> None:
        """Record accesses of one kind in one transaction: those that were not recorded within the last 15 minutes.

        Raises
        ------
        DatabaseUnavailable, StorageFull
            If a record cannot be written; then nothing of the patients may be answered.
        """
        wanted = self._unrecorded(actor, kind, outcome, now, subjects)
        if not wanted:
            return
        with self._turn():  # of many equal requests at once, one writes
            wanted = self._unrecorded(actor, kind, outcome, now, wanted)
            if wanted:
                with self._database.writing() as session:
                    known = _in_database(session, actor, kind, outcome, now, wanted)
                    access = _access(actor, kind, outcome, now)
                    new = [{**access, **one._asdict()} for one in wanted if one not in known]
                    if new:
                        session.connection().execute(_ADD, new)
        for subject in wanted:
            self._remember((actor.session_id, actor.token_id, *subject, kind, outcome), now)

    def _unrecorded(
        self, actor: Actor, kind: Kind, outcome: Outcome, now: datetime, subjects: Iterable[Subject]
    ) -> list[Subject]:
        return [
            subject
            for subject in dict.fromkeys(subjects)
            if not self._is_recorded((actor.session_id, actor.token_id, *subject, kind, outcome), now)
        ]

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


def _in_database(
    session: Session, actor: Actor, kind: Kind, outcome: Outcome, now: datetime, subjects: Sequence[Subject]
) -> set[Subject]:
    # Another worker may have recorded them.
    study, series = _EVENTS.c.study_instance_uid, _EVENTS.c.series_instance_uid
    uids = [subject.series_instance_uid for subject in subjects if subject.series_instance_uid]
    conditions = [series.in_(uids[start : start + CHUNK]) for start in range(0, len(uids), CHUNK)]
    # By the study, because a session that goes through lists has thousands of records without a series.
    studies = [one.study_instance_uid for one in subjects if not one.series_instance_uid]
    named = [uid for uid in studies if uid]
    conditions += [study.in_(named[start : start + CHUNK]) for start in range(0, len(named), CHUNK)]
    if len(named) < len(studies):
        conditions.append(study.is_(None))
    found: set[Subject] = set()
    for condition in conditions:
        statement = select(study, series).where(
            _EVENTS.c.session_id == actor.session_id,
            _EVENTS.c.token_id == actor.token_id,
            condition,
            _EVENTS.c.kind == kind,
            _EVENTS.c.outcome == outcome,
            _EVENTS.c.time > now - REPEAT_AFTER,
            _EVENTS.c.time <= now,  # a clock that was set back silences nothing
        )
        found.update(Subject(*row) for row in session.connection().execute(statement))
    return found


def _access(actor: Actor, kind: Kind, outcome: Outcome, now: datetime) -> dict[str, Any]:
    return {"time": now, "kind": kind, "outcome": outcome, **asdict(actor)}
