"""Hashing of passwords: Argon2id through the ``passlib`` interface, and a bound on how much of it happens at once.

The only module that knows ``passlib`` (distribution ``libpass``).
"""

import os
import secrets
import threading
import unicodedata
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from passlib.context import CryptContext

from imageserver.errors import Busy, InvalidParameter

LONGEST_BYTES = 1024
WAIT_SECONDS = 2.0
WAITING_PER_SLOT = 8
MOST_WAITING = 16  # requests are served by 40 threads: some must be left for everybody else


@dataclass(frozen=True)
class HashPolicy:
    """Cost of one hash: memory in KiB, passes over it, lanes."""

    memory_kib: int
    time_cost: int
    parallelism: int = 1


POLICY = HashPolicy(memory_kib=46 * 1024, time_cost=1)  # OWASP's first choice for Argon2id


def prepare_password(text: str) -> str:
    """Normalise a password as it is hashed: NFKC (NIST SP 800-63B-4, section 3.1.1.2), nothing cut off.

    Raises
    ------
    InvalidParameter
        If it has more than 1,024 bytes in UTF-8, before or after that, or is no valid Unicode text.
    """
    try:
        is_too_long = len(text.encode()) > LONGEST_BYTES
    except UnicodeEncodeError:  # a lone surrogate, which JSON can carry
        raise InvalidParameter("The password is not valid Unicode text.") from None
    normalised = "" if is_too_long else unicodedata.normalize("NFKC", text)
    if is_too_long or len(normalised.encode()) > LONGEST_BYTES:  # one character can become eighteen
        raise InvalidParameter(f"The password has more than {LONGEST_BYTES} bytes.")
    return normalised


class PasswordHasher:
    """Hashes and verifies; ``slot()`` bounds how many do so at once.

    Parameters
    ----------
    policy : HashPolicy
        Cost of new hashes.
    slots : int
        Hashes at once in this process; by default one per processor.
    """

    def __init__(self, policy: HashPolicy = POLICY, slots: int | None = None) -> None:
        self._context = CryptContext(
            schemes=["argon2"],
            argon2__type="ID",
            argon2__memory_cost=policy.memory_kib,
            argon2__time_cost=policy.time_cost,
            argon2__parallelism=policy.parallelism,
            argon2__salt_size=16,
        )
        self._dummy = _unmatchable_hash(policy)
        count = slots or os.cpu_count() or 1
        self._slots = threading.BoundedSemaphore(count)
        self._places = threading.BoundedSemaphore(count + min(count * WAITING_PER_SLOT, MOST_WAITING))

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the places in which hashing is allowed.

        Raises
        ------
        Busy
            If none becomes free within two seconds, or too many wait already.
        """
        if not self._places.acquire(blocking=False):
            raise Busy("Too many people log in at this moment; try again.")
        try:
            if not self._slots.acquire(timeout=WAIT_SECONDS):
                raise Busy("Too many people log in at this moment; try again.")
            try:
                yield
            finally:
                self._slots.release()
        finally:
            self._places.release()

    def hash(self, password: str) -> str:
        """Hash a prepared password; the result is a PHC string with its own parameters and salt."""
        hashed: str = self._context.hash(password)
        return hashed

    def verify(self, password: str, stored: str | None) -> bool:
        """Compare a prepared password with a stored hash; without one, do the same work and say no."""
        matches: bool = self._context.verify(password, stored or self._dummy)
        return matches and stored is not None

    def needs_update(self, stored: str) -> bool:
        """Tell whether a hash was made with another cost than the present one."""
        needed: bool = self._context.needs_update(stored)
        return needed


def _unmatchable_hash(policy: HashPolicy) -> str:
    # A well-formed hash of no known password: verifying against it costs what a real one costs.
    salt, digest = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    cost = f"m={policy.memory_kib},t={policy.time_cost},p={policy.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"
