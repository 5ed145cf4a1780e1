"""Proving who one is: equal work and equal answers on every path."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from imageserver.accounts import users
from imageserver.accounts.login import Reason, Verdict, check_password, confirm, log_in
from imageserver.accounts.models import EndReason, User
from imageserver.accounts.passwords import HashPolicy, PasswordHasher
from imageserver.accounts.sessions import SessionLimits
from imageserver.database import Database
from imageserver.errors import InvalidParameter
from tests.conftest import CHEAPEST_HASH, PASSWORD, AddUser

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HERE, ELSEWHERE = "192.0.2.7", "198.51.100.9"
LIMITS = SessionLimits(idle=timedelta(minutes=30), longest=timedelta(hours=12))


class CountingHasher(PasswordHasher):
    """Counts the hashes that are verified."""

    def __init__(self) -> None:
        super().__init__(CHEAPEST_HASH)
        self.verified = 0

    def verify(self, password: str, stored: str | None) -> bool:
        self.verified += 1
        return super().verify(password, stored)


Try = Callable[..., Verdict]


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def try_password(database: Database, hasher: CountingHasher) -> Try:
    def check(username: str, password: str, network: str = HERE, now: datetime = NOW) -> Verdict:
        return check_password(database, hasher, username, password, network, now)

    return check


def disable(database: Database, user: User) -> None:
    with database.writing() as session:
        users.set_enabled(session, session.get_one(User, user.id), False, NOW)


def finish(database: Database, verdict: Verdict, now: datetime = NOW) -> Any:
    with database.writing() as session:
        return log_in(session, verdict, LIMITS, now)


class TestOutcomes:
    def test_right(self, add_user: AddUser, try_password: Try) -> None:
        user = add_user("ada")
        verdict = try_password(" ADA ", PASSWORD)
        assert (verdict.reason, verdict.user_id, verdict.username) == (Reason.RIGHT, user.id, "ada")

    def test_wrong(self, add_user: AddUser, try_password: Try) -> None:
        add_user("ada")
        assert try_password("ada", "wrong").reason is Reason.WRONG_PASSWORD

    @pytest.mark.parametrize("name", ["bob", "", "a\0b", "' OR 1=1 --", "x" * 256, "\ud800"])
    def test_unknown(self, add_user: AddUser, try_password: Try, name: str) -> None:
        add_user("ada")
        verdict = try_password(name, PASSWORD)
        assert (verdict.reason, verdict.user_id, verdict.username) == (Reason.UNKNOWN_USER, None, None)

    def test_disabled_with_the_right_password(
        self, database: Database, add_user: AddUser, try_password: Try
    ) -> None:
        disable(database, add_user("ada"))
        assert try_password("ada", PASSWORD).reason is Reason.DISABLED

    def test_throttled_with_the_right_password(self, add_user: AddUser, try_password: Try) -> None:
        add_user("ada")
        for _ in range(6):
            try_password("ada", "wrong")
        verdict = try_password("ada", PASSWORD)
        assert (verdict.reason, verdict.wait_seconds) == (Reason.THROTTLED, 1)
        assert try_password("ada", PASSWORD, now=NOW + timedelta(seconds=1)).reason is Reason.RIGHT


class TestEqualWork:
    @pytest.mark.parametrize("case", ["right", "wrong", "unknown", "disabled", "throttled", "malformed name"])
    def test_exactly_one_hash_is_verified(
        self, case: str, database: Database, add_user: AddUser, try_password: Try, hasher: CountingHasher
    ) -> None:
        user = add_user("ada")
        if case == "disabled":
            disable(database, user)
        if case == "throttled":
            for _ in range(6):
                try_password("ada", "wrong")
        hasher.verified = 0
        name = {"unknown": "bob", "malformed name": "\0"}.get(case, "ada")
        try_password(name, "wrong" if case == "wrong" else PASSWORD)
        assert hasher.verified == 1

    def test_too_long_is_refused_before_anything_is_asked(
        self, add_user: AddUser, try_password: Try, hasher: CountingHasher
    ) -> None:
        add_user("ada")
        for name in ("ada", "bob"):
            with pytest.raises(InvalidParameter):
                try_password(name, "x" * 1025)
        assert hasher.verified == 0

    @pytest.mark.parametrize("name", ["ada", "bob"])
    def test_unknown_names_are_slowed_down_like_known_ones(
        self, add_user: AddUser, try_password: Try, name: str
    ) -> None:
        add_user("ada")
        waits = [try_password(name, "wrong", f"203.0.113.{number}").wait_seconds for number in range(8)]
        assert waits == [0] * 6 + [1, 1]

    def test_spellings_of_an_unknown_name_share_a_counter(self, try_password: Try) -> None:
        names = ["bob", "BOB", " bob", "Bob ", "bOb", "boB", "ＢＯＢ"]
        waits = [
            try_password(name, "x", f"203.0.113.{index}").wait_seconds for index, name in enumerate(names)
        ]
        assert waits == [0] * 6 + [1]


class TestLockingOut:
    def test_a_stranger_does_not_slow_the_user_down_at_the_usual_place(
        self, database: Database, add_user: AddUser, try_password: Try
    ) -> None:
        add_user("ada")
        assert finish(database, try_password("ada", PASSWORD, HERE))
        for number in range(20):
            try_password("ada", "guess", f"203.0.113.{number}", NOW + timedelta(hours=number))
        later = NOW + timedelta(hours=19)
        assert try_password("ada", PASSWORD, ELSEWHERE, later).reason is Reason.THROTTLED
        assert try_password("ada", PASSWORD, HERE, later).reason is Reason.RIGHT

    def test_guesses_from_the_usual_place_are_slowed_down_too(
        self, database: Database, add_user: AddUser, try_password: Try
    ) -> None:
        add_user("ada")
        finish(database, try_password("ada", PASSWORD, HERE))
        waits = [try_password("ada", "guess", HERE).wait_seconds for _ in range(8)]
        assert waits == [0] * 6 + [1, 1]

    def test_who_shares_the_address_does_not_keep_the_user_away(
        self, database: Database, add_user: AddUser, try_password: Try
    ) -> None:
        add_user("ada")
        finish(database, try_password("ada", PASSWORD, HERE))
        for number in range(20):
            try_password(f"name {number}", "guess", HERE)
        assert try_password("another", "guess", HERE).reason is Reason.THROTTLED
        assert try_password("ada", PASSWORD, HERE).reason is Reason.RIGHT

    def test_a_place_is_the_usual_one_for_30_days(
        self, database: Database, add_user: AddUser, try_password: Try
    ) -> None:
        add_user("ada")
        finish(database, try_password("ada", PASSWORD, HERE))
        later = NOW + timedelta(days=31)
        for number in range(7):
            try_password("ada", "guess", f"203.0.113.{number}", later)
        assert try_password("ada", PASSWORD, HERE, later).reason is Reason.THROTTLED


class TestConfirm:
    def test_only_a_right_try_begins_a_session(
        self, database: Database, add_user: AddUser, try_password: Try
    ) -> None:
        add_user("ada")
        assert finish(database, try_password("ada", "wrong")) is None
        assert finish(database, try_password("bob", PASSWORD)) is None
        assert finish(database, try_password("ada", PASSWORD)) is not None

    def test_disabled_while_the_password_was_verified(
        self, database: Database, add_user: AddUser, try_password: Try
    ) -> None:
        user = add_user("ada")
        verdict = try_password("ada", PASSWORD)
        disable(database, user)
        assert finish(database, verdict) is None

    def test_password_changed_while_it_was_verified(
        self, database: Database, add_user: AddUser, try_password: Try, hasher: PasswordHasher
    ) -> None:
        user = add_user("ada")
        verdict = try_password("ada", PASSWORD)
        with database.writing() as session:
            row = session.get_one(User, user.id)
            users.change_password(session, row, hasher.hash("new"), EndReason.PASSWORD_RESET, NOW)
        assert finish(database, verdict) is None

    def test_a_right_try_is_not_counted(
        self, database: Database, add_user: AddUser, try_password: Try
    ) -> None:
        add_user("ada")
        for _ in range(20):
            assert finish(database, try_password("ada", PASSWORD))

    def test_the_hash_follows_a_change_of_cost(self, database: Database, add_user: AddUser) -> None:
        user = add_user("ada")
        dearer = PasswordHasher(HashPolicy(memory_kib=16, time_cost=2))
        verdict = check_password(database, dearer, "ada", PASSWORD, HERE, NOW)
        with database.writing() as session:
            assert confirm(session, verdict) is not None
        with database.reading() as session:
            assert "$m=16,t=2,p=1$" in session.get_one(User, user.id).password_hash
        assert check_password(database, dearer, "ada", PASSWORD, HERE, NOW).new_hash is None
