"""Slowing down guesses: after five failures in a row each try must wait, 1 s at first, doubling to 900 s.

Failures are counted per account and per client network, in the database, so that all workers share them and a
restart forgets nothing. A try is counted as failed *before* the password is looked at, and taken back when it was
right: however many come at once, no more are looked at than the counters allow. Nothing here lasts: after the wait
the right password works, and a counter that rests is forgotten.

An account has one counter for the client networks from which its user logged in lately, each network its own, and
one for all strangers together. So a stranger's guesses do not keep the user away from the usual place. There the
counter of the network does not count either: it slows down who tries many accounts, not the people who share an
address with such a person.
"""

import hashlib
import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from imageserver.accounts.models import ThrottleCounter

FREE_FAILURES = 5
LONGEST_WAIT = timedelta(seconds=900)
ACCOUNT_MEMORY = timedelta(hours=24)
NETWORK_MEMORY = timedelta(hours=1)  # many people may share one address
NETWORK_PREFIX = "network:"
TOKENS_PREFIX = "network:tokens:"


def account_key(user_id: str | None, username: str, network: str, *, is_known_network: bool) -> str:
    """Name the counter of an account, as seen from a network.

    A name without an account has a counter too, or its absence would tell. What was typed may be a password in the
    wrong field, so only 32 bits of its hash are kept.
    """
    if user_id is None:
        return f"name:{hashlib.sha256(username.encode(errors='replace')).hexdigest()[:8]}"
    return f"account:{user_id}" + (f"@{network}" if is_known_network else "")


def network_key(network: str) -> str:
    """Name the counter of a client network."""
    return NETWORK_PREFIX + network


def tokens_key(network: str) -> str:
    """Name the counter of requests from a client network with tokens of programs that open nothing."""
    return TOKENS_PREFIX + network


def seconds_to_wait(session: Session, key: str, now: datetime) -> int:
    """Return how many whole seconds a counter still demands, without counting anything."""
    counter = session.get(ThrottleCounter, key)
    if counter is None or counter.last_failure > now:  # a clock that was set back is for who counts
        return 0
    return max(0, math.ceil((counter.blocked_until - now).total_seconds()))


def wait_after(failures: int) -> timedelta:
    """Return how long the next try must wait after so many failures in a row."""
    if failures <= FREE_FAILURES:
        return timedelta(0)
    return min(timedelta(seconds=2 ** min(failures - FREE_FAILURES - 1, 20)), LONGEST_WAIT)


def count_attempt(session: Session, keys: Sequence[str], now: datetime) -> int | None:
    """Count a try as failed under all keys, unless one of them must still wait.

    Returns
    -------
    int or None
        Whole seconds to wait; nothing was counted then. None: the password may be looked at.
    """
    counters = [_lock_counter(session, key, now) for key in sorted(keys)]  # one order: no deadlock
    waits = [(counter.blocked_until - now).total_seconds() for counter in counters]
    if max(waits) > 0:
        return math.ceil(max(waits))
    for counter in counters:
        counter.failures += 1
        counter.last_failure = now
        counter.blocked_until = now + wait_after(counter.failures)
    return None


def forgive(session: Session, account: str, network: str | None = None) -> None:
    """Take back the counted try, and the failures of its account, which its owner evidently made.

    ``network`` is the counter of the network where the try was counted there, too. The rows stay, because a parallel
    try may be about to lock one of them.
    """
    rows = select(ThrottleCounter).where(ThrottleCounter.key.in_([account, network]))
    ordered = session.scalars(rows.order_by(ThrottleCounter.key).with_for_update())
    counters = {counter.key: counter for counter in ordered}
    forgiven = counters[account].failures if account in counters else 1
    for counter in counters.values():
        counter.failures = max(0, counter.failures - forgiven)
        counter.blocked_until = counter.last_failure + wait_after(counter.failures)


def forget_account(session: Session, user_id: str) -> None:
    """Remove all counters of an account."""
    session.execute(
        delete(ThrottleCounter).where(ThrottleCounter.key.startswith(f"account:{user_id}", autoescape=True))
    )


def forget_rested(session: Session, now: datetime) -> None:
    """Remove counters that nobody has touched for so long that they mean nothing any more."""
    rested = select(ThrottleCounter.key).where(ThrottleCounter.last_failure < now - ACCOUNT_MEMORY)
    # A row that somebody locks just now is in use again, and waiting for it could be a deadlock.
    keys = session.scalars(rested.with_for_update(skip_locked=True)).all()
    session.execute(delete(ThrottleCounter).where(ThrottleCounter.key.in_(keys)))


def _lock_counter(session: Session, key: str, now: datetime) -> ThrottleCounter:
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    new = {"key": key, "failures": 0, "last_failure": now, "blocked_until": now}
    session.execute(dialect.insert(ThrottleCounter).values(**new).on_conflict_do_nothing())
    row = select(ThrottleCounter).where(ThrottleCounter.key == key).with_for_update()
    counter = session.scalars(row.execution_options(populate_existing=True)).one()
    memory = NETWORK_MEMORY if key.startswith(NETWORK_PREFIX) else ACCOUNT_MEMORY
    if now - counter.last_failure >= memory:
        counter.failures, counter.blocked_until = 0, now
    elif counter.last_failure > now:  # the clock was set back: the wait starts again, and is not longer
        counter.last_failure, counter.blocked_until = now, now + wait_after(counter.failures)
    return counter
