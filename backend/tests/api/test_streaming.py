"""Answers in pieces: what is small is whole when the answer begins, what is slow does not wait."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import Request
from fastapi.responses import Response

from imageserver.api import streaming
from imageserver.api.streaming import PIECE, WORTH_COPYING, stream
from imageserver.errors import FileGone


def request(*, is_head: bool = False) -> Request:
    return Request({"type": "http", "method": "GET", "headers": [], "state": {"is_head": is_head}})


def send(response: Response) -> list[bytes]:
    """Send an answer to a client that stays; return the pieces of the body."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def take(message: Any) -> None:
        sent.append(message)

    asyncio.run(response({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, take))
    assert [message["more_body"] for message in sent[1:]] == [True] * (len(sent) - 2) + [False]
    pieces = [message["body"] for message in sent[1:]]
    assert {type(piece) for piece in pieces} == {bytes}  # views are compared byte by byte on their way
    return pieces


def test_a_small_answer_needs_no_further_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "run_in_threadpool", lambda *_: pytest.fail("a thread was asked for"))
    monkeypatch.setattr(streaming, "LONGEST_SECONDS", 60.0)
    assert send(stream(request(), [b"head", b"frame", b"end"], "a/b", {}, 12)) == [b"headframeend"]
    assert send(stream(request(), [], "a/b", {}, 0)) == [b""]


def test_pieces_are_gathered_up_to_a_mebibyte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "LONGEST_SECONDS", 60.0)
    made = []

    def pieces() -> Iterator[bytes]:
        for number in range(12):
            made.append(number)
            yield bytes([number]) * (PIECE // 4)

    response = stream(request(), pieces(), "a/b", {})
    assert made == [0, 1, 2, 3]
    assert b"".join(send(response)) == b"".join(bytes([number]) * (PIECE // 4) for number in range(12))


def test_small_neighbours_are_sent_together_and_large_pieces_as_they_are() -> None:
    large = bytes(WORTH_COPYING)
    sent = send(stream(request(), [b"head", b"", b"small", large, b"end", b"head", large, b"end"], "a/b", {}))
    assert sent == [b"headsmall", large, b"endhead", large, b"end"]
    assert sent[1] is large


def test_a_large_piece_is_sent_in_parts() -> None:
    content = bytes(range(256)) * (PIECE // 100)
    sent = send(stream(request(), [content], "a/b", {}))
    assert b"".join(sent) == content
    assert max(map(len, sent)) == PIECE


def test_slow_pieces_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    made = []

    def pieces() -> Iterator[bytes]:
        nonlocal now
        for number in range(3):
            now += 1.0
            made.append(number)
            yield b"slow"

    monkeypatch.setattr(time, "monotonic", lambda: now)
    stream(request(), pieces(), "a/b", {})
    assert made == [0]


def test_what_is_wrong_with_the_first_piece_is_raised_before_anything_is_sent() -> None:
    def pieces() -> Iterator[bytes]:
        raise FileGone("gone")
        yield b""

    with pytest.raises(FileGone):
        stream(request(), pieces(), "a/b", {})


def test_for_head_nothing_is_made() -> None:
    pieces = (pytest.fail("a piece was made") for _ in range(1))
    assert stream(request(is_head=True), pieces, "a/b", {}, 5).headers["Content-Length"] == "5"
