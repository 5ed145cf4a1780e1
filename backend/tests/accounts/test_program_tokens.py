"""Tokens for programs: made, found, ended."""

from datetime import UTC, datetime, timedelta

import pytest

from imageserver.accounts import program_tokens
from imageserver.accounts.models import EndReason, ProgramToken, TokenEnd, TokenRights, User
from imageserver.accounts.program_tokens import LONGEST_LIFE, MEMORY, MOST_TOKENS, FoundToken, NewToken
from imageserver.accounts.users import change_password, set_enabled
from imageserver.database import Database
from imageserver.errors import InvalidParameter, TokenNotFound, TooManyTokens
from tests.conftest import AddUser

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


@pytest.fixture
def user(add_user: AddUser) -> User:
    return add_user("ada")


def make(
    database: Database, user: User, name: str = "script", expires: datetime = LATER, now: datetime = NOW
) -> NewToken:
    with database.writing() as session:
        return program_tokens.make_token(session, user.id, name, TokenRights.READ, expires, now)


def find(database: Database, secret: str, now: datetime = NOW) -> FoundToken | None:
    with database.reading() as session:
        return program_tokens.find_program(session, secret, now)


def end_of(database: Database, made: NewToken, now: datetime = NOW) -> TokenEnd | None:
    found = find(database, made.secret, now)
    assert found is not None
    return found.end


class TestMake:
    def test_the_secret_is_not_stored(self, database: Database, user: User) -> None:
        made = make(database, user)
        with database.reading() as session:
            row = session.get_one(ProgramToken, made.token.id)
            values = [str(getattr(row, column.key)) for column in ProgramToken.__mapper__.column_attrs]
        assert not any(made.secret[8:] in value for value in values)
        assert row.start == made.secret[:8]
        assert row.last_used is None

    def test_it_is_its_users(self, database: Database, user: User) -> None:
        found = find(database, make(database, user).secret)
        assert found is not None
        program = found.program
        assert found.end is None
        assert (program.user_id, program.username, program.role) == (user.id, "ada", "admin")
        assert (program.token_name, program.rights, program.expires) == ("script", TokenRights.READ, LATER)

    def test_another_secret_opens_nothing(self, database: Database, user: User) -> None:
        made = make(database, user)
        assert find(database, made.secret[:-1] + "~") is None
        assert find(database, made.token.token_hash) is None

    def test_there_is_a_limit(self, database: Database, user: User, add_user: AddUser) -> None:
        tokens = [make(database, user, f"script {n}") for n in range(MOST_TOKENS)]
        with pytest.raises(TooManyTokens):
            make(database, user)
        make(database, add_user("bob"))
        with database.writing() as session:
            program_tokens.revoke_token(session, tokens[0].token.id, TokenEnd.REVOKED, NOW)
        make(database, user)

    def test_old_ones_are_forgotten(self, database: Database, user: User) -> None:
        expired, kept = make(database, user, "a"), make(database, user, "b", NOW + timedelta(days=200))
        make(database, user, "c", now=LATER + MEMORY + timedelta(seconds=1), expires=NOW + LONGEST_LIFE)
        assert find(database, expired.secret) is None
        assert find(database, kept.secret) is not None


class TestChecks:
    @pytest.mark.parametrize(
        ("text", "name"),
        [(" nightly  export\n", "nightly export"), ("x" * 64, "x" * 64), ("עברית", "עברית"), ("a\tb", "a b")],
    )
    def test_names(self, text: str, name: str) -> None:
        assert program_tokens.check_name(text) == name

    @pytest.mark.parametrize("text", ["", "  ", "x" * 65, "a\x00b", "a\x1bb", "a\u202eb", "a\ud800"])
    def test_other_names_are_refused(self, text: str) -> None:
        with pytest.raises(InvalidParameter):
            program_tokens.check_name(text)

    @pytest.mark.parametrize("life", [timedelta(seconds=1), timedelta(days=366)])
    def test_times(self, life: timedelta) -> None:
        program_tokens.check_expiry(NOW + life, NOW)

    @pytest.mark.parametrize("life", [timedelta(0), timedelta(seconds=-1), timedelta(days=366, seconds=1)])
    def test_other_times_are_refused(self, life: timedelta) -> None:
        with pytest.raises(InvalidParameter, match="366"):
            program_tokens.check_expiry(NOW + life, NOW)


class TestEnd:
    def test_by_time_to_the_second(self, database: Database, user: User) -> None:
        made = make(database, user)
        assert end_of(database, made, LATER - timedelta(seconds=1)) is None
        assert end_of(database, made, LATER) is TokenEnd.EXPIRED

    def test_by_its_user(self, database: Database, user: User, add_user: AddUser) -> None:
        made, bob = make(database, user), add_user("bob")
        with database.writing() as session, pytest.raises(TokenNotFound):
            program_tokens.revoke_token(session, made.token.id, TokenEnd.REVOKED, NOW, user_id=bob.id)
        assert end_of(database, made) is None
        for time in (NOW, LATER):  # again is as good as once
            with database.writing() as session:
                program_tokens.revoke_token(session, made.token.id, TokenEnd.REVOKED, time, user_id=user.id)
        assert end_of(database, made) is TokenEnd.REVOKED
        with database.reading() as session:
            assert session.get_one(ProgramToken, made.token.id).revoked == NOW
            assert program_tokens.list_tokens(session, user.id) == []

    def test_by_disabling_the_account_for_good(self, database: Database, user: User) -> None:
        made = make(database, user)
        for is_enabled in (False, True):
            with database.writing() as session:
                set_enabled(session, session.get_one(User, user.id), is_enabled, NOW)
            assert end_of(database, made) is TokenEnd.REVOKED

    def test_a_disabled_account_opens_nothing_however_it_came_to_be(
        self, database: Database, user: User
    ) -> None:
        made = make(database, user)
        with database.writing() as session:
            session.get_one(User, user.id).is_enabled = False
        assert end_of(database, made) is TokenEnd.DISABLED

    @pytest.mark.parametrize(
        ("reason", "end"),
        [(EndReason.PASSWORD_CHANGED, None), (EndReason.PASSWORD_RESET, TokenEnd.REVOKED)],
    )
    def test_by_a_reset_of_the_password_not_by_a_change(
        self, database: Database, user: User, reason: EndReason, end: TokenEnd | None
    ) -> None:
        made = make(database, user)
        with database.writing() as session:
            change_password(session, session.get_one(User, user.id), "hash", reason, NOW)
        assert end_of(database, made) is end

    def test_with_the_account(self, database: Database, user: User) -> None:
        made = make(database, user)
        with database.writing() as session:
            session.delete(session.get_one(User, user.id))
        assert find(database, made.secret) is None


class TestLastUsed:
    def test_at_most_once_a_minute(self, database: Database, user: User) -> None:
        made = make(database, user)
        written = []
        for seconds in (0, 59, 60, 61, 180):
            now = NOW + timedelta(seconds=seconds)
            found = find(database, made.secret, now)
            assert found is not None
            program_tokens.touch_if_due(database, found.program, now)
            after = find(database, made.secret, now)
            assert after is not None
            assert after.program.last_used is not None
            written.append(int((after.program.last_used - NOW).total_seconds()))
        assert written == [0, 0, 60, 60, 180]


def test_lists_come_newest_first(database: Database, user: User, add_user: AddUser) -> None:
    make(database, add_user("bob"), "of somebody else")
    for days, name in enumerate(("old", "middle", "new")):
        make(database, user, name, now=NOW + timedelta(days=days))
    with database.reading() as session:
        assert [token.name for token in program_tokens.list_tokens(session, user.id)] == [
            "new",
            "middle",
            "old",
        ]
        everybodys = [(name, token.name) for token, name in program_tokens.list_all_tokens(session)]
    assert everybodys == [("ada", "old"), ("ada", "middle"), ("ada", "new"), ("bob", "of somebody else")]
