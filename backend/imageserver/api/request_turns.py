"""Whose request is answered next: those of one token wait for each other, and for those of nobody else.

Answers are made in threads that share the processors, so that each of 40 requests at the same time takes 40 times as
long, and so does the one request of somebody else in between. Of one token a few are answered at the same time; the
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


class RequestTurns:
    """Lets the requests of one token wait for each other, from before they are answered until the answer begins.

    Only what reads waits: who stores waits for turns of its own (`StoreTurns`). What comes without a token is
    answered at once, mostly with 401; people behind one address do not wait for each other. What is sent after the
    head of an answer is bounded by the client's pace. A turn does not last long: an answer that waits for a disk, or
    takes a while, does not keep the same person from everything else. It lives on the event loop, so nothing has to
    be locked.

    Parameters
    ----------
    app : ASGIApp
    at_once : int
        Requests of one token that are answered at the same time.
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
        self._tokens: dict[str, _Turns] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request when it is its turn, or answer 429."""
        token = _token_of(scope) if scope["type"] == "http" and scope["method"] == "GET" else ""
        if not token:
            await self.app(scope, receive, send)
            return
        turns = self._tokens.setdefault(token, _Turns(self.at_once))
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
                    self._tokens.pop(token, None)

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
    """Those of one token."""

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


def _token_of(scope: Scope) -> str:
    """Return what a request proves itself with, however the header is spelt; nothing where it has none."""
    return Headers(scope=scope).get("authorization", "").strip().rpartition(" ")[2]


def _too_many(most: int) -> ASGIApp:
    detail = f"{most} requests of one token may wait for their turn."
    headers = {"Retry-After": str(_RETRY_SECONDS)}
    return problem_response(429, TooManyRequests.code, TooManyRequests.title, detail, headers)
