"""The first account, and that there is exactly one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from imageserver.accounts import setup, users
from imageserver.accounts.models import Role, SetupCode
from imageserver.database import Database
from imageserver.errors import AppError, InvalidCredentials, InvalidParameter, SetupDone
from tests.conftest import AddUser

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def make_code(database: Database, now: datetime = NOW) -> str:
    with database.writing() as session:
        code = setup.make_setup_code(session, now)
    assert code is not None
    return code


def create(database: Database, code: str, name: str = "ada", now: datetime = NOW) -> str:
    with database.writing() as session:
        return setup.create_first_user(session, code, name, "a hash", now).role


class TestCode:
    def test_makes_an_administrator_once(self, database: Database) -> None:
        code = make_code(database)
        assert create(database, code) == Role.ADMIN
        with pytest.raises(SetupDone):
            create(database, code, "bob")

    def test_is_long_random_and_kept_only_as_a_hash(self, database: Database) -> None:
        code = make_code(database)
        assert len(code) >= 43
        with database.reading() as session:
            assert session.get_one(SetupCode, 1).code_hash != code

    def test_ends_after_24_hours(self, database: Database) -> None:
        code = make_code(database)
        end = NOW + timedelta(hours=24)
        with pytest.raises(InvalidCredentials):
            create(database, code, now=end)
        assert create(database, code, now=end - timedelta(microseconds=1))

    def test_only_the_newest_one_works(self, database: Database) -> None:
        old, new = make_code(database), make_code(database)
        with pytest.raises(InvalidCredentials):
            create(database, old)
        assert create(database, new)

    @pytest.mark.parametrize("code", ["", "x", "\0", "\ud800", "ü" * 43])
    def test_a_wrong_code(self, database: Database, code: str) -> None:
        make_code(database)
        with pytest.raises(InvalidCredentials):
            create(database, code)

    def test_without_any_code_none_works(self, database: Database) -> None:
        with pytest.raises(InvalidCredentials):
            create(database, "")

    def test_none_is_made_where_an_account_exists(self, database: Database, add_user: AddUser) -> None:
        code = make_code(database)
        add_user("ada")
        with database.writing() as session:
            assert setup.make_setup_code(session, NOW) is None
        with pytest.raises(SetupDone):
            create(database, code)

    def test_a_disabled_first_account_does_not_reopen_it(self, database: Database, add_user: AddUser) -> None:
        user = add_user("ada")
        with database.writing() as session:
            users.set_enabled(session, session.merge(user), False, NOW)
            assert not setup.is_setup_required(session)


class TestRace:
    def test_of_many_at_once_one_becomes_the_first(self, database: Database) -> None:
        code = make_code(database)

        def attempt(number: int) -> bool:
            try:
                create(database, code, f"user{number}")
            except AppError:
                return False
            return True

        with ThreadPoolExecutor(12) as pool:
            assert sum(pool.map(attempt, range(24))) == 1
        with database.reading() as session:
            assert users.count_users(session) == 1

    def test_of_many_accounts_made_at_once_one_is_the_administrator(self, database: Database) -> None:
        def add(number: int) -> None:
            with database.writing() as session:
                users.create_user(session, f"user{number}", "a hash", Role.READER, NOW)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(add, range(8)))
        with database.reading() as session:
            roles = [user.role for user in users.list_users(session)]
        assert sorted(roles) == [Role.ADMIN] + [Role.READER] * 7

    def test_a_taken_name_is_refused(self, database: Database, add_user: AddUser) -> None:
        add_user("ada")
        with pytest.raises(InvalidParameter, match="taken"):
            add_user("ada")
