"""Slowing down guesses, by a fake clock."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from imageserver.accounts import throttling
from imageserver.accounts.throttling import account_key, network_key, wait_after
from imageserver.database import Database

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ACCOUNT, NETWORK = "account:a", network_key("192.0.2.7")


def attempt(database: Database, now: datetime, *keys: str) -> int | None:
    with database.writing() as session:
        return throttling.count_attempt(session, keys or (ACCOUNT, NETWORK), now)


def fail(database: Database, times: int, *keys: str, start: datetime = NOW) -> datetime:
    """Fail so often, each time as soon as it is allowed; return the time of the last failure."""
    now = start
    for _ in range(times):
        if (wait := attempt(database, now, *keys)) is not None:
            now += timedelta(seconds=wait)
            assert attempt(database, now, *keys) is None
    return now


class TestWait:
    def test_doubles_from_the_sixth_failure_to_a_quarter_of_an_hour(self) -> None:
        seconds = [wait_after(failures).total_seconds() for failures in range(18)]
        assert seconds == [0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]

    def test_never_grows_further(self) -> None:
        assert wait_after(10**9) == timedelta(seconds=900)


class TestCounting:
    def test_five_failures_are_free(self, database: Database) -> None:
        assert [attempt(database, NOW) for _ in range(7)] == [None] * 6 + [1]

    @pytest.mark.parametrize("failures", [6, 7, 10, 15, 16, 30])
    def test_the_wait_ends_to_the_microsecond(self, database: Database, failures: int) -> None:
        last = fail(database, failures)
        seconds = wait_after(failures).total_seconds()
        end = last + timedelta(seconds=seconds)
        assert attempt(database, last) == seconds
        assert attempt(database, end - timedelta(microseconds=1)) == 1
        assert attempt(database, end) is None

    def test_a_try_during_the_wait_does_not_lengthen_it(self, database: Database) -> None:
        last = fail(database, 10)
        for _ in range(50):
            assert attempt(database, last) == 16
        assert attempt(database, last + timedelta(seconds=16)) is None

    def test_accounts_are_independent(self, database: Database) -> None:
        last = fail(database, 10, "account:a")
        assert attempt(database, last, "account:b") is None

    def test_many_accounts_from_one_network_are_slowed_down(self, database: Database) -> None:
        waits = [attempt(database, NOW, f"account:{number}", NETWORK) for number in range(8)]
        assert waits == [None] * 6 + [1, 1]

    def test_many_networks_against_one_account_are_slowed_down(self, database: Database) -> None:
        waits = [attempt(database, NOW, ACCOUNT, network_key(f"192.0.2.{n}")) for n in range(8)]
        assert waits == [None] * 6 + [1, 1]

    def test_a_try_that_must_wait_counts_nowhere(self, database: Database) -> None:
        fail(database, 6, ACCOUNT)
        for _ in range(20):
            assert attempt(database, NOW, ACCOUNT, NETWORK) == 1
        assert attempt(database, NOW, "account:b", NETWORK) is None

    def test_of_64_at_once_no_more_are_looked_at_than_allowed(self, database: Database) -> None:
        with ThreadPoolExecutor(16) as pool:
            waits = list(pool.map(lambda _: attempt(database, NOW), range(64)))
        assert waits.count(None) == 6

    def test_counters_outlive_a_restart_and_are_shared(self, database: Database, database_url: str) -> None:
        fail(database, 6)
        other = Database(database_url)
        assert attempt(other, NOW) == 1
        other.dispose()


class TestForgiving:
    def test_the_right_password_starts_anew(self, database: Database) -> None:
        fail(database, 4)
        attempt(database, NOW)
        with database.writing() as session:
            throttling.forgive(session, ACCOUNT, NETWORK)
        assert [attempt(database, NOW) for _ in range(7)] == [None] * 6 + [1]

    def test_an_own_account_does_not_forgive_guesses_at_others(self, database: Database) -> None:
        for number in range(5):
            attempt(database, NOW, f"account:{number}", NETWORK)
        attempt(database, NOW, "account:mine", NETWORK)
        with database.writing() as session:
            throttling.forgive(session, "account:mine", NETWORK)
        assert attempt(database, NOW, "account:6", NETWORK) is None
        assert attempt(database, NOW, "account:7", NETWORK) == 1

    def test_right_and_wrong_tries_may_come_at_once(self, database: Database) -> None:
        def try_once(number: int) -> int | None:
            wait = attempt(database, NOW)
            if number % 2:
                with database.writing() as session:
                    throttling.forgive(session, ACCOUNT, NETWORK)
            return wait

        with ThreadPoolExecutor(8) as pool:
            assert len(list(pool.map(try_once, range(80)))) == 80

    def test_removed_counters_are_no_error(self, database: Database) -> None:
        with database.writing() as session:
            throttling.forgive(session, ACCOUNT, NETWORK)

    def test_a_reset_removes_all_counters_of_the_account(self, database: Database) -> None:
        for key in ("account:a", "account:a@192.0.2.7", "account:b"):
            fail(database, 6, key)
        with database.writing() as session:
            throttling.forget_account(session, "a")
        waits = [attempt(database, NOW, key) for key in ("account:a", "account:a@192.0.2.7", "account:b")]
        assert waits == [None, None, 1]


class TestResting:
    def test_an_account_is_forgotten_after_a_day(self, database: Database) -> None:
        last = fail(database, 20, ACCOUNT)
        day = timedelta(hours=24)
        assert attempt(database, last + day - timedelta(seconds=1), ACCOUNT) is None
        fail(database, 5, "account:b", start=NOW)
        assert [attempt(database, NOW + day, "account:b") for _ in range(7)] == [None] * 6 + [1]

    def test_a_network_is_forgotten_after_an_hour(self, database: Database) -> None:
        last = fail(database, 20, NETWORK)
        later = last + timedelta(hours=1)
        assert [attempt(database, later, NETWORK) for _ in range(7)] == [None] * 6 + [1]

    def test_rested_counters_are_removed(self, database: Database) -> None:
        fail(database, 3, "account:old")
        later = NOW + timedelta(hours=25)
        fail(database, 3, "account:new", start=later)
        with database.writing() as session:
            throttling.forget_rested(session, later)
            keys = session.query(throttling.ThrottleCounter.key).all()
        assert keys == [("account:new",)]

    @pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=1), timedelta(days=400)])
    def test_a_clock_set_back_locks_nobody_out(self, database: Database, back: timedelta) -> None:
        fail(database, 7, start=NOW)
        earlier = NOW - back
        wait = attempt(database, earlier)
        assert wait is not None
        assert wait <= 900
        assert attempt(database, earlier + timedelta(seconds=wait)) is None


class TestSlowGuessing:
    def test_three_days_against_one_account(self, database: Database) -> None:
        """One guesser who never waits longer than needed gets about a hundred guesses a day, from wherever."""
        now, guesses = NOW, 0
        while now < NOW + timedelta(days=3):
            wait = attempt(database, now, ACCOUNT, network_key(f"192.0.2.{guesses % 200}"))
            guesses += wait is None
            now += timedelta(seconds=wait or 0)
        assert guesses <= 3 * 100 + 20


class TestKeys:
    def test_a_stranger_and_the_user_have_counters_of_their_own(self) -> None:
        stranger = account_key("id", "ada", "198.51.100.9", is_known_network=False)
        at_home = account_key("id", "ada", "192.0.2.7", is_known_network=True)
        assert stranger != at_home
        assert stranger == account_key("id", "ada", "203.0.113.1", is_known_network=False)

    def test_a_name_without_account_is_not_kept(self) -> None:
        key = account_key(None, "a password in the wrong field", "192.0.2.7", is_known_network=False)
        assert "password" not in key
        assert len(key) <= len("name:") + 8

    def test_any_text_has_a_key(self) -> None:
        assert account_key(None, "\ud800\0", "x", is_known_network=False)
