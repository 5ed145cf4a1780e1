"""How slowly a body may come; the clock is turned by hand."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from imageserver.api.request_body import Pace, RequestBody
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
        body = RequestBody(self, pace, lambda: self.now)  # type: ignore[arg-type]

        async def run() -> int:
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
    body = RequestBody(request, clock=lambda: request.now)  # type: ignore[arg-type]

    async def run() -> list[Any]:
        first = await body._next_part()
        request.now += 10_000  # in which it writes
        return [first, await body._next_part(), await body._next_part()]

    assert asyncio.run(run()) == [b"a", b"b", None]


def test_a_slow_body_is_given_up() -> None:
    with pytest.raises(TooSlow, match="8192 bytes a second"):
        Slow(*[(1.0, b"x")] * 100).read(NoPatience())
