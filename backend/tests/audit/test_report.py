"""Reading audit records."""

from datetime import UTC, datetime, timedelta

import pytest

from imageserver.audit.models import Kind, Outcome
from imageserver.audit.record import AccessRecorder, Actor, record_event
from imageserver.audit.report import Filter, find_events
from imageserver.database import Database

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def filled(database: Database) -> Database:
    with database.writing() as session:
        record_event(session, Actor("ada"), Kind.LOGIN, Outcome.SUCCESS, NOW)
        record_event(session, Actor("bob"), Kind.LOGIN, Outcome.FAILURE, NOW + timedelta(minutes=1))
        kind, later = Kind.USER_DISABLED, NOW + timedelta(minutes=2)
        record_event(session, Actor("ada"), kind, Outcome.SUCCESS, later, subject_username="bob")
    AccessRecorder(database).record(
        Actor("ada", session_id="s"), Kind.SLICE, Outcome.SUCCESS, NOW + timedelta(minutes=3),
        study_instance_uid="1.2", series_instance_uid="1.2.3",
    )  # fmt: skip
    return database


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        (Filter(), ["login", "login", "user_disabled", "slice"]),
        (Filter(username="bob"), ["login", "user_disabled"]),
        (Filter(username="ada"), ["login", "user_disabled", "slice"]),
        (Filter(kind="login"), ["login", "login"]),
        (Filter(outcome="failure"), ["login"]),
        (Filter(study_instance_uid="1.2"), ["slice"]),
        (Filter(series_instance_uid="1.2.3"), ["slice"]),
        (Filter(series_instance_uid="1.2.4"), []),
        (Filter(since=NOW + timedelta(minutes=2)), ["user_disabled", "slice"]),
        (Filter(until=NOW + timedelta(minutes=1)), ["login"]),
        (Filter(limit=2), ["user_disabled", "slice"]),
    ],
)
def test_filters(filled: Database, wanted: Filter, kinds: list[str]) -> None:
    with filled.reading() as session:
        assert [row["kind"] for row in find_events(session, wanted)] == kinds
