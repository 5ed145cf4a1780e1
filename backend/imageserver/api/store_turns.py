"""Who may store just now: requests wait for their turn, and nobody takes the turns of everybody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from imageserver.errors import Busy, TooManyRequests

AT_ONCE = 8  # requests of one process that are written at the same time
OF_ONE_USER = 4  # so that one with slow connections does not keep all others from storing
WAIT_SECONDS = 60.0
_RETRY_SECONDS = 5


class StoreTurns:
    """Lives on the event loop, so nothing has to be locked; waiting takes no thread, and no byte of the body is read.

    Parameters
    ----------
    at_once : int
        Turns of all users together.
    of_one_user : int
        Turns of each.
    wait_seconds : float
        How long a request waits for its turn.
    """

    def __init__(
        self, at_once: int = AT_ONCE, of_one_user: int = OF_ONE_USER, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self.of_one_user = of_one_user
        self.wait_seconds = wait_seconds
        self.threads = anyio.CapacityLimiter(at_once)
        self._all = anyio.Semaphore(at_once)
        self._users: dict[str, _Turns] = {}

    @asynccontextmanager
    async def turn(self, user_id: str) -> AsyncIterator[None]:
        """Wait for a turn, and keep it until the end of the block.

        Raises
        ------
        TooManyRequests
            If the other requests of this user take too long.
        Busy
            If those of other users do.
        """
        own = self._users.setdefault(user_id, _Turns(self.of_one_user))
        own.requests += 1
        try:
            with anyio.move_on_after(self.wait_seconds) as waiting:
                await own.free.acquire()
            if waiting.cancelled_caught:
                raise TooManyRequests(
                    f"{self.of_one_user} requests of one account are stored at the same time; the others wait, and "
                    "this one has waited too long.",
                    retry_after=_RETRY_SECONDS,
                )
            try:
                with anyio.move_on_after(self.wait_seconds) as waiting:
                    await self._all.acquire()
                if waiting.cancelled_caught:
                    raise Busy("Too many requests are being stored; try again in a moment.")
                try:
                    yield
                finally:
                    self._all.release()
            finally:
                own.free.release()
        finally:
            own.requests -= 1
            if not own.requests:
                del self._users[user_id]


class _Turns:
    """Those of one user, and how many requests have or want one."""

    def __init__(self, turns: int) -> None:
        self.free = anyio.Semaphore(turns)
        self.requests = 0
