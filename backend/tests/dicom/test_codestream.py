import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imageserver.dicom.codestream import StreamKind, read_stream_header, without_fill_bytes
from tests.dicom.compressed_streams import RARE_STREAMS, STREAMS

KINDS = {
    "57": StreamKind.JPEG_LOSSLESS,
    "80": StreamKind.JPEG_LS,
    "201": StreamKind.HTJ2K,
    "203": StreamKind.HTJ2K,
    "52": StreamKind.JPEG_ARITHMETIC,
    "53": StreamKind.JPEG_PROGRESSIVE,
    "54": StreamKind.JPEG_PROGRESSIVE_ARITHMETIC,
    "55": StreamKind.JPEG_PROGRESSIVE,
    "56": StreamKind.JPEG_PROGRESSIVE_ARITHMETIC,
    "110": StreamKind.JPEG_XL,
    "111": StreamKind.JPEG_XL,
    "112": StreamKind.JPEG_XL,
}
ALL = {**STREAMS, **RARE_STREAMS}


def pillow(mode: str, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (7, 5)).save(buffer, kind, **options)
    return buffer.getvalue()


class TestKindAndSize:
    @pytest.mark.parametrize("name", ALL)
    def test_of_the_streams_of_other_programs(self, name: str) -> None:
        header = read_stream_header(ALL[name])
        assert header is not None
        assert header.kind is KINDS[name.split()[0]]
        assert header.size == (12, 16)

    @pytest.mark.parametrize(
        ("kind", "options", "expected"),
        [
            ("JPEG", {}, StreamKind.JPEG),
            ("JPEG", {"progressive": True}, StreamKind.JPEG_PROGRESSIVE),
            ("JPEG2000", {"no_jp2": True}, StreamKind.JPEG_2000),
            ("JPEG2000", {"no_jp2": False}, StreamKind.JPEG_2000),
        ],
    )
    def test_of_what_pillow_writes(self, kind: str, options: dict[str, bool], expected: StreamKind) -> None:
        header = read_stream_header(pillow("L", kind, **options))
        assert header is not None
        assert (header.kind, header.size, header.precision) == (expected, (5, 7), 8)

    @pytest.mark.parametrize(("name", "bits"), [("57", 16), ("55 of 12 bits", 12), ("55 of 8 bits", 8)])
    def test_precision(self, name: str, bits: int) -> None:
        header = read_stream_header(ALL[name])
        assert header is not None
        assert header.precision == bits

    @pytest.mark.parametrize(
        ("name", "expected"), [("57", True), ("80", True), ("201", True), ("203", False), ("112", False)]
    )
    def test_whether_decoding_gives_back_what_was_encoded(self, name: str, expected: bool) -> None:
        header = read_stream_header(ALL[name])
        assert header is not None
        assert header.is_lossless is expected

    def test_near_lossless_jpeg_ls_is_lossy(self) -> None:
        # NEAR is the last but two bytes of the scan header (T.87 C.2.3).
        at = STREAMS["80"].index(b"\xff\xda")
        near = bytearray(STREAMS["80"])
        near[at + 2 + 8 - 3] = 2
        header = read_stream_header(bytes(near))
        assert header is not None
        assert not header.is_lossless

    @pytest.mark.parametrize("marker", [0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF, 0xDE])
    def test_hierarchical_jpeg(self, marker: int) -> None:
        # T.81 table B.1: differential frames, and DHP in front of the first frame.
        frame = bytes([0xFF, marker, 0, 11, 8, 0, 12, 0, 16, 1, 1, 0x11, 0])
        header = read_stream_header(b"\xff\xd8" + frame)
        assert header is not None
        assert header.kind is StreamKind.JPEG_HIERARCHICAL

    def test_rle(self) -> None:
        header = read_stream_header(b"\x02\0\0\0\x40\0\0\0\x50" + b"\0" * 55 + b"data")
        assert header is not None
        assert header.kind is StreamKind.RLE

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\0" * 64,
            b"\x02\0\0\0\x40\0\0\0\x30" + b"\0" * 55,  # segments out of order
            b"\x01\0\0\0\x40\0\0\0\x50" + b"\0" * 55,  # more offsets than segments
            b"\xff\xd8" + b"\0" * 60,
            b"any text at all, as long as a header needs to be, and then some more of it",
        ],
    )
    def test_something_else_has_none(self, data: bytes) -> None:
        assert read_stream_header(data) is None

    @given(st.sampled_from(list(ALL)), st.integers(0, 700))
    def test_a_cut_stream_never_raises_and_never_lies(self, name: str, length: int) -> None:
        header = read_stream_header(ALL[name][:length])
        if header is not None:
            # What tells high throughput apart stands behind the size.
            assert header.kind in (KINDS[name.split()[0]], StreamKind.JPEG_2000)
            assert header.size in (None, (12, 16))

    @given(
        st.sampled_from([b"\xff\x4f\xff\x51", b"\xff\xd8", b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"]),
        st.binary(max_size=200),
    )
    def test_nonsense_never_raises(self, start: bytes, data: bytes) -> None:
        read_stream_header(start + data)


class TestJpegXlSize:
    @pytest.mark.parametrize(
        ("bits", "expected"),
        [
            # ISO/IEC 18181-1 C.2.1, lowest bit first: small, rows / 8 - 1 in 5 bits, ratio in 3 bits.
            (0b1 | 3 << 1 | 1 << 6, (32, 32)),
            (0b1 | 3 << 1 | 7 << 6, (32, 64)),
            (0b1 | 3 << 1 | 0 << 6 | 1 << 9, (32, 16)),
            # Not small: 2 bits choose 9, 13, 18 or 30 bits of rows - 1.
            (0b0 | 3 << 1 | (2**30 - 1) << 3 | 1 << 33, (2**30, 2**30)),
            (0b0 | 0 << 1 | 511 << 3 | 0 << 12 | 1 << 15 | 6000 << 17, (512, 6001)),
        ],
    )
    def test_by_hand(self, bits: int, expected: tuple[int, int]) -> None:
        header = read_stream_header(b"\xff\x0a" + bits.to_bytes(10, "little"))
        assert header is not None
        assert header.size == expected


class TestIsDecodedToRgb:
    @pytest.mark.parametrize("transform", [0, 1])
    def test_by_the_multiple_component_transform(self, transform: int) -> None:
        header = read_stream_header(pillow("RGB", "JPEG2000", no_jp2=True, mct=transform))
        assert header is not None
        assert header.is_decoded_to_rgb is bool(transform)


class TestFillBytes:
    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_in_front_of_the_first_marker_are_dropped(self, count: int) -> None:
        assert without_fill_bytes(b"\xff" * count + b"\xff\xd8\xff\xdb") == b"\xff\xd8\xff\xdb"

    @pytest.mark.parametrize("data", [b"", b"\xff" * 80, b"\xff\x4f\xff\xd8", b"\0\xff\xd8"])
    def test_anything_else_stays(self, data: bytes) -> None:
        assert without_fill_bytes(data) == data
