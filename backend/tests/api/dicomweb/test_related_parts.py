"""Reading multipart/related; what is generated is written by the library of Python for mail, or by hand."""

import random
import tracemalloc
from collections.abc import Iterator

import pytest

from imageserver.api.dicomweb.related_parts import check_boundary, read_parts
from imageserver.errors import MalformedBody
from tests.storing import BOUNDARY, related

FUZZED = 2000


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def contents(body: bytes, size: int = 1 << 20) -> list[bytes]:
    return [b"".join(part.content) for part in read_parts(pieces(body, size), BOUNDARY.encode())]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
def test_pieces_of_any_size(size: int) -> None:
    parts = [b"", b"\r\n", b"--", b"\r\n--a-bound", bytes(range(256)) * 3, b"--a-boundary", b"-" * 100]
    assert contents(related(parts), size) == parts


def test_headers_in_lower_case() -> None:
    body = b"--a-boundary\r\nCONTENT-type:  application/dicom \r\nX: y\r\n\r\nz\r\n--a-boundary--"
    [part] = [(part.headers, b"".join(part.content)) for part in read_parts([body], b"a-boundary")]
    assert part == ({"content-type": "application/dicom", "x": "y"}, b"z")


@pytest.mark.parametrize(
    "preamble",
    [
        b"\r\n",
        b"words\r\n",
        b"\r\n--another\r\n",
        b"x" * 60_000 + b"\r\n",
        b"--a-boundary-of-something-else\r\n",
        b"--a-boundary and words\r\n",
        b" --a-boundary\r\n",
    ],
)
def test_what_stands_in_front_is_left_out(preamble: bytes) -> None:
    assert contents(preamble + related([b"one"]) + b"\r\nand behind", 100) == [b"one"]


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("padding", [b" ", b"\t", b" \t  "])
def test_blanks_behind_a_boundary_mean_nothing(padding: bytes, size: int) -> None:
    """RFC 2046, 5.1.1, transport-padding."""
    line = b"--a-boundary" + padding + b"\r\n"
    body = line + b"\r\none\r\n" + line + b"X: y\r\n\r\ntwo\r\n--a-boundary--" + padding + b"\r\n"
    assert contents(body, size) == [b"one", b"two"]


@pytest.mark.parametrize("end", [b"--a-boundary--", b"words\r\n--a-boundary--\r\n"])
def test_no_parts(end: bytes) -> None:
    assert contents(end) == []


def test_a_preamble_without_end() -> None:
    with pytest.raises(MalformedBody):
        contents(b"x" * 100_000, 1000)


def test_content_that_nobody_reads_is_passed_over() -> None:
    assert len(list(read_parts(pieces(related([b"x" * 5000, b"y"]), 100), BOUNDARY.encode()))) == 2


@pytest.mark.parametrize("boundary", ["a", "a" * 70, "a" * 200, "a b", "'()+_,-./:=?"])
def test_a_boundary(boundary: str) -> None:
    assert check_boundary(boundary) == boundary.encode()


@pytest.mark.parametrize("boundary", ["", "a" * 201, "a ", "a\r\nb", "ä", 'a"b', "a;b"])
def test_no_boundary(boundary: str) -> None:
    with pytest.raises(MalformedBody):
        check_boundary(boundary)


def test_cut_at_every_byte() -> None:
    body = related([b"one", b"two"])
    for end in range(len(body) - len(b"\r\n")):
        with pytest.raises(MalformedBody):
            contents(body[:end])


def test_mutated() -> None:
    """Whatever comes is parts, or a malformed body, and never more bytes than came."""
    choose = random.Random(20261122)
    body = related([b"one", bytes(300), b"\r\n--a-bound"])
    for _ in range(FUZZED):
        mutated = bytearray(body)
        for _ in range(choose.randint(1, 8)):
            at = choose.randrange(len(mutated))
            change = choose.randrange(3)
            if change == 0:
                mutated[at] = choose.randrange(256)
            elif change == 1:
                del mutated[at : at + choose.randint(1, 40)]
            else:
                mutated[at:at] = choose.choice(
                    [b"\r\n", b"--a-boundary", b":", b"\0", b"--", b"\r", b"x" * 1100]
                )
            if not mutated:
                break
        try:
            found = contents(bytes(mutated), choose.choice([1, 5, 100, 10_000]))
        except MalformedBody:
            continue
        assert sum(map(len, found)) < len(mutated)


def test_memory_is_bounded() -> None:
    def body() -> Iterator[bytes]:
        yield b"--a-boundary\r\n\r\n"
        for _ in range(200):
            yield bytes(1 << 20)
        yield b"\r\n--a-boundary--"

    tracemalloc.start()
    try:
        size = sum(len(chunk) for part in read_parts(body(), b"a-boundary") for chunk in part.content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == 200 << 20
    assert peak < 16 << 20
