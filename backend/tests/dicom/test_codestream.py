import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imageserver.dicom.codestream import is_decoded_to_rgb, stream_size
from tests.dicom.compressed_streams import STREAMS


class TestStreamSize:
    @pytest.mark.parametrize("name", STREAMS)
    def test_of_the_streams_of_other_programs(self, name: str) -> None:
        assert stream_size(STREAMS[name]) == (12, 16)

    @pytest.mark.parametrize("kind", ["JPEG", "JPEG2000"])
    def test_of_what_pillow_writes(self, kind: str) -> None:
        buffer = io.BytesIO()
        Image.new("L", (7, 5)).save(buffer, kind)
        assert stream_size(buffer.getvalue()) == (5, 7)

    def test_something_else_has_none(self) -> None:
        assert stream_size(b"") is None
        assert stream_size(b"\0" * 64) is None

    @given(st.sampled_from(list(STREAMS)), st.integers(0, 60))
    def test_a_cut_stream_never_raises(self, name: str, length: int) -> None:
        assert stream_size(STREAMS[name][:length]) in (None, (12, 16))


class TestIsDecodedToRgb:
    @pytest.mark.parametrize("transform", [0, 1])
    def test_by_the_multiple_component_transform(self, transform: int) -> None:
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8)).save(buffer, "JPEG2000", no_jp2=True, mct=transform)
        assert is_decoded_to_rgb(buffer.getvalue()) is bool(transform)

    @pytest.mark.parametrize("name", STREAMS)
    def test_streams_of_one_component_have_none(self, name: str) -> None:
        assert not is_decoded_to_rgb(STREAMS[name])

    @given(st.binary(max_size=60))
    def test_nonsense_never_raises(self, data: bytes) -> None:
        is_decoded_to_rgb(b"\xff\x4f\xff\x51" + data)
