"""Reading audit records."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from imageserver.audit.models import AuditEvent

COLUMNS = tuple(column.key for column in AuditEvent.__mapper__.column_attrs)


@dataclass(frozen=True)
class Filter:
    """Which records to read; None leaves a condition out."""

    username: str | None = None
    kind: str | None = None
    outcome: str | None = None
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None


def find_events(session: Session, wanted: Filter) -> Iterator[dict[str, Any]]:
    """Yield records as plain values, the oldest first; with a limit, the newest so many.

    A user name matches who did it, and whose account it was done to.
    """
    rows = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(wanted.limit)
    for name in ("kind", "outcome", "study_instance_uid", "series_instance_uid"):
        if (value := getattr(wanted, name)) is not None:
            rows = rows.where(getattr(AuditEvent, name) == value)
    if wanted.username is not None:
        is_actor = AuditEvent.username == wanted.username
        rows = rows.where(or_(is_actor, AuditEvent.subject_username == wanted.username))
    if wanted.since is not None:
        rows = rows.where(AuditEvent.time >= wanted.since)
    if wanted.until is not None:
        rows = rows.where(AuditEvent.time < wanted.until)
    for event in reversed(session.scalars(rows).all()):
        yield {name: getattr(event, name) for name in COLUMNS}
