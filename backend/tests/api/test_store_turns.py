"""Turns to store: nobody takes those of everybody."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import anyio
import pytest

from imageserver.api.store_turns import StoreTurns
from imageserver.errors import Busy, TooManyRequests

SHORT = 0.05


def run(test: Callable[[], Awaitable[None]]) -> None:
    anyio.run(test)


def test_one_user_leaves_turns_to_others() -> None:
    async def test() -> None:
        turns = StoreTurns(8, 4, SHORT)
        async with AsyncExitStack() as held:
            for _ in range(4):
                await held.enter_async_context(turns.turn("slow"))
            with pytest.raises(TooManyRequests) as raised:
                await held.enter_async_context(turns.turn("slow"))
            assert raised.value.retry_after > 0
            async with turns.turn("another"):
                pass

    run(test)


def test_all_turns_are_taken() -> None:
    async def test() -> None:
        turns = StoreTurns(2, 1, SHORT)
        async with turns.turn("a"), turns.turn("b"):
            with pytest.raises(Busy):
                async with turns.turn("c"):
                    pass
        async with turns.turn("c"), turns.turn("a"):
            pass

    run(test)


def test_a_request_that_waits_gets_the_turn_that_is_given_back() -> None:
    async def test() -> None:
        turns = StoreTurns(2, 1, 60.0)
        order = []

        async def second() -> None:
            async with turns.turn("a"):
                order.append("second")

        async with anyio.create_task_group() as group, turns.turn("a"):
            group.start_soon(second)
            await anyio.wait_all_tasks_blocked()
            order.append("first")
        assert order == ["first", "second"]
        assert not turns._users

    run(test)


def test_who_gives_up_waiting_keeps_nothing() -> None:
    async def test() -> None:
        turns = StoreTurns(1, 1, 60.0)

        async def wait() -> None:
            async with turns.turn("a"):
                pass

        async with turns.turn("a"), anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        assert not turns._users
        async with turns.turn("a"):
            pass

    run(test)
