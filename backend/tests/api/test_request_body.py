"""How slowly a body may come; the clock is turned by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from imageserver.api.request_body import PIECE_BYTES, Pace, RequestBody
from imageserver.errors import TooSlow

LEAST = 8 * 1024 * 15


class TestPace:
    def test_the_first_window_is_not_counted(self) -> None:
        assert Pace().patience == 30.0

    def test_a_client_that_brings_enough_goes_on_for_ever(self) -> None:
        pace = Pace()
        for _ in range(1000):  # 8 KiB a second
            assert pace.patience >= 5.0
            pace.note(5.0, 5 * 8 * 1024)

    def test_a_byte_now_and_then_is_not_enough(self) -> None:
        pace = Pace()
        waited = 0.0
        while pace.patience >= 1.0:
            pace.note(1.0, 1)
            waited += 1.0
        assert 29.0 <= waited <= 30.0  # the grace, and one window

    def test_what_came_in_one_window_does_not_count_in_the_next(self) -> None:
        pace = Pace()
        pace.note(1.0, 100 * LEAST)
        pace.note(28.0, 1)
        assert pace.patience == pytest.approx(1.0)

    def test_enough_in_this_window_gives_the_time_of_the_next(self) -> None:
        pace = Pace()
        pace.note(20.0, LEAST)
        assert pace.patience == pytest.approx(10.0 + 15.0)

    def test_a_window_that_ends_at_once(self) -> None:
        pace = Pace()
        pace.note(30.0, LEAST)
        assert pace.patience == pytest.approx(15.0)


class Slow:
    """A request whose parts come after so many seconds of a clock of its own."""

    def __init__(self, *parts: tuple[float, bytes]) -> None:
        self.now = 0.0
        self._parts = parts

    async def stream(self) -> AsyncIterator[bytes]:
        for seconds, part in self._parts:
            self.now += seconds
            for _ in range(3):  # so that waiting can be given up
                await asyncio.sleep(0)
            yield part

    def read(self, pace: Pace) -> int:
        async def run() -> int:
            body = RequestBody(self, pace, lambda: self.now)  # type: ignore[arg-type]
            size = 0
            while piece := await body._next_piece():
                size += len(piece)
            return size

        return asyncio.run(run())


class NoPatience(Pace):
    """Has none as soon as there are less than so many seconds."""

    @property
    def patience(self) -> float:
        left = super().patience
        return left if left >= 1.0 else -1.0


def test_a_fast_body_is_read() -> None:
    assert Slow(*[(0.001, bytes(60_000))] * 100).read(Pace()) == 6_000_000


def test_the_time_of_the_server_does_not_count() -> None:
    request = Slow((0.0, b"a"), (0.0, b"b"))

    async def run() -> list[Any]:
        body = RequestBody(request, clock=lambda: request.now)  # type: ignore[arg-type]
        first = await body._next_part()
        request.now += 10_000  # in which it writes
        return [first, await body._next_part(), await body._next_part()]

    assert asyncio.run(run()) == [b"a", b"b", None]


def test_a_slow_body_is_given_up() -> None:
    with pytest.raises(TooSlow, match="8192 bytes a second"):
        Slow(*[(1.0, b"x")] * 100).read(NoPatience())


class Counted:
    """A request of pieces without an end that tells how many were taken, and then fails or never goes on."""

    def __init__(self, pieces: int, error: Exception | None = None) -> None:
        self.pieces = pieces
        self.error = error
        self.taken = 0
        self.is_given_up = False

    async def stream(self) -> AsyncIterator[bytes]:
        for number in range(self.pieces):
            self.taken += 1
            yield bytes([number]) * PIECE_BYTES
        if self.error is not None:
            raise self.error
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.is_given_up = True
            raise


def in_thread(request: Counted, work: Callable[[RequestBody], Any]) -> Any:
    async def run() -> Any:
        body = RequestBody(request)  # type: ignore[arg-type]
        try:
            return await asyncio.to_thread(work, body)
        finally:
            await body.close()

    return asyncio.run(run())


def test_nothing_is_read_before_it_is_wanted() -> None:
    request = Counted(3)
    in_thread(request, lambda body: None)
    assert request.taken == 0


def test_one_piece_is_read_ahead_and_no_more() -> None:
    request = Counted(9)

    def work(body: RequestBody) -> bytes:
        first = next(body)
        assert body._coming is not None
        body._coming.result()
        return first

    assert in_thread(request, work) == bytes([0]) * PIECE_BYTES
    assert request.taken == 2


def test_all_pieces_come_in_order() -> None:
    request = Counted(5, ClientDisconnect())
    assert in_thread(request, lambda body: [next(body)[0] for _ in range(5)]) == [0, 1, 2, 3, 4]


def test_an_end_is_told_again_and_again() -> None:
    class Short(Counted):
        async def stream(self) -> AsyncIterator[bytes]:
            yield b"abc"

    assert in_thread(Short(0), lambda body: [*body, *body, next(body, None)]) == [b"abc", None]


def test_a_client_that_goes_is_told_to_who_reads() -> None:
    with pytest.raises(ClientDisconnect):
        in_thread(Counted(2, ClientDisconnect()), list)


def test_what_is_awaited_is_given_up_with_the_request() -> None:
    request = Counted(1)
    assert in_thread(request, lambda body: len(next(body))) == PIECE_BYTES
    assert request.is_given_up


def test_a_thread_that_nobody_waits_for_does_not_take_that_for_the_end() -> None:
    request = Counted(3)

    async def run() -> None:
        body = RequestBody(request)  # type: ignore[arg-type]
        await asyncio.to_thread(next, body)
        await body.close()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.to_thread(list, body)

    asyncio.run(run())
