"""Whose request is answered next: those of one account wait for each other, and for those of nobody else.

Answers are made in threads that share the processors, so that each of 40 requests at the same time takes 40 times as
long, and so does the one request of somebody else in between. Of one account a few are answered at the same time; the
others wait, in order, without a thread.
"""

import asyncio
from collections import deque

import anyio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imageserver.api.problems import problem_response
from imageserver.errors import TooManyRequests

TURN_SECONDS = 0.5
AT_ONCE = 3  # one more than the processors of a small server: one of them may wait for the disk
MOST_WAITING = 256
_RETRY_SECONDS = 1
_PROBES = ("/healthz", "/readyz")


class RequestTurns:
    """Lets the requests of one account wait for each other, from before they are answered until the answer begins.

    Only what reads waits: who stores waits for turns of its own (`StoreTurns`). What is sent after the head of an
    answer is bounded by the client's pace. A turn does not last long: an answer that waits for a disk, or takes a
    while, does not keep the same person from everything else. It lives on the event loop, so nothing has to be locked.

    Parameters
    ----------
    app : ASGIApp
    at_once : int
        Requests of one account that are answered at the same time.
    most_waiting : int
        How many others may wait; those beyond are answered 429.
    turn_seconds : float
        After how long the next one is let in, although the answer has not begun.
    """

    def __init__(
        self,
        app: ASGIApp,
        at_once: int = AT_ONCE,
        most_waiting: int = MOST_WAITING,
        turn_seconds: float = TURN_SECONDS,
    ) -> None:
        self.app = app
        self.turn_seconds = turn_seconds
        self.at_once = at_once
        self.most_waiting = most_waiting
        self._accounts: dict[str, _Turns] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request when it is its turn, or answer 429."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] in _PROBES:
            await self.app(scope, receive, send)
            return
        account = _account_of(scope)
        turns = self._accounts.setdefault(account, _Turns(self.at_once))
        if len(turns.waiting) >= self.most_waiting:
            await _too_many(self.most_waiting)(scope, receive, send)
            return
        has_turn = True

        def give_back() -> None:
            nonlocal has_turn
            if has_turn:
                has_turn = False
                turns.leave()
                if turns.is_unused:
                    self._accounts.pop(account, None)

        async def send_and_give_back(message: Message) -> None:
            if message["type"] == "http.response.start":
                give_back()
            await send(message)

        await turns.enter()
        end = asyncio.get_running_loop().call_later(self.turn_seconds, give_back)
        try:
            await self.app(scope, receive, send_and_give_back)
        finally:
            end.cancel()
            give_back()


class _Turns:
    """Those of one account."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.taken = 0
        self.waiting: deque[anyio.Event] = deque()

    @property
    def is_unused(self) -> bool:
        """Whether nobody has or wants a turn."""
        return self.taken == 0 and not self.waiting

    async def enter(self) -> None:
        """Wait for a turn."""
        if self.taken < self.at_once:
            self.taken += 1
            return
        turn = anyio.Event()
        self.waiting.append(turn)
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():  # it came at the last moment
                self.leave()
            else:
                self.waiting.remove(turn)
            raise

    def leave(self) -> None:
        """Hand a turn to whoever has waited longest."""
        if self.waiting:
            self.waiting.popleft().set()
        else:
            self.taken -= 1


def _account_of(scope: Scope) -> str:
    """Return what stands for the account before it is known: what it proves itself with, or else where it is."""
    client = scope.get("client")
    return Headers(scope=scope).get("authorization") or (client[0] if client else "")


def _too_many(most: int) -> ASGIApp:
    detail = f"{most} requests of one account may wait for their turn."
    headers = {"Retry-After": str(_RETRY_SECONDS)}
    return problem_response(429, TooManyRequests.code, TooManyRequests.title, detail, headers)
