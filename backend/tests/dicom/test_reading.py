"""What is read, and what is refused by name. Codes are part of the interface: the index lists them."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from imageserver.dicom.frames import describe_frames
from imageserver.dicom.limits import Limits
from imageserver.dicom.reading import FileRefused, Header, read_header
from imageserver.dicom.text_values import text
from tests import builders

NATIVE = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]


def read(data: bytes, limits: Limits | None = None) -> Header:
    return read_header(io.BytesIO(data), limits) if limits else read_header(io.BytesIO(data))


def refusal(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(FileRefused) as caught:
        read(data, limits)
    assert caught.value.message.endswith(".")
    return caught.value.code


def is_noticed(cut: bytes) -> bool:
    """A cut between two elements leaves a sound data set without picture; any other is refused."""
    try:
        return read(cut).image is None
    except FileRefused:
        return True


def element(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """One element in explicit VR little endian; a long length where the VR asks for it."""
    size = len(value) if length is None else length
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    return (
        head
        + (
            struct.pack("<HL", 0, size)
            if vr in (b"SQ", b"OB", b"OW", b"UN", b"UT")
            else struct.pack("<H", size)
        )
        + value
    )


def with_elements(*elements: bytes) -> bytes:
    """A file without pixel data, followed by these elements."""
    return builders.to_bytes(builders.image(PixelData=None, Rows=None)) + b"".join(elements)


class TestEncodings:
    @pytest.mark.parametrize("syntax", NATIVE)
    def test_with_preamble_and_meta(self, syntax: str) -> None:
        header = read(builders.to_bytes(builders.image(), syntax))
        assert header.transfer_syntax_uid == syntax
        assert text(header.dataset, "PatientName") == "Doe^Jane"
        assert header.image is not None
        assert (header.image.rows, header.image.columns) == (8, 8)
        assert header.warnings == ()

    @pytest.mark.parametrize("syntax", NATIVE[:3])
    def test_without_preamble_and_meta(self, syntax: str) -> None:
        header = read(builders.to_bytes(builders.image(), syntax, meta=False))
        assert header.transfer_syntax_uid == syntax
        assert [w.code for w in header.warnings] == ["no_preamble", "no_file_meta"]

    def test_meta_without_preamble(self) -> None:
        header = read(builders.to_bytes(builders.image())[132:])
        assert [w.code for w in header.warnings] == ["no_preamble"]

    def test_magic_word_without_the_bytes_before_it(self) -> None:
        header = read(builders.to_bytes(builders.image())[128:])
        assert [w.code for w in header.warnings] == ["no_preamble"]
        assert header.image is not None

    @pytest.mark.parametrize("start", [0, 132], ids=["with preamble", "without preamble"])
    def test_file_meta_in_big_endian(self, start: int) -> None:
        uid = b"1.2.840.10008.1.2.2\0"
        syntax = struct.pack(">HH2sH", 2, 0x0010, b"UI", len(uid)) + uid
        meta = struct.pack(">HH2sHL", 2, 0, b"UL", 4, len(syntax)) + syntax
        body = builders.to_bytes(builders.image(), ExplicitVRBigEndian, meta=False)
        header = read((b"\0" * 128 + b"DICM" + meta + body)[start:])
        assert header.transfer_syntax_uid == ExplicitVRBigEndian
        assert "big_endian_file_meta" in [w.code for w in header.warnings]
        assert text(header.dataset, "PatientName") == "Doe^Jane"

    @pytest.mark.parametrize("actual", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
    def test_what_the_first_element_shows_wins_over_the_declaration(self, actual: str) -> None:
        meta_length = len(builders.to_bytes(builders.image())) - len(
            builders.to_bytes(builders.image(), meta=False)
        )
        declared = builders.to_bytes(builders.image(), ExplicitVRLittleEndian)[:meta_length]
        header = read(declared + builders.to_bytes(builders.image(), actual, meta=False))
        assert header.transfer_syntax_uid == actual
        assert [w.code for w in header.warnings] == ["wrong_transfer_syntax"]

    def test_pixel_values_are_not_in_the_data_set(self) -> None:
        header = read(builders.to_bytes(builders.image()))
        assert "PixelData" not in header.dataset
        assert header.pixel_data is not None
        assert header.pixel_data.length == 128

    def test_an_object_without_pixel_data(self) -> None:
        header = read(builders.to_bytes(builders.image(PixelData=None, Rows=None)))
        assert (header.image, header.pixel_data, header.warnings) == (None, None, ())

    def test_half_a_description_without_pixel_data(self) -> None:
        header = read(builders.to_bytes(builders.image(PixelData=None, Columns=None)))
        assert header.image is None
        assert [w.code for w in header.warnings] == ["no_pixel_data"]

    @pytest.mark.parametrize("syntax", NATIVE)
    def test_sequences(self, syntax: str) -> None:
        header = read(builders.to_bytes(builders.enhanced([(0, 0, 1), (0, 0, 2)]), syntax))
        assert header.image is not None
        assert header.image.number_of_frames == 2
        assert len(header.dataset.PerFrameFunctionalGroupsSequence) == 2


class TestJunk:
    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"", "empty"),
            (b"hello, this is a text file, and not a short one either", "not_dicom"),
            (b"\x89PNG\r\n\x1a\n" + b"\0" * 200, "not_dicom"),
            (b"PK\x03\x04" + b"\0" * 200, "not_dicom"),
            (b"\0" * 1000, "not_dicom"),
            (b"\0" * 128 + b"DICM", "no_transfer_syntax"),
            (b"MZ" + b"\0" * 126 + b"DICM", "executable_preamble"),
            (b"\x08\x00", "not_dicom"),
        ],
        ids=["empty", "text", "png", "zip", "zeros", "only a preamble", "program", "two bytes"],
    )
    def test_is_refused_by_name(self, data: bytes, code: str) -> None:
        assert refusal(data) == code

    @given(st.binary(max_size=400))
    def test_random_bytes(self, data: bytes) -> None:
        with pytest.raises(FileRefused):
            read(data)

    @given(st.binary(max_size=400))
    def test_random_bytes_behind_a_good_start(self, data: bytes) -> None:
        with contextlib.suppress(FileRefused):  # any other exception fails the test
            read(builders.to_bytes(builders.image(PixelData=None)) + data)

    @settings(max_examples=300)
    @given(st.data())
    def test_flipped_bits_give_a_header_or_a_refusal(self, data: st.DataObject) -> None:
        original = bytearray(builders.to_bytes(builders.enhanced([(0, 0, 1), (0, 0, 2)])))
        for _ in range(data.draw(st.integers(1, 8))):
            original[data.draw(st.integers(0, len(original) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        with contextlib.suppress(FileRefused):
            read(bytes(original))


class TestCompleteness:
    @pytest.mark.parametrize("syntax", NATIVE)
    def test_every_cut_is_noticed(self, syntax: str) -> None:
        data = builders.to_bytes(builders.image(), syntax)
        end = len(data) - (
            1 if syntax == DeflatedExplicitVRLittleEndian else 0
        )  # its last byte may be padding
        for length in range(end):
            assert is_noticed(data[:length])

    def test_every_cut_of_encapsulated_data_is_noticed(self) -> None:
        dataset = builders.encapsulated(builders.image(), [b"\xff\x4f\xff\x51" + b"x" * 60])
        data = builders.to_bytes(dataset, JPEG2000Lossless)
        read(data)
        for length in range(len(data)):
            assert is_noticed(data[:length])

    def test_a_cut_right_before_the_pixel_data_keeps_its_place(self) -> None:
        data = builders.to_bytes(builders.image())
        with pytest.raises(FileRefused) as caught:
            read(data[: data.index(b"\xe0\x7f\x10\x00")])
        assert caught.value.code == "no_pixel_data"
        assert [frame.rows for frame in describe_frames(caught.value.header)] == [8]

    def test_pixel_data_that_is_elsewhere_is_no_cut(self) -> None:
        dataset = builders.image(PixelDataProviderURL="https://example.org/")
        del dataset.PixelData
        assert [w.code for w in read(builders.to_bytes(dataset)).warnings] == ["no_pixel_data"]

    def test_pixel_data_shorter_than_its_description(self) -> None:
        assert refusal(builders.to_bytes(builders.image(Rows=9))) == "truncated_pixel_data"

    def test_a_missing_pad_byte_is_forgiven(self) -> None:
        pixels = np.zeros((3, 3), np.uint8)
        data = builders.to_bytes(builders.image(pixels))
        start = data.rindex(struct.pack("<L", 10)) + 4
        read(data[: start - 4] + struct.pack("<L", 9) + data[start : start + 9])

    def test_surplus_is_tolerated_and_said(self) -> None:
        header = read(builders.to_bytes(builders.image(Rows=7)))
        assert [w.code for w in header.warnings] == ["surplus_pixel_data"]

    def test_trailing_zeros_are_tolerated_and_said(self) -> None:
        header = read(builders.to_bytes(builders.image()) + b"\0" * 100)
        assert [w.code for w in header.warnings] == ["trailing_padding"]

    def test_uncompressed_4_2_2_takes_two_bytes_per_pixel(self) -> None:
        dataset = builders.image(np.zeros((4, 4, 3), np.uint8), PhotometricInterpretation="YBR_FULL_422")
        dataset.PixelData = b"\0" * 32
        assert read(builders.to_bytes(dataset)).warnings == ()

    def test_single_bits_are_packed_over_all_frames(self) -> None:
        dataset = builders.image(
            np.zeros((2, 3, 3), np.uint8), NumberOfFrames=2, BitsAllocated=1, BitsStored=1, HighBit=0
        )
        dataset.PixelData = b"\0" * 4  # 18 bits are 3 bytes, and a pad byte
        assert read(builders.to_bytes(dataset)).warnings == ()

    def test_fewer_fragments_than_frames(self) -> None:
        dataset = builders.encapsulated(builders.image(), [b"frame one "])
        dataset.NumberOfFrames = 2
        assert refusal(builders.to_bytes(dataset, RLELossless)) == "truncated_pixel_data"

    def test_fragments_in_a_native_syntax(self) -> None:
        dataset = builders.encapsulated(builders.image(), [b"frame one "])
        dataset["PixelData"].VR = "OB"
        compressed = builders.to_bytes(dataset, RLELossless)
        native = compressed.replace(b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.1.2.1\0")
        assert refusal(native) == "wrong_transfer_syntax"


class TestDescription:
    @pytest.mark.parametrize(
        "attributes",
        [
            *(
                {"Rows": None},
                {"Rows": 0},
                {"BitsAllocated": None},
                {"BitsAllocated": 0},
                {"BitsAllocated": 13},
            ),
            *({"SamplesPerPixel": 2}, {"NumberOfFrames": -1}),
        ],
        ids=str,
    )
    def test_an_impossible_image_is_refused(self, attributes: dict[str, int | None]) -> None:
        assert refusal(builders.to_bytes(builders.image(**attributes))) == "bad_image"

    def test_a_claim_of_giant_frames_in_a_small_file(self) -> None:
        assert (
            refusal(builders.to_bytes(builders.image(Rows=10_000, Columns=10_000))) == "truncated_pixel_data"
        )
        assert refusal(builders.to_bytes(builders.image(Rows=65535, Columns=65535))) == "too_large_image"

    def test_a_claim_of_billions_of_frames(self) -> None:
        dataset = builders.image()
        dataset.NumberOfFrames = 2**31 - 1
        assert refusal(builders.to_bytes(dataset)) == "too_many_frames"
        dataset.NumberOfFrames = 100_000
        assert refusal(builders.to_bytes(dataset)) == "truncated_pixel_data"

    def test_defaults_where_the_others_leave_one_choice(self) -> None:
        header = read(builders.to_bytes(builders.image(SamplesPerPixel=None, BitsStored=None, HighBit=None)))
        assert header.image is not None
        assert (header.image.samples_per_pixel, header.image.bits_stored, header.image.high_bit) == (
            1,
            16,
            15,
        )


class TestLimits:
    def nested(self, depth: int, defined: bool) -> bytes:
        inner = b""
        for _ in range(depth):
            if defined:
                inner = element(0x00081115, b"SQ", struct.pack("<HHL", 0xFFFE, 0xE000, len(inner)) + inner)
            else:
                items = (
                    struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
                    + inner
                    + struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
                )
                inner = element(0x00081115, b"SQ", items + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0), 0xFFFFFFFF)
        return with_elements(inner)

    @pytest.mark.parametrize("defined", [True, False], ids=["defined length", "undefined length"])
    def test_sequences_nested_too_deep(self, defined: bool) -> None:
        read(self.nested(32, defined))
        assert refusal(self.nested(33, defined)) == "too_deep"
        assert refusal(self.nested(2_000, defined)) == "too_deep"

    def test_too_many_elements(self) -> None:
        many = b"".join(element(0x00091000 + i, b"LO", b"") for i in range(300))
        assert refusal(with_elements(many), Limits(elements=200, elements_per_frame=0)) == "too_many_elements"

    def test_too_many_items(self) -> None:
        items = struct.pack("<HHL", 0xFFFE, 0xE000, 0) * 300
        data = with_elements(element(0x00081115, b"SQ", items))
        assert refusal(data, Limits(items=200, items_per_frame=0)) == "too_many_elements"

    def test_a_value_longer_than_the_file(self) -> None:
        assert refusal(with_elements(element(0x00420011, b"OB", b"x", 0xFFFFFF00))) == "truncated"

    def test_a_long_value_is_refused_before_it_is_read(self) -> None:
        data = with_elements(element(0x00420011, b"OB", b"x" * 2000))
        assert refusal(data, Limits(value_length=1999)) == "value_too_long"

    def test_a_deflate_bomb_stops_at_the_limit(self) -> None:
        meta = builders.to_bytes(builders.image(), DeflatedExplicitVRLittleEndian)
        start = len(meta) - len(
            builders.to_bytes(builders.image(), DeflatedExplicitVRLittleEndian, meta=False)
        )
        deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        bomb = deflater.compress(b"\0" * 50_000_000) + deflater.flush()
        limits = Limits(inflated_floor=1_000_000, inflated_ratio=10)
        assert refusal(meta[:start] + bomb, limits) == "too_large_inflated"

    def test_damaged_deflate(self) -> None:
        data = bytearray(builders.to_bytes(builders.image(), DeflatedExplicitVRLittleEndian))
        data[-60:] = b"\xff" * 60
        assert refusal(bytes(data)) in {"bad_deflate", "truncated"}

    def test_a_damaged_sequence_of_known_length_is_stepped_over(self) -> None:
        header = read(with_elements(element(0x00081115, b"SQ", b"nonsense" * 2)))
        assert [w.code for w in header.warnings] == ["broken_sequence"]


class TestDamagedImages:
    """A refusal tells which image was damaged, where that much could be read."""

    def refused(self, data: bytes) -> FileRefused:
        with pytest.raises(FileRefused) as caught:
            read(data)
        return caught.value

    @pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
    def test_cut_in_the_pixel_data(self, syntax: str) -> None:
        dataset = builders.image(ImagePositionPatient=[1, 2, 3])
        header = self.refused(builders.to_bytes(dataset, syntax)[:-10]).header
        (frame,) = describe_frames(header)
        assert (frame.sop_instance_uid, frame.position) == (dataset.SOPInstanceUID, (1, 2, 3))

    def test_too_little_pixel_data(self) -> None:
        header = self.refused(builders.to_bytes(builders.image(Rows=9))).header
        assert text(header.dataset, "PatientName") == "Doe^Jane"

    def test_cut_before_the_image_is_described(self) -> None:
        whole = builders.to_bytes(builders.image())
        assert self.refused(whole[: whole.index(b"\x28\x00\x10\x00") + 6]).header is None

    def test_a_claim_of_many_frames_is_not_believed(self) -> None:
        dataset = builders.image()
        dataset.NumberOfFrames = 10**9
        assert self.refused(builders.to_bytes(dataset)).header is None

    def test_junk(self) -> None:
        assert self.refused(b"junk" * 50).header is None
