"""What is wrong in the structure of a data set, and what of it costs nothing (PS3.5 6.2.2, 7.5, A.4)."""

import io
import struct

import numpy as np
import pytest
from pydicom.uid import JPEG2000Lossless, RLELossless

from imageserver.dicom.limits import Limits
from imageserver.dicom.number_values import number, numbers
from imageserver.dicom.reading import FileRefused, Header, read_header
from imageserver.dicom.sequence_items import items
from imageserver.dicom.text_values import text
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


class TestTwice:
    def test_pixel_data_that_is_there_twice_is_refused(self) -> None:
        whole = builders.to_bytes(builders.image())
        assert refusal(whole + whole[whole.index(b"\xe0\x7f\x10\x00") :]) == "malformed"

    def test_a_number_of_frames_widens_the_limits_once(self) -> None:
        frames = explicit(0x00280008, b"IS", b"50")
        items_after = explicit(0x00420013, b"SQ", an_item(b"") * 300)
        limits = Limits(items=100, items_per_frame=1, frames=60)
        assert refusal(without_pixels(frames * 5, items_after), limits) == "too_many_elements"
        assert (
            refusal(without_pixels(explicit(0x00280008, b"IS", b"9000"), items_after), limits)
            == "too_many_elements"
        )


class TestMissingDelimiterOfPixelData:
    """The last eight bytes of a compressed file are often lost; whether the frames are whole, they tell themselves."""

    WHOLE = b"\xff\x4f\xff\x51" + b"x" * 58 + b"\xff\xd9"  # SOC, SIZ ... EOC (ISO/IEC 15444-1 table A.2)

    def written(self, frames: list[bytes], syntax: str = JPEG2000Lossless, **options: int) -> bytes:
        dataset = builders.encapsulated(builders.image(), frames, **options)
        dataset.NumberOfFrames = len(frames)
        return builders.to_bytes(dataset, syntax)

    @pytest.mark.parametrize("missing", [1, 4, 8])
    @pytest.mark.parametrize("frames", [1, 3])
    def test_whole_streams_are_accepted_and_said(self, missing: int, frames: int) -> None:
        header = read(self.written([self.WHOLE] * frames)[:-missing])
        assert codes(header) == ["missing_delimiter"]
        assert header.pixel_data is not None
        assert len(header.pixel_data.fragments) == frames + 1

    def test_the_end_of_a_stream_may_be_padded(self) -> None:
        assert codes(read(self.written([self.WHOLE[:4] + self.WHOLE[5:]])[:-8])) == ["missing_delimiter"]

    @pytest.mark.parametrize("frames", [1, 3])
    def test_a_cut_inside_the_last_fragment_is_refused(self, frames: int) -> None:
        assert refusal(self.written([self.WHOLE] * frames)[:-9]) == "truncated"

    def test_a_stream_without_its_end_is_refused(self) -> None:
        assert refusal(self.written([self.WHOLE[:-2]])[:-8]) == "truncated"

    def test_a_cut_between_two_frames_of_two_fragments_is_refused(self) -> None:
        # Four of six fragments are left, which are two of three frames.
        data = self.written([self.WHOLE] * 3, fragments_per_frame=2)
        assert refusal(data[: -8 - 2 * (8 + len(self.WHOLE) // 2)]) == "truncated"

    def test_rle_has_one_fragment_per_frame(self) -> None:
        data = self.written([b"frame one ", b"frame two "], RLELossless)
        assert codes(read(data[:-8])) == ["missing_delimiter"]
        assert refusal(data[:-26]) == "truncated_pixel_data"


class TestMissingPadByte:
    PIXELS = np.arange(63, dtype=np.uint8).reshape(7, 9)

    def test_at_the_very_end_it_is_forgiven_and_said(self) -> None:
        header = read(builders.to_bytes(builders.image(self.PIXELS))[:-1])
        assert codes(header) == ["missing_pad_byte"]
        assert header.pixel_data is not None
        assert header.pixel_data.length == 63

    def test_a_byte_of_the_image_is_not_forgiven(self) -> None:
        assert refusal(builders.to_bytes(builders.image(self.PIXELS[:, :8]))[:-1]) == "truncated_pixel_data"
        assert refusal(builders.to_bytes(builders.image(self.PIXELS))[:-2]) == "truncated"


class TestItemsWithoutDelimiter:
    """The end of a sequence of undefined length ends the item in it as well."""

    @pytest.mark.parametrize("count", [1, 2])
    def test_the_items_are_read(self, count: int) -> None:
        inside = explicit(0x00200013, b"IS", b"7 ")
        closed = an_item(inside, UNDEFINED) + ITEM_END
        sequence = closed * (count - 1) + an_item(inside, UNDEFINED) + SEQUENCE_END
        header = read(
            without_pixels(
                explicit(0x00420013, b"SQ", sequence, UNDEFINED), explicit(0x00420010, b"LO", b"after ")
            )
        )
        assert codes(header) == ["missing_item_delimiter"]
        assert text(header.dataset, "DocumentTitle") == "after"
        sequence_read = items(header.dataset, "SourceInstanceSequence")
        assert [number(i, "InstanceNumber") for i in sequence_read] == [7] * count

    def test_nested_ones_too(self) -> None:
        inner = explicit(0x00081115, b"SQ", an_item(b"", UNDEFINED) + SEQUENCE_END, UNDEFINED)
        outer = explicit(0x00420013, b"SQ", an_item(inner, UNDEFINED) + ITEM_END + SEQUENCE_END, UNDEFINED)
        assert codes(read(without_pixels(outer))) == ["missing_item_delimiter"]


class TestSequencesWrittenAsUN:
    """PS3.5 6.2.2, note 2: a program that does not know an attribute writes UN, with implicit VR inside."""

    TAG = 0x52009230  # Per-Frame Functional Groups Sequence

    def frame(self, number: int, filler: int = 0) -> bytes:
        content = implicit(0x00089007, b"x" * filler) + implicit(0x00209157, struct.pack("<LL", 1, number))
        return an_item(an_item_sequence(content))

    @pytest.mark.parametrize("filler", [0, 80_000], ids=["short", "above 64 KiB"])
    @pytest.mark.parametrize("is_undefined", [False, True])
    def test_the_items_are_read_whatever_the_length(self, filler: int, is_undefined: bool) -> None:
        value = self.frame(1, filler) + self.frame(2)
        length = UNDEFINED if is_undefined else None
        value += SEQUENCE_END if is_undefined else b""
        header = read(without_pixels(explicit(self.TAG, b"UN", value, length)))
        found = [
            items(i, "FrameContentSequence")[0]
            for i in items(header.dataset, "PerFrameFunctionalGroupsSequence")
        ]
        assert [numbers(content, "DimensionIndexValues") for content in found] == [[1, 1], [1, 2]]

    def test_nested_ones_too(self) -> None:
        inner = implicit(0x00209157, struct.pack("<LL", 1, 2)) + implicit(0x00089007, b"x" * 80_000)
        macro = explicit(0x00209111, b"UN", an_item(inner))
        data = without_pixels(explicit(self.TAG, b"SQ", an_item(macro)))
        (group,) = items(read(data).dataset, "PerFrameFunctionalGroupsSequence")
        assert numbers(items(group, "FrameContentSequence")[0], "DimensionIndexValues") == [1, 2]

    @pytest.mark.parametrize("tag", [0x00420013, 0x00091001], ids=["standard", "private"])
    @pytest.mark.parametrize("is_undefined", [False, True])
    def test_explicit_vr_inside_is_recognised(self, tag: int, is_undefined: bool) -> None:
        value = an_item(explicit(0x00200013, b"IS", b"7 "))
        value += SEQUENCE_END if is_undefined else b""
        after = explicit(0x00420010, b"LO", b"after ")
        data = without_pixels(explicit(tag, b"UN", value, UNDEFINED if is_undefined else None), after)
        header = read(data)
        assert codes(header) == []
        assert text(header.dataset, "DocumentTitle") == "after"
        if tag == 0x00420013:
            assert [number(i, "InstanceNumber") for i in items(header.dataset, "SourceInstanceSequence")] == [
                7
            ]

    def test_the_limits_hold_inside(self) -> None:
        inside = b""
        for _ in range(33):
            inside = implicit(0x00081115, an_item(inside))
        assert refusal(without_pixels(explicit(0x00420013, b"UN", an_item(inside)))) == "too_deep"
        many = explicit(0x00420013, b"UN", an_item(b"") * 300)
        assert refusal(without_pixels(many), Limits(items=200, items_per_frame=0)) == "too_many_elements"


def an_item_sequence(content: bytes) -> bytes:
    """Frame Content Sequence in implicit VR."""
    return implicit(0x00209111, an_item(content))


class TestPrivateValues:
    @pytest.mark.parametrize("vr", [b"OB", b"UN"])
    def test_a_long_one_is_stepped_over_and_said(self, vr: bytes) -> None:
        whole = builders.to_bytes(builders.image())
        at = whole.index(b"\x10\x00\x10\x00PN")
        private = explicit(0x00091010, vr, b"x" * 5000)
        header = read(whole[:at] + private + whole[at:], Limits(value_length=4000))
        assert codes(header) == ["long_private_value"]
        assert header.image is not None
        assert 0x00091010 not in header.dataset

    def test_a_long_standard_value_is_refused(self) -> None:
        data = without_pixels(explicit(0x00420011, b"OB", b"x" * 5000))
        assert refusal(data, Limits(value_length=4000)) == "value_too_long"

    def test_a_data_set_of_private_values_only_is_not_empty(self) -> None:
        preamble = b"\0" * 128 + b"DICM" + explicit(0x00020010, b"UI", b"1.2.840.10008.1.2.1\0")
        assert len(read(preamble + explicit(0x00091010, b"LO", b"x ")).dataset) == 0
