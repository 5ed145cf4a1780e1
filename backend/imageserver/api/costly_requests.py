"""How many costly requests one user may have open: pictures, volumes, objects, searches; to their last byte."""

import threading
from collections import Counter
from collections.abc import AsyncIterator

from fastapi import Depends, Request

from imageserver.api.authentication import CurrentUser
from imageserver.errors import TooManyRequests

MOST_OPEN = 8
_RETRY_SECONDS = 1


class CostlyRequests:
    """Counts open requests of each user; safe to use from many threads."""

    def __init__(self, most_open: int = MOST_OPEN) -> None:
        self._most_open = most_open
        self._open: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, user_id: str) -> None:
        """Take a place.

        Raises
        ------
        TooManyRequests
            If the user has all places; the others' requests keep their threads.
        """
        with self._lock:
            if self._open[user_id] < self._most_open:
                self._open[user_id] += 1
                return
        raise TooManyRequests(
            f"{self._most_open} costly requests (pictures, volumes, whole objects, searches in headers) are "
            "answered at the same time for one account.",
            retry_after=_RETRY_SECONDS,
        )

    def leave(self, user_id: str) -> None:
        """Give a place back."""
        with self._lock:
            self._open[user_id] -= 1
            if not self._open[user_id]:
                del self._open[user_id]


async def take_place(request: Request, user: CurrentUser) -> AsyncIterator[None]:
    """Hold a place from before the request is answered until its answer is sent; never waits."""
    places: CostlyRequests = request.app.state.costly_requests
    places.enter(user.user_id)
    try:
        yield
    finally:
        places.leave(user.user_id)


COSTLY = [Depends(take_place)]
