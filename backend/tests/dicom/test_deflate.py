import io
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageserver.dicom.deflate import inflate
from imageserver.dicom.limits import FileRefused


def deflated(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


class TestInflate:
    @given(st.binary(max_size=5000), st.binary(max_size=20))
    def test_gives_back_what_was_deflated(self, data: bytes, before: bytes) -> None:
        assert inflate(io.BytesIO(before + deflated(data)), len(before), len(data)) == data

    def test_a_pad_byte_behind_it_does_not_matter(self) -> None:
        assert inflate(io.BytesIO(deflated(b"data") + b"\0"), 0, 100) == b"data"

    def test_one_byte_too_many_is_refused(self) -> None:
        with pytest.raises(FileRefused, match="grows beyond 99 bytes"):
            inflate(io.BytesIO(deflated(b"x" * 100)), 0, 99)

    def test_a_bomb_takes_no_more_memory_than_allowed(self) -> None:
        bomb = io.BytesIO(deflated(b"\0" * 100_000_000))
        tracemalloc.start()
        with pytest.raises(FileRefused) as caught:
            inflate(bomb, 0, 10_000_000)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert caught.value.code == "too_large_inflated"
        assert peak < 25_000_000

    def test_damage_and_cuts(self) -> None:
        with pytest.raises(FileRefused) as caught:
            inflate(io.BytesIO(b"\xff" * 50), 0, 1000)
        assert caught.value.code == "bad_deflate"
        with pytest.raises(FileRefused) as caught:
            inflate(io.BytesIO(deflated(b"abc" * 100)[:-3]), 0, 1000)
        assert caught.value.code == "truncated"
