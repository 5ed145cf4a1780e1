"""Sessions: how they end. By a fake clock."""

from datetime import UTC, datetime, timedelta

import pytest

from imageserver.accounts import sessions, users
from imageserver.accounts.models import EndReason, User, UserSession
from imageserver.accounts.sessions import SessionLimits, StartedSession
from imageserver.database import Database
from tests.conftest import AddUser

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LIMITS = SessionLimits(idle=timedelta(minutes=30), longest=timedelta(hours=12))
TICK = timedelta(microseconds=1)


@pytest.fixture
def user(add_user: AddUser) -> User:
    return add_user("ada")


def start(database: Database, user: User, now: datetime = NOW) -> StartedSession:
    with database.writing() as session:
        return sessions.start_session(session, user, "192.0.2.7", LIMITS, now)


def is_active(database: Database, started: StartedSession, now: datetime) -> bool:
    with database.reading() as session:
        by_id = sessions.find_by_id(session, started.id, LIMITS, now)
        by_cookie = sessions.find_by_cookie(session, started.cookie, LIMITS, now)
    assert by_id == by_cookie
    return by_id is not None


def use(database: Database, started: StartedSession, now: datetime) -> None:
    with database.reading() as session:
        found = sessions.find_by_id(session, started.id, LIMITS, now)
    assert found is not None
    sessions.touch_if_due(database, found, now)


class TestTime:
    @pytest.mark.parametrize(
        ("after", "active"),
        [
            (timedelta(0), True),
            (timedelta(minutes=30) - TICK, True),
            (timedelta(minutes=30), False),
            (timedelta(days=365), False),
        ],
    )
    def test_idle(self, database: Database, user: User, after: timedelta, active: bool) -> None:
        assert is_active(database, start(database, user), NOW + after) is active

    def test_a_request_begins_the_idle_time_anew(self, database: Database, user: User) -> None:
        started = start(database, user)
        use(database, started, NOW + timedelta(minutes=29))
        assert is_active(database, started, NOW + timedelta(minutes=59) - TICK)
        assert not is_active(database, started, NOW + timedelta(minutes=59))

    def test_the_longest_time_ends_it_however_busy_it_is(self, database: Database, user: User) -> None:
        started = start(database, user)
        for minutes in range(20, 720, 20):
            use(database, started, NOW + timedelta(minutes=minutes))
        assert is_active(database, started, NOW + timedelta(hours=12) - TICK)
        assert not is_active(database, started, NOW + timedelta(hours=12))

    def test_last_seen_is_written_once_a_minute(self, database: Database, user: User) -> None:
        started = start(database, user)
        seen = []
        for seconds in (0, 30, 59, 60, 61, 119, 120):
            use(database, started, NOW + timedelta(seconds=seconds))
            with database.reading() as session:
                seen.append((session.get_one(UserSession, started.id).last_seen - NOW).total_seconds())
        assert seen == [0, 0, 0, 60, 60, 60, 120]

    def test_a_clock_set_back_ends_nothing(self, database: Database, user: User) -> None:
        started = start(database, user)
        assert is_active(database, started, NOW - timedelta(hours=1))


class TestEnd:
    def test_one_session_of_several(self, database: Database, user: User) -> None:
        first, second = start(database, user), start(database, user)
        with database.writing() as session:
            assert sessions.end_session(session, first.id, user.id, EndReason.LOGOUT, NOW)
            assert not sessions.end_session(session, first.id, user.id, EndReason.LOGOUT, NOW)
        assert (is_active(database, first, NOW), is_active(database, second, NOW)) == (False, True)

    def test_never_that_of_another_user(self, database: Database, user: User, add_user: AddUser) -> None:
        started, other = start(database, user), add_user_id(add_user)
        with database.writing() as session:
            assert not sessions.end_session(session, started.id, other, EndReason.LOGOUT, NOW)
        assert is_active(database, started, NOW)

    def test_all_but_one(self, database: Database, user: User) -> None:
        kept, *others = [start(database, user) for _ in range(4)]
        with database.writing() as session:
            reason = EndReason.PASSWORD_CHANGED
            assert sessions.end_all_sessions(session, user.id, reason, NOW, keep=kept.id) == 3
        assert is_active(database, kept, NOW)
        assert not any(is_active(database, other, NOW) for other in others)

    def test_disabling_and_enabling_again_revives_nothing(self, database: Database, user: User) -> None:
        started = start(database, user)
        for is_enabled in (False, True):
            with database.writing() as session:
                users.set_enabled(session, session.get_one(User, user.id), is_enabled, NOW)
            assert not is_active(database, started, NOW)

    def test_an_account_disabled_in_the_database_counts_at_once(self, database: Database, user: User) -> None:
        started = start(database, user)
        with database.writing() as session:
            session.get_one(User, user.id).is_enabled = False
        assert not is_active(database, started, NOW)

    def test_a_removed_account_has_no_sessions(self, database: Database, user: User) -> None:
        started = start(database, user)
        with database.writing() as session:
            session.delete(session.get_one(User, user.id))
        assert not is_active(database, started, NOW)


def add_user_id(add_user: AddUser) -> str:
    return add_user("eve").id


class TestCookie:
    def test_is_long_random_and_kept_only_as_a_hash(self, database: Database, user: User) -> None:
        started = [start(database, user) for _ in range(20)]
        assert len({one.cookie for one in started}) == 20
        assert min(len(one.cookie) for one in started) >= 43  # 256 bits in base64
        with database.reading() as session:
            stored = {row.cookie_hash for row in session.query(UserSession)}
        assert not stored & {one.cookie for one in started}

    @pytest.mark.parametrize("cookie", ["", "x", "\0", "ü", "\ud800", "x" * 5000])
    def test_nonsense_is_nobody(self, database: Database, user: User, cookie: str) -> None:
        start(database, user)
        with database.reading() as session:
            assert sessions.find_by_cookie(session, cookie, LIMITS, NOW) is None
            assert sessions.name_session(session, cookie=cookie) is None


class TestForgetting:
    def test_sessions_older_than_the_memory_of_places_are_removed(
        self, database: Database, user: User
    ) -> None:
        start(database, user, NOW - timedelta(days=31))
        recent = start(database, user, NOW - timedelta(days=29))
        new = start(database, user)
        with database.reading() as session:
            assert {row.id for row in session.query(UserSession)} == {recent.id, new.id}
