"""What is wrong in the structure of a data set, and what of it costs nothing (PS3.5 6.2.2, 7.5, A.4)."""

import io
import struct

import pytest
from pydicom.uid import RLELossless

from imageserver.dicom.limits import Limits
from imageserver.dicom.reading import FileRefused, Header, read_header
from tests import builders

UNDEFINED = 0xFFFFFFFF
ITEM_END = struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)


def explicit(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    is_long = vr in (b"SQ", b"OB", b"OW", b"UN")
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    return head + (struct.pack("<HL", 0, size) if is_long else struct.pack("<H", size)) + value


def implicit(tag: int, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, size) + value


def an_item(content: bytes, length: int | None = None) -> bytes:
    return implicit(0xFFFEE000, content, length)


def read(data: bytes, limits: Limits | None = None) -> Header:
    return read_header(io.BytesIO(data), limits) if limits else read_header(io.BytesIO(data))


def codes(header: Header) -> list[str]:
    return [finding.code for finding in header.warnings]


def refusal(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(FileRefused) as caught:
        read(data, limits)
    return caught.value.code


def without_pixels(*elements: bytes) -> bytes:
    return builders.to_bytes(builders.image(PixelData=None, Rows=None)) + b"".join(elements)


class TestNamesOfFaults:
    """Only a file that ends too early is called truncated."""

    def test_an_item_where_an_element_should_be(self) -> None:
        data = without_pixels(an_item(b""), explicit(0x00420010, b"LO", b"more"))
        assert refusal(data) == "malformed"

    def test_a_sequence_of_something_else_than_items(self) -> None:
        data = without_pixels(explicit(0x00420012, b"SQ", b"nonsense" * 4, UNDEFINED))
        assert refusal(data) == "malformed"

    def test_a_sequence_that_never_ends(self) -> None:
        data = without_pixels(explicit(0x00420012, b"SQ", an_item(b""), UNDEFINED))
        assert refusal(data) == "truncated"

    def test_a_value_that_goes_on_behind_the_end_of_the_file(self) -> None:
        assert refusal(without_pixels(explicit(0x00420010, b"LO", b"x", 64))) == "truncated"

    def test_a_malformed_image_tells_which_one_it_was(self) -> None:
        fault = explicit(0x30060020, b"SQ", b"nonsense", UNDEFINED)
        whole = builders.to_bytes(builders.image())
        at = whole.index(b"\xe0\x7f\x10\x00OW")
        with pytest.raises(FileRefused) as caught:
            read(whole[:at] + fault + whole[at:])
        assert caught.value.header is not None


class TestBehindPixelData:
    """The image is whole; what follows it is said and left out."""

    @pytest.mark.parametrize(
        "rest",
        [b"\n", b"\r\n", b"\r\n--boundary--\r\n", b"\xff" * 512, b" " * 512, SEQUENCE_END, ITEM_END, b"junk"],
        ids=lambda rest: repr(rest[:10]),
    )
    def test_anything_is_tolerated_and_said(self, rest: bytes) -> None:
        whole = builders.to_bytes(builders.image())
        header = read(whole + rest)
        assert codes(header) == ["trailing_data"]
        assert str(len(rest)) in header.warnings[0].message
        assert header.pixel_data == read(whole).pixel_data

    def test_elements_behind_a_stray_delimiter_are_read(self) -> None:
        padding = explicit(0xFFFCFFFC, b"OB", b"\0" * 16)
        header = read(builders.to_bytes(builders.image()) + SEQUENCE_END + padding)
        assert "DataSetTrailingPadding" in header.dataset
        assert codes(header) == ["trailing_data"]

    def test_it_is_tolerated_in_fragments_too(self) -> None:
        data = builders.to_bytes(builders.encapsulated(builders.image(), [b"frame one "]), RLELossless)
        assert codes(read(data + b"\r\n")) == ["trailing_data"]

    def test_pixel_data_must_be_complete_before_it(self) -> None:
        assert refusal(builders.to_bytes(builders.image(Rows=9)) + b"\n") == "truncated_pixel_data"

    def test_it_is_refused_where_no_pixel_data_came_before(self) -> None:
        assert refusal(without_pixels(b"junk")) == "truncated"
