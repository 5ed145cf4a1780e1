"""Audit records: durable, complete, and not one per slice."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from imageserver.audit.models import AuditEvent, Kind, Outcome
from imageserver.audit.record import AccessRecorder, Actor, Subject, record_event
from imageserver.database import Database
from imageserver.errors import DatabaseUnavailable

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ADA = Actor("ada", "user-1", "session-1", "request-1", "192.0.2.7")
STUDY, SERIES = "1.2.3", "1.2.3.4"
QUARTER = timedelta(minutes=15)


def see(
    recorder: AccessRecorder,
    now: datetime = NOW,
    *,
    actor: Actor = ADA,
    kind: Kind = Kind.SLICE,
    series: str | None = SERIES,
    outcome: Outcome = Outcome.SUCCESS,
) -> None:
    recorder.record(actor, kind, outcome, now, study_instance_uid=STUDY, series_instance_uid=series)


def events(database: Database) -> list[AuditEvent]:
    with database.reading() as session:
        return list(session.query(AuditEvent).order_by(AuditEvent.id))


class TestAccess:
    def test_says_who_what_when_from_where(self, database: Database) -> None:
        see(AccessRecorder(database))
        (row,) = events(database)
        assert (row.username, row.user_id, row.session_id) == ("ada", "user-1", "session-1")
        assert (row.kind, row.outcome, row.time) == ("slice", "success", NOW)
        assert (row.study_instance_uid, row.series_instance_uid) == (STUDY, SERIES)
        assert (row.request_id, row.client_address) == ("request-1", "192.0.2.7")

    def test_is_repeated_after_a_quarter_of_an_hour(self, database: Database) -> None:
        recorder = AccessRecorder(database)
        tick = timedelta(microseconds=1)
        for now in (NOW, NOW + tick, NOW + QUARTER - tick, NOW + QUARTER, NOW + QUARTER + tick):
            see(recorder, now)
        assert [row.time for row in events(database)] == [NOW, NOW + QUARTER]

    def test_each_session_series_kind_and_outcome_is_recorded(self, database: Database) -> None:
        recorder = AccessRecorder(database)
        see(recorder)
        see(recorder, actor=Actor("ada", "user-1", "session-2"))
        see(recorder, series="1.2.3.5")
        see(recorder, kind=Kind.PATIENT)
        see(recorder, outcome=Outcome.FAILURE)
        see(recorder, series=None)
        assert len(events(database)) == 6

    def test_a_repeat_costs_no_query(self, database: Database) -> None:
        recorder = AccessRecorder(database)
        see(recorder)
        queries: list[str] = []
        event.listen(database.engine, "before_cursor_execute", lambda *args: queries.append(args[2]))
        for _ in range(300):
            see(recorder)
        assert queries == []

    def test_another_worker_does_not_repeat_it(self, database: Database) -> None:
        see(AccessRecorder(database))
        see(AccessRecorder(database), NOW + timedelta(minutes=1))
        assert len(events(database)) == 1

    def test_of_50_at_once_one_is_written(self, database: Database) -> None:
        recorder = AccessRecorder(database)
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(lambda _: see(recorder), range(50)))
        assert len(events(database)) == 1

    def test_without_a_database_it_fails_and_is_not_taken_as_done(self, database: Database) -> None:
        away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
        recorder = AccessRecorder(away)
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                see(recorder)

    def test_memory_is_bounded(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("imageserver.audit.record.REMEMBERED", 3)
        recorder = AccessRecorder(database)
        for number in range(6):
            see(recorder, series=f"1.{number}")
        assert len(recorder._recorded) == 3
        see(recorder, series="1.0")  # forgotten here, known in the database
        assert len(events(database)) == 6

    def test_a_list_is_recorded_at_once_and_only_what_is_new(self, database: Database) -> None:
        recorder = AccessRecorder(database)
        see(recorder, series="1.3", kind=Kind.VOLUMES)
        subjects = [Subject(None, None), *(Subject(STUDY, f"1.{number}") for number in range(1200))]
        for one in (recorder, AccessRecorder(database), recorder):
            one.record_all(ADA, Kind.VOLUMES, Outcome.SUCCESS, NOW, [*subjects, subjects[-1]])
        found = [event.series_instance_uid for event in events(database)]
        assert sorted(found, key=str) == sorted((s.series_instance_uid for s in subjects), key=str)
        assert {(event.username, event.time, event.request_id) for event in events(database)} == {
            (ADA.username, NOW, ADA.request_id)
        }

    def test_another_worker_does_not_repeat_a_list(self, database: Database) -> None:
        for _ in range(2):
            AccessRecorder(database).record_all(
                ADA, Kind.SEARCH, Outcome.SUCCESS, NOW, [Subject(None, None), Subject(STUDY, None)]
            )
        assert len(events(database)) == 2

    def test_what_a_list_has_told_is_found_by_its_studies(self, database: Database) -> None:
        """Not by reading all that the session was told before."""
        if not database.is_sqlite:
            pytest.skip("PostgreSQL decides by the number of rows")
        sent: list[tuple[str, Any]] = []
        event.listen(database.engine, "before_cursor_execute", lambda *args: sent.append(args[2:4]))
        subjects = [Subject(None, None), *(Subject(f"1.2.{number}", None) for number in range(9))]
        AccessRecorder(database).record_all(ADA, Kind.SEARCH, Outcome.SUCCESS, NOW, subjects)
        asked = [one for one in sent if one[0].startswith("SELECT") and "audit_events" in one[0]]
        assert len(asked) == 2
        for statement, values in asked:
            with database.engine.connect() as connection:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            assert [row[3].count("study_instance_uid=?") for row in plan] == [1], plan

    def test_a_clock_set_back_is_recorded_again(self, database: Database) -> None:
        recorder = AccessRecorder(database)
        see(recorder)
        see(recorder, NOW - timedelta(hours=1))
        assert len(events(database)) == 2


class TestEvents:
    def test_each_time(self, database: Database) -> None:
        for _ in range(3):
            with database.writing() as session:
                record_event(session, ADA, Kind.LOGIN, Outcome.FAILURE, NOW, reason="wrong_password")
        assert [row.reason for row in events(database)] == ["wrong_password"] * 3

    def test_falls_with_the_transaction_it_belongs_to(self, database: Database) -> None:
        with suppress(ZeroDivisionError), database.writing() as session:
            record_event(session, ADA, Kind.LOGOUT, Outcome.SUCCESS, NOW)
            raise ZeroDivisionError
        assert events(database) == []
