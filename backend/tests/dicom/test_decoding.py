"""Stored values of known pictures in every transfer syntax, and damaged ones refused by name."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom._uid_dict import UID_dictionary
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.decoding import DecodedFrame, decode_frame
from imageserver.dicom.reading import read_header
from imageserver.dicom.transfer_syntax import REFUSED, SUPPORTED
from imageserver.errors import UndecodableFrame, UnsupportedTransferSyntax
from tests import builders
from tests.dicom.compressed_streams import COLOURS, PICTURE, RARE_STREAMS, SMOOTH, STREAMS

JPEG_XL = [f"1.2.840.10008.1.2.4.{number}" for number in (110, 111, 112)]
NATIVE = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]


def rle(pixels: np.ndarray) -> bytes:
    return RLELosslessEncoder.encode(
        pixels.tobytes(), rows=12, columns=16, number_of_frames=1, samples_per_pixel=1, bits_allocated=16,
        bits_stored=12, pixel_representation=0, photometric_interpretation="MONOCHROME2", encoding_plugin="pydicom",
    )  # fmt: skip


def pillow(pixels: np.ndarray, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg_2000(pixels: np.ndarray) -> bytes:
    return pillow(
        pixels, "JPEG2000", no_jp2=True, num_resolutions=2, irreversible=False, mct=int(pixels.ndim == 3)
    )


def grey(**attributes: Any) -> Dataset:
    """The picture of the compressed streams: 12 rows, 16 columns, 12 of 16 bits."""
    return builders.image(PICTURE, BitsStored=12, HighBit=11, **attributes)


def decode(dataset: Dataset, syntax: str, pool: DecoderPool, index: int = 0) -> DecodedFrame:
    stream = builders.stream(dataset, syntax)
    return decode_frame(stream, read_header(stream), index, pool)


class TestEverySyntax:
    @pytest.mark.parametrize("syntax", NATIVE)
    def test_native(self, syntax: str, decoders: DecoderPool) -> None:
        np.testing.assert_array_equal(decode(grey(), syntax, decoders).stored_values, PICTURE)

    @pytest.mark.parametrize(
        ("syntax", "stream"),
        [
            (JPEGLossless, STREAMS["57"]),
            (JPEGLosslessSV1, STREAMS["57"]),
            (JPEGLSLossless, STREAMS["80"]),
            (JPEGLSNearLossless, STREAMS["80"]),
            (JPEG2000Lossless, jpeg_2000(PICTURE)),
            (JPEG2000, jpeg_2000(PICTURE)),
            (HTJ2KLossless, STREAMS["201"]),
            (HTJ2KLosslessRPCL, STREAMS["201"]),
            (HTJ2K, STREAMS["201"]),
            (RLELossless, rle(PICTURE)),
        ],
        ids=lambda value: value.name if hasattr(value, "name") else "",
    )
    def test_lossless(self, syntax: str, stream: bytes, decoders: DecoderPool) -> None:
        frame = decode(builders.encapsulated(grey(), [stream]), syntax, decoders)
        assert frame.stored_values.dtype == np.uint16
        np.testing.assert_array_equal(frame.stored_values, PICTURE)

    def test_irreversible_htj2k_is_near(self, decoders: DecoderPool) -> None:
        frame = decode(builders.encapsulated(grey(), [STREAMS["203"]]), HTJ2K, decoders)
        assert np.abs(frame.stored_values.astype(int) - PICTURE).max() <= 3

    @pytest.mark.parametrize("bits", [6, 7])
    def test_jpeg_ls_of_few_bits(self, bits: int, decoders: DecoderPool) -> None:
        jpeg_ls = pytest.importorskip("jpeg_ls", reason="pyjpegls has no wheel for this Python")
        pixels = (PICTURE >> (12 - bits)).astype(np.uint8)
        dataset = builders.image(pixels, BitsStored=bits, HighBit=bits - 1)
        builders.encapsulated(dataset, [bytes(jpeg_ls.encode_array(pixels))])
        np.testing.assert_array_equal(decode(dataset, JPEGLSLossless, decoders).stored_values, pixels)

    def test_12_bit_jpeg(self, decoders: DecoderPool) -> None:
        # Values of dcmtk and of libjpeg for this file, which comes with pydicom.
        path = get_testdata_file("JPGExtended.dcm", download=False)
        with Path(str(path)).open("rb") as stream:
            values = decode_frame(stream, read_header(stream), 0, decoders).stored_values
        assert (values[420, 140], values[230, 120], values.max()) == (244, 95, 264)

    def test_near_lossless_jpeg_ls_keeps_its_promise(self, decoders: DecoderPool) -> None:
        jpeg_ls = pytest.importorskip("jpeg_ls", reason="pyjpegls has no wheel for this Python")
        stream = bytes(jpeg_ls.encode_array(PICTURE, lossy_error=2))
        frame = decode(builders.encapsulated(grey(), [stream]), JPEGLSNearLossless, decoders)
        assert 0 < np.abs(frame.stored_values.astype(int) - PICTURE).max() <= 2

    @pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGExtended12Bit])
    def test_8_bit_jpeg(self, syntax: str, decoders: DecoderPool) -> None:
        pixels = (PICTURE >> 4).astype(np.uint8)
        dataset = builders.encapsulated(builders.image(pixels), [pillow(pixels, "JPEG", quality=100)])
        frame = decode(dataset, syntax, decoders)
        assert np.abs(frame.stored_values.astype(int) - pixels).max() <= 2

    @pytest.mark.parametrize("number", ["52", "53", "54", "55", "56"])
    def test_retired_jpeg_of_8_bits(self, number: str, decoders: DecoderPool) -> None:
        pixels = (SMOOTH >> 4).astype(np.uint8)
        dataset = builders.encapsulated(builders.image(pixels), [RARE_STREAMS[f"{number} of 8 bits"]])
        frame = decode(dataset, f"1.2.840.10008.1.2.4.{number}", decoders)
        assert np.abs(frame.stored_values.astype(int) - pixels).max() <= 1

    @pytest.mark.parametrize("number", ["52", "53", "54", "55", "56"])
    def test_retired_jpeg_of_12_bits(self, number: str, decoders: DecoderPool) -> None:
        dataset = builders.encapsulated(grey(), [RARE_STREAMS[f"{number} of 12 bits"]])
        frame = decode(dataset, f"1.2.840.10008.1.2.4.{number}", decoders)
        assert frame.stored_values.dtype == np.uint16
        assert np.abs(frame.stored_values.astype(int) - SMOOTH).max() <= 1

    @pytest.mark.parametrize("syntax", JPEG_XL)
    def test_jpeg_xl_gives_back_every_value(self, syntax: str, decoders: DecoderPool) -> None:
        frame = decode(builders.encapsulated(grey(), [RARE_STREAMS["110"]]), syntax, decoders)
        assert frame.stored_values.dtype == np.uint16
        np.testing.assert_array_equal(frame.stored_values, PICTURE)

    def test_jpeg_xl_in_a_container(self, decoders: DecoderPool) -> None:
        dataset = builders.encapsulated(builders.image(PICTURE * 16), [RARE_STREAMS["110 in a container"]])
        np.testing.assert_array_equal(decode(dataset, JPEG_XL[0], decoders).stored_values, PICTURE * 16)

    @pytest.mark.parametrize("photometric", ["RGB", "XYB", "YBR_FULL_422"])
    def test_jpeg_xl_of_colours_is_rgb(self, photometric: str, decoders: DecoderPool) -> None:
        # Whatever the codestream holds inside, libjxl gives RGB (PS3.5 8.2.15).
        dataset = builders.image(COLOURS, PhotometricInterpretation=photometric)
        frame = decode(builders.encapsulated(dataset, [RARE_STREAMS["110 of colours"]]), JPEG_XL[0], decoders)
        assert frame.photometric_interpretation == "RGB"
        np.testing.assert_array_equal(frame.stored_values, COLOURS)

    @pytest.mark.parametrize(("name", "syntax"), [("111", JPEG_XL[1]), ("112", JPEG_XL[2])])
    def test_lossy_jpeg_xl_is_near(self, name: str, syntax: str, decoders: DecoderPool) -> None:
        pixels = (SMOOTH >> 4).astype(np.uint8)
        dataset = builders.encapsulated(builders.image(pixels), [RARE_STREAMS[name]])
        assert np.abs(decode(dataset, syntax, decoders).stored_values.astype(int) - pixels).max() <= 4

    @pytest.mark.parametrize("signed", [False, True])
    def test_signed_values_in_jpeg_xl(self, signed: bool, decoders: DecoderPool) -> None:
        # JPEG XL has no sign: the 12 bits of a negative value are those of a large one.
        dataset = builders.image(PICTURE.astype(np.int16 if signed else np.uint16), BitsStored=12, HighBit=11)
        values = decode(
            builders.encapsulated(dataset, [RARE_STREAMS["110"]]), JPEG_XL[0], decoders
        ).stored_values
        expected = PICTURE.astype(int)
        np.testing.assert_array_equal(
            values, np.where(expected > 2047, expected - 4096, expected) if signed else expected
        )

    def test_no_syntax_is_left_out(self) -> None:
        """Every transfer syntax of PS3.6 table A-1 is decoded, or refused with a reason."""
        listed = {uid for uid, entry in UID_dictionary.items() if entry[1] == "Transfer Syntax"}
        # The last one was a draft of an archive format of the 1990s, without pixel data in the usual place.
        assert listed - set(SUPPORTED) - set(REFUSED) == {"1.2.840.10008.1.20"}
        assert not set(SUPPORTED) & set(REFUSED)

    def test_names_are_those_of_the_standard(self) -> None:
        standard = {uid: UID(uid).name for uid in SUPPORTED if uid in UID_dictionary}
        assert {uid: SUPPORTED[uid].name for uid in standard} == standard

    @pytest.mark.parametrize(
        ("syntax", "name"),
        [
            ("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile .*: it is a video"),
            ("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile .*: it is a video"),
            ("1.2.840.10008.1.2.4.58", "JPEG Lossless, .* no decoder under a permissive licence"),
            ("1.2.840.10008.1.2.4.63", "JPEG Full Progression, Hierarchical .* no decoder"),
            ("1.2.840.10008.1.2.4.94", "JPIP Referenced.*: its pixels are not in the file"),
            ("1.2.3.4", "Unknown"),
        ],
    )
    def test_any_other_is_refused_by_uid_name_and_reason(
        self, syntax: str, name: str, decoders: DecoderPool
    ) -> None:
        with pytest.raises(UnsupportedTransferSyntax, match=f"{syntax} \\({name}"):
            decode(builders.encapsulated(grey(), [b"stream"]), syntax, decoders)


class TestStoredValues:
    def test_bits_above_the_stored_ones_are_dropped(self, decoders: DecoderPool) -> None:
        pixels = np.array([[0xF123, 0x0FFF]], np.uint16)
        frame = decode(builders.image(pixels, BitsStored=12, HighBit=11), ExplicitVRLittleEndian, decoders)
        assert frame.stored_values.tolist() == [[0x123, 0xFFF]]

    def test_the_sign_is_extended(self, decoders: DecoderPool) -> None:
        pixels = np.array([[0x0FFF, 0x0800, 0x07FF, 0x7001]], np.uint16).view(np.int16)
        frame = decode(builders.image(pixels, BitsStored=12, HighBit=11), ExplicitVRLittleEndian, decoders)
        assert frame.stored_values.tolist() == [[-1, -2048, 2047, 1]]

    def test_bits_below_the_stored_ones_are_dropped(self, decoders: DecoderPool) -> None:
        pixels = np.array([[0x123F, 0xFFF0]], np.uint16)
        frame = decode(builders.image(pixels, BitsStored=12, HighBit=15), ExplicitVRLittleEndian, decoders)
        assert frame.stored_values.tolist() == [[0x123, 0xFFF]]

    @pytest.mark.parametrize("syntax", NATIVE)
    @pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32])
    def test_all_integer_types(self, kind: Any, syntax: str, decoders: DecoderPool) -> None:
        limits = np.iinfo(kind)
        pixels = np.array([[limits.min, limits.max], [1, 2]], kind)
        frame = decode(builders.image(pixels), syntax, decoders)
        assert frame.stored_values.dtype == kind
        np.testing.assert_array_equal(frame.stored_values, pixels)

    @pytest.mark.parametrize(("keyword", "kind"), [("FloatPixelData", "f4"), ("DoubleFloatPixelData", "f8")])
    def test_floating_point_pixels(self, keyword: str, kind: str, decoders: DecoderPool) -> None:
        pixels = np.array([[0.5, -1e10]], kind)
        dataset = builders.image(np.zeros((1, 2), np.uint16), PixelData=None, **{keyword: pixels.tobytes()})
        np.testing.assert_array_equal(decode(dataset, ExplicitVRLittleEndian, decoders).stored_values, pixels)

    def test_single_bits_of_a_frame_that_starts_within_a_byte(self, decoders: DecoderPool) -> None:
        # 3 x 3 pixels per frame, so the second frame starts at bit 9; the first bit is the lowest (PS3.5 8.1.1).
        bits = np.array([1, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1], np.uint8)
        dataset = builders.image(
            np.zeros((2, 3, 3), np.uint8), NumberOfFrames=2, BitsAllocated=1, BitsStored=1, HighBit=0
        )
        dataset.PixelData = np.packbits(bits, bitorder="little").tobytes() + b"\0"
        for index in (0, 1):
            frame = decode(dataset, ExplicitVRLittleEndian, decoders, index)
            assert frame.stored_values.ravel().tolist() == bits[9 * index : 9 * index + 9].tolist()

    def test_only_the_frame_that_is_asked_for_is_read(self, decoders: DecoderPool) -> None:
        pixels = np.arange(3 * 4 * 4, dtype=np.uint16).reshape(3, 4, 4)
        dataset = builders.image(pixels, NumberOfFrames=3)
        for index in range(3):
            frame = decode(dataset, ExplicitVRBigEndian, decoders, index)
            np.testing.assert_array_equal(frame.stored_values, pixels[index])


class TestColour:
    RGB = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3)

    def test_colour_by_pixel(self, decoders: DecoderPool) -> None:
        np.testing.assert_array_equal(
            decode(builders.image(self.RGB), NATIVE[1], decoders).stored_values, self.RGB
        )

    def test_colour_by_plane(self, decoders: DecoderPool) -> None:
        dataset = builders.image(self.RGB, PlanarConfiguration=1)
        dataset.PixelData = self.RGB.transpose(2, 0, 1).tobytes()
        np.testing.assert_array_equal(decode(dataset, NATIVE[1], decoders).stored_values, self.RGB)

    def test_two_pixels_share_their_colour_in_4_2_2(self, decoders: DecoderPool) -> None:
        dataset = builders.image(np.zeros((1, 4, 3), np.uint8), PhotometricInterpretation="YBR_FULL_422")
        dataset.PixelData = bytes([10, 20, 100, 200, 30, 40, 110, 210])
        frame = decode(dataset, NATIVE[1], decoders)
        assert frame.photometric_interpretation == "YBR_FULL"
        assert frame.stored_values.tolist() == [
            [[10, 100, 200], [20, 100, 200], [30, 110, 210], [40, 110, 210]]
        ]

    def test_what_is_called_4_2_2_and_holds_all_samples(self, decoders: DecoderPool) -> None:
        dataset = builders.image(self.RGB, PhotometricInterpretation="YBR_FULL_422")
        np.testing.assert_array_equal(decode(dataset, NATIVE[1], decoders).stored_values, self.RGB)

    def test_jpeg_gives_the_samples_of_the_stream(self, decoders: DecoderPool) -> None:
        # Plain red is Y 76, Cb 85, Cr 255 in JFIF.
        red = np.full((16, 16, 3), (255, 0, 0), np.uint8)
        stream = pillow(red, "JPEG", quality=100, subsampling=0)
        dataset = builders.encapsulated(
            builders.image(red, PhotometricInterpretation="YBR_FULL_422"), [stream]
        )
        frame = decode(dataset, JPEGBaseline8Bit, decoders)
        assert frame.photometric_interpretation.startswith("YBR_FULL")
        assert np.abs(frame.stored_values.astype(int) - (76, 85, 255)).max() <= 1

    def test_jpeg_that_holds_rgb_says_so_itself(self, decoders: DecoderPool) -> None:
        red = np.full((16, 16, 3), (255, 0, 0), np.uint8)
        stream = pillow(red, "JPEG", quality=100, keep_rgb=True)
        dataset = builders.encapsulated(
            builders.image(red, PhotometricInterpretation="YBR_FULL_422"), [stream]
        )
        frame = decode(dataset, JPEGBaseline8Bit, decoders)
        assert frame.photometric_interpretation == "RGB"
        assert np.abs(frame.stored_values.astype(int) - (255, 0, 0)).max() <= 1

    @pytest.mark.parametrize(
        ("transform", "photometric", "expected"),
        [
            (1, "YBR_FULL", "RGB"),
            (1, "YBR_FULL_422", "RGB"),
            (1, "RGB", "RGB"),
            (0, "RGB", "RGB"),
            (0, "YBR_FULL", "YBR_FULL"),
        ],
    )
    def test_jpeg_2000_is_converted_once(
        self, transform: int, photometric: str, expected: str, decoders: DecoderPool
    ) -> None:
        pixels = np.full((16, 16, 3), (220, 30, 10), np.uint8)
        stream = pillow(pixels, "JPEG2000", no_jp2=True, num_resolutions=2, irreversible=False, mct=transform)
        dataset = builders.encapsulated(
            builders.image(pixels, PhotometricInterpretation=photometric), [stream]
        )
        frame = decode(dataset, JPEG2000Lossless, decoders)
        assert frame.photometric_interpretation == expected
        np.testing.assert_array_equal(frame.stored_values, pixels)

    def test_reversible_colour_transform(self, decoders: DecoderPool) -> None:
        stream = jpeg_2000(self.RGB.repeat(4, 0).repeat(4, 1))
        dataset = builders.image(self.RGB.repeat(4, 0).repeat(4, 1), PhotometricInterpretation="YBR_RCT")
        frame = decode(builders.encapsulated(dataset, [stream]), JPEG2000Lossless, decoders)
        assert frame.photometric_interpretation == "RGB"
        np.testing.assert_array_equal(frame.stored_values, self.RGB.repeat(4, 0).repeat(4, 1))


class TestFragments:
    STREAM = jpeg_2000(PICTURE)
    OTHER = jpeg_2000(PICTURE[::-1].copy())

    def two_frames(self, **options: Any) -> Dataset:
        dataset = builders.image(np.stack([PICTURE, PICTURE]), NumberOfFrames=2, BitsStored=12, HighBit=11)
        return builders.encapsulated(dataset, [self.STREAM, self.OTHER], **options)

    def second(self, dataset: Dataset, pool: DecoderPool) -> np.ndarray:
        return decode(dataset, JPEG2000Lossless, pool, 1).stored_values

    @pytest.mark.parametrize("has_table", [True, False])
    @pytest.mark.parametrize("fragments", [1, 3])
    def test_any_number_per_frame(self, fragments: int, has_table: bool, decoders: DecoderPool) -> None:
        dataset = self.two_frames(fragments_per_frame=fragments, has_bot=has_table)
        np.testing.assert_array_equal(self.second(dataset, decoders), PICTURE[::-1])

    def test_an_offset_table_that_lies_is_not_believed(self, decoders: DecoderPool) -> None:
        dataset = self.two_frames(fragments_per_frame=3)
        data = bytearray(dataset.PixelData)
        data[12:16] = (77).to_bytes(4, "little")
        dataset.PixelData = bytes(data)
        np.testing.assert_array_equal(self.second(dataset, decoders), PICTURE[::-1])

    def test_an_extended_offset_table(self, decoders: DecoderPool) -> None:
        dataset = self.two_frames(fragments_per_frame=3, has_bot=False)
        position = 8
        for _ in range(3):
            position += 8 + int.from_bytes(dataset.PixelData[position + 4 : position + 8], "little")
        dataset.ExtendedOffsetTable = np.array([0, position - 8], "<u8").tobytes()
        np.testing.assert_array_equal(self.second(dataset, decoders), PICTURE[::-1])

    def test_a_stream_that_contains_a_delimiter(self, decoders: DecoderPool) -> None:
        # A comment segment with the bytes of a sequence delimiter, right behind the size segment.
        comment = b"\xff\x64\x00\x0c\x00\x01" + b"\xfe\xff\xdd\xe0\0\0\0\0"
        end = 2 + 2 + int.from_bytes(self.STREAM[4:6], "big")
        dataset = builders.encapsulated(grey(), [self.STREAM[:end] + comment + self.STREAM[end:]])
        np.testing.assert_array_equal(decode(dataset, JPEG2000Lossless, decoders).stored_values, PICTURE)


class TestDamage:
    @pytest.mark.parametrize("name", ["57", "80", "201"])
    def test_a_damaged_stream_is_refused_by_name(self, name: str, decoders: DecoderPool) -> None:
        syntax = {"57": JPEGLossless, "80": JPEGLSLossless, "201": HTJ2KLossless}[name]
        dataset = builders.encapsulated(grey(SOPInstanceUID="1.2.3"), [STREAMS[name][:40] + b"\0" * 40])
        with pytest.raises(
            UndecodableFrame, match=r"Frame 1 of instance 1\.2\.3 cannot be decoded"
        ) as caught:
            decode(dataset, syntax, decoders)
        assert caught.value.members == {"sop_instance_uid": "1.2.3", "frame_number": 1}

    @pytest.mark.parametrize(
        "offsets",
        [
            [64, 2**32 - 1],  # behind the end
            [64, 65],  # the first segment is too short
            [2**31, 64],
            [64, 0],
            [0, 64],
            [64, 64],
        ],
    )
    def test_wrong_offsets_of_rle_segments(self, offsets: list[int], decoders: DecoderPool) -> None:
        # The header of RLE: number of segments, then the offset of each (PS3.5 G.5).
        stream = rle(PICTURE)
        damaged = stream[:4] + np.array(offsets, "<u4").tobytes() + stream[12:]
        with pytest.raises(UndecodableFrame):
            decode(builders.encapsulated(grey(), [damaged]), RLELossless, decoders)

    @pytest.mark.parametrize("count", [0, 1, 3, 15, 16, 2**32 - 1])
    def test_a_wrong_number_of_rle_segments(self, count: int, decoders: DecoderPool) -> None:
        damaged = count.to_bytes(4, "little") + rle(PICTURE)[4:]
        with pytest.raises(UndecodableFrame):
            decode(builders.encapsulated(grey(), [damaged]), RLELossless, decoders)

    def test_an_instance_that_only_the_meta_header_names(self, decoders: DecoderPool) -> None:
        dataset = builders.encapsulated(grey(), [STREAMS["80"][:40] + b"\0" * 40])
        del dataset.SOPInstanceUID
        file = io.BytesIO(builders.to_bytes(dataset, JPEGLSLossless, media_storage_uid="1.2.3.4"))
        with pytest.raises(UndecodableFrame, match=r"instance 1\.2\.3\.4 cannot"):
            decode_frame(file, read_header(file), 0, decoders)

    def test_a_stream_of_another_size_never_reaches_a_decoder(self, decoders: DecoderPool) -> None:
        stream = jpeg_2000(np.zeros((16, 12), np.uint16))  # as many pixels, in another shape
        with pytest.raises(UndecodableFrame, match="16 x 12 pixels instead of 12 x 16"):
            decode(builders.encapsulated(grey(), [stream]), JPEG2000Lossless, decoders)

    @pytest.mark.parametrize("index", [-1, 1])
    def test_a_frame_that_does_not_exist(self, index: int, decoders: DecoderPool) -> None:
        with pytest.raises(UndecodableFrame, match="no such frame"):
            decode(grey(), ExplicitVRLittleEndian, decoders, index)

    def test_a_file_that_was_cut_after_it_was_read(self, decoders: DecoderPool) -> None:
        data = builders.to_bytes(grey())
        header = read_header(io.BytesIO(data))
        with pytest.raises(UndecodableFrame, match="not there any more"):
            decode_frame(io.BytesIO(data[:-10]), header, 0, decoders)

    def test_fragments_that_cannot_be_told_apart(self, decoders: DecoderPool) -> None:
        dataset = builders.image(np.stack([PICTURE, PICTURE]), NumberOfFrames=2, BitsStored=12, HighBit=11)
        # Plain noise: nothing in it begins like a stream.
        noise = np.random.default_rng(3).bytes(400)
        builders.encapsulated(dataset, [noise, noise], fragments_per_frame=2, has_bot=False)
        with pytest.raises(UndecodableFrame, match="told apart"):
            decode(dataset, RLELossless, decoders)


def test_a_stream_deeper_than_bits_allocated_keeps_its_values(decoders: DecoderPool) -> None:
    dataset = builders.image(np.zeros((12, 16), np.uint8))
    frame = decode(builders.encapsulated(dataset, [jpeg_2000(PICTURE)]), JPEG2000Lossless, decoders)
    np.testing.assert_array_equal(frame.stored_values, PICTURE)


class TestUnusedBitsOfStreams:
    """Bits that are not stored may hold anything, compressed or not (PS3.5 8.1.1)."""

    def test_bits_below_high_bit_of_rle(self, decoders: DecoderPool) -> None:
        # 960 is 60 << 4: with High Bit 15 and 12 bits stored, the lowest 4 bits are none of the value.
        pixels = np.full((12, 16), 960, np.uint16)
        dataset = builders.image(pixels, BitsStored=12, HighBit=15)
        frame = decode(builders.encapsulated(dataset, [rle(pixels)]), RLELossless, decoders)
        assert np.unique(frame.stored_values).tolist() == [60]

    def test_bits_above_high_bit_of_rle(self, decoders: DecoderPool) -> None:
        pixels = np.full((12, 16), 0xF123, np.uint16)
        dataset = builders.image(pixels, BitsStored=12, HighBit=11)
        frame = decode(builders.encapsulated(dataset, [rle(pixels)]), RLELossless, decoders)
        assert np.unique(frame.stored_values).tolist() == [0x123]

    def test_a_sign_that_the_stream_does_not_extend(self, decoders: DecoderPool) -> None:
        # 2496 is -1600 + 4096: the 12 bits of -1600 in an unsigned stream of 16 bits.
        dataset = builders.image(np.zeros((12, 16), np.int16), BitsStored=12, HighBit=11)
        stream = jpeg_2000(np.full((12, 16), 2496, np.uint16))
        frame = decode(builders.encapsulated(dataset, [stream]), JPEG2000Lossless, decoders)
        assert frame.stored_values.dtype == np.int16
        assert np.unique(frame.stored_values).tolist() == [-1600]

    def test_an_overshoot_of_a_lossy_stream_stays_bright(self, decoders: DecoderPool) -> None:
        dataset = builders.image(np.zeros((12, 16), np.uint16), BitsStored=12, HighBit=11)
        stream = jpeg_2000(np.full((12, 16), 4100, np.uint16))
        frame = decode(builders.encapsulated(dataset, [stream]), JPEG2000, decoders)
        assert np.unique(frame.stored_values).tolist() == [4100]


def test_8_bit_jpeg_in_16_bits_allocated(decoders: DecoderPool) -> None:
    dataset = builders.image(np.zeros((16, 16), np.uint16), BitsStored=8, HighBit=7)
    stream = pillow(np.full((16, 16), 200, np.uint8), "JPEG", quality=100)
    frame = decode(builders.encapsulated(dataset, [stream]), JPEGBaseline8Bit, decoders)
    assert frame.stored_values.dtype == np.uint16
    assert np.unique(frame.stored_values).tolist() == [200]
