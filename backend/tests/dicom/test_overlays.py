"""Overlays by PS3.3 C.9.2 and C.9.3, their bits by PS3.5 8.1.2, embedded ones by PS3.3 of 2003, C.9.2."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from imageserver.dicom.decoder_pool import DecoderFailure, DecoderPool
from imageserver.dicom.decoding import decode_frame
from imageserver.dicom.overlay_bits import (
    decode_overlays,
    draw_overlays,
    overlay_masks,
    place_overlay,
    unpack_overlay,
)
from imageserver.dicom.overlays import OverlayPlane, Overlays, read_overlays
from imageserver.dicom.reading import Header, read_header
from tests import builders

ROWS, COLUMNS = 3, 5


def bits_of(*rows: str) -> np.ndarray:
    """An overlay drawn with x and dots."""
    return np.array([[character == "x" for character in row] for row in rows])


def pack(bits: np.ndarray) -> bytes:
    data = np.packbits(bits.ravel(), bitorder="little").tobytes()
    return data + b"\0" * (len(data) % 2)


CROSS = bits_of("x...x", "..x..", "x...x")


def add_overlay(dataset: Dataset, group: int = 0x6000, **values: Any) -> Dataset:
    """An overlay plane as files have it; `values` replaces elements, None removes them."""
    elements = {
        "rows": (0x0010, "US", ROWS),
        "columns": (0x0011, "US", COLUMNS),
        "frames": (0x0015, "IS", None),
        "description": (0x0022, "LO", None),
        "type": (0x0040, "CS", "G"),
        "origin": (0x0050, "SS", [1, 1]),
        "frame_origin": (0x0051, "US", None),
        "compression": (0x0060, "CS", None),
        "bits_allocated": (0x0100, "US", 1),
        "bit_position": (0x0102, "US", 0),
        "label": (0x1500, "LO", None),
        "data": (0x3000, "OW", pack(CROSS)),
    }
    for name, (element, vr, default) in elements.items():
        value = values.get(name, default)
        if value is not None:
            dataset.add_new(group << 16 | element, vr, value)
    return dataset


def image(pixels: np.ndarray | None = None, **attributes: Any) -> Dataset:
    return builders.image(np.zeros((ROWS, COLUMNS), np.uint16) if pixels is None else pixels, **attributes)


def header_of(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> Header:
    return read_header(builders.stream(dataset, syntax))


def masks_of(dataset: Dataset, index: int = 0, syntax: str = ExplicitVRLittleEndian) -> list[np.ndarray]:
    header = header_of(dataset, syntax)
    overlays = read_overlays(header)
    assert overlays.findings == ()
    return list(overlay_masks(overlays.planes, header, index, None))


def drawn(mask: np.ndarray) -> list[str]:
    return ["".join("x" if bit else "." for bit in row) for row in mask]


class TestReadOverlays:
    def test_none(self) -> None:
        assert read_overlays(header_of(image())) == Overlays((), ())

    def test_a_group_length_alone_is_none(self) -> None:
        dataset = image()
        dataset.add_new(0x60000000, "UL", 0)
        assert read_overlays(header_of(dataset)) == Overlays((), ())

    @pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
    def test_what_a_plane_says(self, syntax: str) -> None:
        dataset = add_overlay(image(), 0x6002, type="R", label="ROI 1", description="Lesion", origin=[-1, 2])
        assert read_overlays(header_of(dataset, syntax)).planes == (
            OverlayPlane(0x6002, ROWS, COLUMNS, -1, 2, kind="R", label="ROI 1", description="Lesion"),
        )

    def test_up_to_sixteen_in_their_order(self) -> None:
        dataset = image()
        for group in (0x601E, 0x6000, 0x6020, 0x6001):  # the last two are no overlay groups of the standard
            if group % 2 == 0:
                add_overlay(dataset, group)
        assert [plane.group for plane in read_overlays(header_of(dataset)).planes] == [0x6000, 0x601E]

    def test_as_json(self) -> None:
        plane = OverlayPlane(0x6002, 1, 1, kind="G", label="L", description=None)
        assert plane.as_dict() == {
            "group": "6002", "type": "G", "label": "L", "description": None, "is_embedded": False,
        }  # fmt: skip


class TestUnusable:
    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            ({"data": b"\0"}, "it has 2 bytes, its description asks for 1250"),
            ({"rows": 0}, "0 rows"),
            ({"rows": None}, "0 rows"),
            ({"columns": None}, "0 columns"),
            ({"frames": "-2"}, "-2 frames"),
            ({"rows": 65535, "columns": 65535}, "65535 x 65535 pixels are more than the limit"),
            ({"frames": "2147483647"}, "asks for"),
            ({"data": b"", "bit_position": None}, "it has no data"),
            ({"compression": "RLE"}, "compressed"),
        ],
        ids=[
            "short",
            "rows 0",
            "no rows",
            "no columns",
            "frames",
            "limit",
            "many frames",
            "no data",
            "compressed",
        ],
    )
    def test_is_a_finding_and_no_plane(self, values: dict[str, Any], reason: str) -> None:
        values = {"rows": 100, "columns": 100, "data": pack(np.ones(10000, np.bool_)), **values}
        planes, findings = read_overlays(header_of(add_overlay(image(), **values)))
        assert (planes, [finding.code for finding in findings]) == ((), ["unusable_overlay"])
        assert "group 6000 cannot be drawn" in findings[0].message
        assert reason in findings[0].message

    def test_does_not_take_the_others_along(self) -> None:
        dataset = add_overlay(add_overlay(image(), rows=0), 0x6002)
        planes, findings = read_overlays(header_of(dataset))
        assert ([plane.group for plane in planes], len(findings)) == ([0x6002], 1)

    @given(st.binary(max_size=12), st.sampled_from([0x10, 0x11, 0x15, 0x50, 0x51, 0x60, 0x102, 0x3000]))
    def test_no_bytes_make_it_raise(self, value: bytes, element: int) -> None:
        dataset = add_overlay(image())
        dataset.add_new(0x60000000 | element, "OB", value)
        header = header_of(dataset)
        list(overlay_masks(read_overlays(header).planes, header, 0, np.zeros((ROWS, COLUMNS), np.uint16)))


class TestBits:
    @pytest.mark.parametrize("vr", ["OB", "OW"])
    @pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
    def test_the_lowest_bit_of_a_byte_is_first(self, syntax: str, vr: str) -> None:
        # 15 bits of CROSS: x...x..x  ..x...x -> 0x91, 0x44, by hand.
        assert pack(CROSS) == b"\x91\x44"
        dataset = add_overlay(image())
        dataset[0x60003000].VR = vr
        [mask] = masks_of(dataset, syntax=syntax)
        np.testing.assert_array_equal(mask, CROSS)

    def test_words_of_big_endian(self) -> None:
        dataset = add_overlay(image(), data=b"\x44\x91")
        [mask] = masks_of(dataset, syntax=ExplicitVRBigEndian)
        np.testing.assert_array_equal(mask, CROSS)

    def test_bytes_in_big_endian_stay_in_order(self) -> None:
        dataset = add_overlay(image())
        dataset[0x60003000].VR = "OB"
        [mask] = masks_of(dataset, syntax=ExplicitVRBigEndian)
        np.testing.assert_array_equal(mask, CROSS)

    def test_frames_follow_each_other_within_a_byte(self) -> None:
        frames = np.stack([CROSS, ~CROSS, CROSS])
        plane = OverlayPlane(0x6000, ROWS, COLUMNS, number_of_frames=3)
        for index in range(3):
            np.testing.assert_array_equal(unpack_overlay(pack(frames), plane, index), frames[index])


class TestPlace:
    """Overlay Origin 1\\1 is the upper left pixel; the overlay may begin, and end, outside of the image."""

    @pytest.mark.parametrize(
        ("top", "left", "expected"),
        [
            (1, 1, ["xx..", "x...", "...."]),
            (2, 3, ["....", "..xx", "..x."]),
            (3, 4, ["....", "....", "...x"]),
            (0, 1, ["x...", "....", "...."]),
            (1, 0, ["x...", "....", "...."]),
            (-5, 1, ["....", "....", "...."]),
            (1, 9, ["....", "....", "...."]),
            (-32768, 32767, ["....", "....", "...."]),
        ],
    )
    def test_of_a_plane_smaller_than_the_image(self, top: int, left: int, expected: list[str]) -> None:
        plane = OverlayPlane(0x6000, 2, 2, top, left)
        assert drawn(place_overlay(bits_of("xx", "x."), plane, 3, 4)) == expected

    def test_of_a_plane_larger_than_the_image(self) -> None:
        plane = OverlayPlane(0x6000, 3, 5, 0, -1)
        assert drawn(place_overlay(CROSS, plane, 1, 2)) == ["x."]


class TestFrames:
    def multiframe(self, count: int, **values: Any) -> Dataset:
        dataset = image(np.zeros((count, ROWS, COLUMNS), np.uint16), NumberOfFrames=count)
        return add_overlay(dataset, **values)

    def on(self, dataset: Dataset) -> list[list[str]]:
        return [
            [drawn(mask)[0] for mask in masks_of(dataset, index)] for index in range(dataset.NumberOfFrames)
        ]

    def test_without_a_word_about_frames_it_belongs_to_all(self) -> None:
        assert self.on(self.multiframe(2)) == [["x...x"], ["x...x"]]

    def test_one_by_one_from_the_first(self) -> None:
        dataset = self.multiframe(3, frames="2", data=pack(np.stack([CROSS, ~CROSS])))
        assert self.on(dataset) == [["x...x"], [".xxx."], []]

    def test_one_by_one_from_the_image_frame_origin(self) -> None:
        dataset = self.multiframe(3, frames="2", frame_origin=2, data=pack(np.stack([CROSS, ~CROSS])))
        assert self.on(dataset) == [[], ["x...x"], [".xxx."]]

    def test_a_single_one_at_the_image_frame_origin(self) -> None:
        assert self.on(self.multiframe(3, frame_origin=3)) == [[], [], ["x...x"]]


class TestEmbedded:
    """Until 2004 the bits could stand in the pixel data above, or below, those of the pixel values."""

    STORED = np.arange(15, dtype=np.uint16).reshape(ROWS, COLUMNS)

    def embedded(self, words: np.ndarray, bit: int, **attributes: Any) -> Dataset:
        bits = {"BitsStored": 12, "HighBit": 11, **attributes}
        return add_overlay(image(words, **bits), bits_allocated=16, bit_position=bit, data=None)

    def masks(self, dataset: Dataset, syntax: str, decoders: DecoderPool | None = None) -> list[np.ndarray]:
        stream = builders.stream(dataset, syntax)
        header = read_header(stream)
        pool = decoders or DecoderPool()
        np.testing.assert_array_equal(decode_frame(stream, header, 0, pool).stored_values, self.STORED)
        overlays = read_overlays(header)
        assert overlays.findings == ()
        decoded = decode_overlays(stream, header, overlays, 0, pool)
        assert decoded.findings == []
        return list(decoded.masks)

    @pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
    @pytest.mark.parametrize("bit", [12, 15])
    def test_above_the_pixel_values(self, bit: int, syntax: str) -> None:
        words = self.STORED | CROSS.astype(np.uint16) << bit
        [mask] = self.masks(self.embedded(words, bit), syntax)
        np.testing.assert_array_equal(mask, CROSS)

    def test_below_the_pixel_values(self) -> None:
        words = self.STORED << 4 | CROSS.astype(np.uint16) << 3
        [mask] = self.masks(self.embedded(words, 3, HighBit=15), ExplicitVRLittleEndian)
        np.testing.assert_array_equal(mask, CROSS)

    def test_beside_signed_pixel_values(self) -> None:
        words = (self.STORED | CROSS.astype(np.uint16) << 15).view(np.int16)
        [mask] = self.masks(self.embedded(words, 15), ExplicitVRLittleEndian)
        np.testing.assert_array_equal(mask, CROSS)

    def test_two_planes(self) -> None:
        words = self.STORED | CROSS.astype(np.uint16) << 12 | (~CROSS).astype(np.uint16) << 13
        dataset = self.embedded(words, 12)
        add_overlay(dataset, 0x6002, bits_allocated=16, bit_position=13, data=None)
        first, second = self.masks(dataset, ExplicitVRLittleEndian)
        np.testing.assert_array_equal(first, ~second)

    def test_in_frames_of_rle(self, decoders: DecoderPool) -> None:
        words = self.STORED | CROSS.astype(np.uint16) << 13
        frame = RLELosslessEncoder.encode(
            words.tobytes(), rows=ROWS, columns=COLUMNS, number_of_frames=1, samples_per_pixel=1,
            bits_allocated=16, bits_stored=16, pixel_representation=0,
            photometric_interpretation="MONOCHROME2", encoding_plugin="pydicom",
        )  # fmt: skip
        dataset = builders.encapsulated(self.embedded(words, 13), [frame])
        [mask] = self.masks(dataset, RLELossless, decoders)
        np.testing.assert_array_equal(mask, CROSS)

    def test_in_frames_of_jpeg_2000(self, decoders: DecoderPool) -> None:
        words = self.STORED | CROSS.astype(np.uint16) << 13
        buffer = io.BytesIO()
        Image.fromarray(words).save(buffer, "JPEG2000", no_jp2=True, num_resolutions=1, irreversible=False)
        dataset = builders.encapsulated(self.embedded(words, 13), [buffer.getvalue()])
        [mask] = self.masks(dataset, JPEG2000Lossless, decoders)
        np.testing.assert_array_equal(mask, CROSS)

    def test_in_a_frame_that_cannot_be_decoded_with_all_bits(self) -> None:
        class Failing:
            def decode(self, request: dict[str, Any], data: bytes) -> tuple[np.ndarray, str]:
                raise DecoderFailure("broken")

        dataset = builders.encapsulated(self.embedded(self.STORED, 13), [b"\0" * 64])
        add_overlay(dataset, 0x6002)
        stream = builders.stream(dataset, RLELossless)
        header = read_header(stream)
        decoded = decode_overlays(stream, header, read_overlays(header), 0, Failing())
        assert [finding.code for finding in decoded.findings] == ["unusable_overlay"]
        np.testing.assert_array_equal(list(decoded.masks), [CROSS])

    @pytest.mark.parametrize(
        ("bit", "attributes", "reason"),
        [
            (11, {}, "bit 11 belongs to the pixel values"),
            (0, {}, "bit 0 belongs to the pixel values"),
            (16, {}, "no bit 16"),
            (12, {"BitsStored": 16, "HighBit": 15}, "belongs to the pixel values"),
        ],
    )
    def test_where_no_bit_is_left(self, bit: int, attributes: dict[str, int], reason: str) -> None:
        planes, findings = read_overlays(header_of(self.embedded(self.STORED, bit, **attributes)))
        assert planes == ()
        assert reason in findings[0].message

    def test_not_behind_lossy_compression(self) -> None:
        dataset = builders.encapsulated(self.embedded(self.STORED, 12), [b"\xff\xd8\xff\xd9"])
        planes, findings = read_overlays(header_of(dataset, "1.2.840.10008.1.2.4.51"))
        assert planes == ()
        assert "lossy" in findings[0].message


class TestNotices:
    def test_of_a_frame_that_has_overlays(self) -> None:
        dataset = TestFrames().multiframe(2, frame_origin=2)
        overlays = read_overlays(header_of(add_overlay(dataset, 0x6002, rows=0)))
        assert [finding.code for finding in overlays.notices(0)] == ["unusable_overlay"]
        assert [finding.code for finding in overlays.notices(1)] == ["has_overlays", "unusable_overlay"]
        assert "1 overlay plane," in overlays.notices(1)[0].message


class TestDraw:
    def test_is_white_and_nothing_else_changes(self) -> None:
        picture = np.full((ROWS, COLUMNS), 7, np.uint8)
        result = draw_overlays(picture, [CROSS])
        np.testing.assert_array_equal(result, np.where(CROSS, 255, 7))
        assert (picture == 7).all()

    def test_without_any_the_picture_is_the_same(self) -> None:
        picture = np.zeros((ROWS, COLUMNS), np.uint8)
        assert draw_overlays(picture, []) is picture

    def test_over_colour(self) -> None:
        result = draw_overlays(np.zeros((ROWS, COLUMNS, 3), np.uint8), [CROSS, ~CROSS])
        assert (result == 255).all()
