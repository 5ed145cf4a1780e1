"""Pixel data that is not what its transfer syntax says: shown where it leaves no doubt, with a finding."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import RLELosslessEncoder

from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.decoding import decode_frame
from imageserver.dicom.reading import FileRefused, Header, read_header
from imageserver.errors import UndecodableFrame
from tests import builders
from tests.dicom.compressed_streams import PICTURE, RARE_STREAMS, STREAMS

EXPLICIT, IMPLICIT, DEFLATED = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99"
UNCOMPRESSED, DEFLATED_FRAMES = "1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.8.1"
BASELINE, LOSSLESS, JPEG_LS, RLE = (f"1.2.840.10008.1.2.{n}" for n in ("4.50", "4.70", "4.80", "5"))
JPEG_2000, JPEG_XL, HTJ2K = (f"1.2.840.10008.1.2.4.{n}" for n in ("90", "110", "201"))

COMPRESSED = [BASELINE, LOSSLESS, JPEG_LS, RLE, JPEG_2000, JPEG_XL, HTJ2K, UNCOMPRESSED, DEFLATED_FRAMES]


def jpeg_2000() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, "JPEG2000", no_jp2=True, num_resolutions=2)
    return buffer.getvalue()


def rle() -> bytes:
    return RLELosslessEncoder.encode(
        PICTURE.tobytes(), rows=12, columns=16, number_of_frames=1, samples_per_pixel=1, bits_allocated=16,
        bits_stored=12, pixel_representation=0, photometric_interpretation="MONOCHROME2", encoding_plugin="pydicom",
    )  # fmt: skip


def deflated(data: bytes, wbits: int = -15) -> bytes:
    deflater = zlib.compressobj(wbits=wbits)
    return deflater.compress(data) + deflater.flush()


# A stream of each kind, and a transfer syntax it belongs to.
KINDS = {
    "lossless": (STREAMS["57"], LOSSLESS),
    "JPEG-LS": (STREAMS["80"], JPEG_LS),
    "JPEG 2000": (jpeg_2000(), JPEG_2000),
    "HTJ2K": (STREAMS["201"], HTJ2K),
    "JPEG XL": (RARE_STREAMS["110"], JPEG_XL),
    "RLE": (rle(), RLE),
}


def grey(**attributes: object) -> Dataset:
    return builders.image(PICTURE, BitsStored=12, HighBit=11, **attributes)


def read(dataset: Dataset, syntax: str) -> tuple[Header, io.BytesIO]:
    stream = builders.stream(dataset, syntax)
    return read_header(stream), stream


def codes(header: Header) -> list[str]:
    return [finding.code for finding in header.warnings]


def check(dataset: Dataset, declared: str, decoders: DecoderPool, *, is_mislabelled: bool) -> Header:
    """The picture comes out, and a finding exactly where the label is wrong."""
    header, stream = read(dataset, declared)
    np.testing.assert_array_equal(decode_frame(stream, header, 0, decoders).stored_values, PICTURE)
    assert ("mislabelled_pixel_data" in codes(header)) is is_mislabelled
    return header


@pytest.mark.parametrize(
    "declared", [BASELINE, LOSSLESS, JPEG_LS, RLE, JPEG_2000, JPEG_XL, HTJ2K, UNCOMPRESSED, DEFLATED_FRAMES]
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_under_the_label_of_another(kind: str, declared: str, decoders: DecoderPool) -> None:
    stream, syntax = KINDS[kind]
    header = check(
        builders.encapsulated(grey(), [stream]), declared, decoders, is_mislabelled=declared != syntax
    )
    if declared != syntax:
        assert header.transfer_syntax_uid != declared


@pytest.mark.parametrize("declared", [EXPLICIT, IMPLICIT, DEFLATED])
@pytest.mark.parametrize("kind", KINDS)
def test_fragments_under_a_native_label(kind: str, declared: str, decoders: DecoderPool) -> None:
    check(builders.encapsulated(grey(), [KINDS[kind][0]]), declared, decoders, is_mislabelled=True)


@pytest.mark.parametrize("declared", [EXPLICIT, IMPLICIT, JPEG_2000, LOSSLESS])
@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_without_fragments(kind: str, declared: str, decoders: DecoderPool) -> None:
    dataset = grey()
    dataset.PixelData = KINDS[kind][0] + b"\0" * (len(KINDS[kind][0]) % 2)
    if len(dataset.PixelData) < PICTURE.nbytes:
        check(dataset, declared, decoders, is_mislabelled=True)


@pytest.mark.parametrize("declared", [JPEG_2000, LOSSLESS, RLE])
def test_fragments_with_a_defined_length(declared: str, decoders: DecoderPool) -> None:
    dataset = grey()
    dataset.PixelData = encapsulate([jpeg_2000()])
    check(dataset, declared, decoders, is_mislabelled=True)


@pytest.mark.parametrize("declared", [BASELINE, JPEG_2000, RLE, JPEG_XL, UNCOMPRESSED])
def test_native_data_under_a_compressed_label(declared: str, decoders: DecoderPool) -> None:
    check(grey(), declared, decoders, is_mislabelled=True)


@pytest.mark.parametrize("declared", [BASELINE, JPEG_2000, RLE, EXPLICIT])
def test_native_data_in_fragments(declared: str, decoders: DecoderPool) -> None:
    dataset = builders.encapsulated(grey(), [PICTURE.tobytes()])
    check(dataset, declared, decoders, is_mislabelled=True)


@pytest.mark.parametrize("declared", [BASELINE, RLE])
@pytest.mark.parametrize("length", [-2, 2])
def test_native_data_of_another_length_is_refused(declared: str, length: int) -> None:
    dataset = grey()
    dataset.PixelData = (PICTURE.tobytes() + b"\1\1")[: PICTURE.nbytes + length]
    with pytest.raises(FileRefused) as caught:
        read(dataset, declared)
    assert caught.value.code == "wrong_transfer_syntax"


def test_what_cannot_be_told_in_fragments_is_refused_under_a_native_label() -> None:
    with pytest.raises(FileRefused) as caught:
        read(builders.encapsulated(grey(), [b"neither of them "]), EXPLICIT)
    assert caught.value.code == "wrong_transfer_syntax"


def test_a_stream_of_another_size_stays_under_a_native_label_refused() -> None:
    dataset = grey(Rows=24)
    dataset.PixelData = jpeg_2000() + b"\0" * (len(jpeg_2000()) % 2)
    with pytest.raises(FileRefused) as caught:
        read(dataset, EXPLICIT)
    assert caught.value.code == "truncated_pixel_data"


def test_a_kind_that_nothing_decodes_is_refused_by_its_name(decoders: DecoderPool) -> None:
    hierarchical = b"\xff\xd8\xff\xde\0\x0b\x08\0\x0c\0\x10\x01\x01\x11\0" + b"\0" * 20
    header, stream = read(builders.encapsulated(grey(), [hierarchical]), BASELINE)
    with pytest.raises(UndecodableFrame, match="hierarchical JPEG, which no decoder reads"):
        decode_frame(stream, header, 0, decoders)


def test_frames_of_different_kinds(decoders: DecoderPool) -> None:
    dataset = builders.image(np.stack([PICTURE, PICTURE]), NumberOfFrames=2, BitsStored=12, HighBit=11)
    header, stream = read(builders.encapsulated(dataset, [STREAMS["57"], STREAMS["80"]]), LOSSLESS)
    for index in range(2):
        np.testing.assert_array_equal(decode_frame(stream, header, index, decoders).stored_values, PICTURE)


def test_a_profile_in_front_of_the_frame_header(decoders: DecoderPool) -> None:
    # 3000 bytes of an application segment: the frame header is not among the first bytes read.
    stream = STREAMS["57"]
    long = stream[:2] + b"\xff\xe2" + (3002).to_bytes(2, "big") + b"x" * 3000 + stream[2:]
    check(builders.encapsulated(grey(), [long]), RLE, decoders, is_mislabelled=True)


def test_fill_bytes_in_front_of_a_stream(decoders: DecoderPool) -> None:
    dataset = builders.encapsulated(grey(), [b"\xff\xff" + STREAMS["57"]])
    check(dataset, LOSSLESS, decoders, is_mislabelled=False)


class TestNativeFramesInFragments:
    """PS3.5 A.4.11 (uncompressed) and A.4.13 (deflated): each frame is native, and starts on its own byte."""

    FRAMES = np.stack([PICTURE, PICTURE[::-1], PICTURE ^ 0xFFF]).astype(np.uint16)

    def encoded(self, syntax: str, frame: bytes) -> bytes:
        return deflated(frame) if syntax == DEFLATED_FRAMES else frame

    @pytest.mark.parametrize("syntax", [UNCOMPRESSED, DEFLATED_FRAMES])
    @pytest.mark.parametrize("has_table", [True, False])
    def test_grey(self, has_table: bool, syntax: str, decoders: DecoderPool) -> None:
        dataset = builders.image(self.FRAMES, NumberOfFrames=3, BitsStored=12, HighBit=11)
        frames = [self.encoded(syntax, frame.tobytes()) for frame in self.FRAMES]
        header, stream = read(builders.encapsulated(dataset, frames, has_bot=has_table), syntax)
        for index, expected in enumerate(self.FRAMES):
            np.testing.assert_array_equal(
                decode_frame(stream, header, index, decoders).stored_values, expected
            )
        assert codes(header) == []

    @pytest.mark.parametrize("syntax", [UNCOMPRESSED, DEFLATED_FRAMES])
    def test_several_fragments_by_the_table(self, syntax: str, decoders: DecoderPool) -> None:
        dataset = builders.image(self.FRAMES, NumberOfFrames=3, BitsStored=12, HighBit=11)
        frames = [self.encoded(syntax, frame.tobytes()) for frame in self.FRAMES]
        builders.encapsulated(dataset, frames, fragments_per_frame=2, has_bot=True)
        header, stream = read(dataset, syntax)
        np.testing.assert_array_equal(decode_frame(stream, header, 1, decoders).stored_values, self.FRAMES[1])

    @pytest.mark.parametrize("syntax", [UNCOMPRESSED, DEFLATED_FRAMES])
    def test_colour(self, syntax: str, decoders: DecoderPool) -> None:
        pixels = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)  # an odd number of bytes
        dataset = builders.encapsulated(builders.image(pixels), [self.encoded(syntax, pixels.tobytes())])
        header, stream = read(dataset, syntax)
        frame = decode_frame(stream, header, 0, decoders)
        assert frame.photometric_interpretation == "RGB"
        np.testing.assert_array_equal(frame.stored_values, pixels)

    @pytest.mark.parametrize("syntax", [UNCOMPRESSED, DEFLATED_FRAMES])
    def test_single_bits_begin_a_byte_with_each_frame(self, syntax: str, decoders: DecoderPool) -> None:
        # 3 x 3 bits: 9 of 16. In native encoding the second frame would begin at bit 9.
        masks = np.array([[[1, 0, 1], [0, 0, 0], [1, 1, 1]], [[0, 1, 0], [1, 1, 1], [0, 0, 1]]], np.uint8)
        dataset = builders.image(masks, NumberOfFrames=2, BitsAllocated=1, BitsStored=1, HighBit=0)
        frames = [np.packbits(mask.ravel(), bitorder="little").tobytes() for mask in masks]
        builders.encapsulated(dataset, [self.encoded(syntax, frame) for frame in frames])
        header, stream = read(dataset, syntax)
        for index, mask in enumerate(masks):
            np.testing.assert_array_equal(decode_frame(stream, header, index, decoders).stored_values, mask)

    @pytest.mark.parametrize(
        ("stream", "reason"),
        [
            (deflated(PICTURE.tobytes())[:-9], "cut off|another length"),
            (b"\xff" * 60, "damaged"),
            (deflated(PICTURE.tobytes() + b"more"), "another length"),
            (deflated(PICTURE.tobytes()[:-2]), "another length"),
            (deflated(b"\0" * 50_000_000), "another length"),  # a bomb of 50 kB
        ],
    )
    def test_a_damaged_frame_is_refused(self, stream: bytes, reason: str, decoders: DecoderPool) -> None:
        header, file = read(builders.encapsulated(grey(), [stream]), DEFLATED_FRAMES)
        with pytest.raises(UndecodableFrame, match=reason):
            decode_frame(file, header, 0, decoders)

    def test_the_header_of_zlib_is_stepped_over(self, decoders: DecoderPool) -> None:
        dataset = builders.encapsulated(grey(), [deflated(PICTURE.tobytes(), wbits=15)])
        check(dataset, DEFLATED_FRAMES, decoders, is_mislabelled=False)

    def test_an_uncompressed_frame_that_is_too_short(self, decoders: DecoderPool) -> None:
        header, file = read(builders.encapsulated(grey(), [PICTURE.tobytes()[:-2]]), UNCOMPRESSED)
        with pytest.raises(UndecodableFrame, match="not there"):
            decode_frame(file, header, 0, decoders)


class TestPrivateSyntaxes:
    def test_ge_has_only_its_pixels_in_big_endian(self, decoders: DecoderPool) -> None:
        dataset = grey()
        dataset.PixelData = PICTURE.astype(">u2").tobytes()
        data = builders.to_bytes(dataset, IMPLICIT)
        data = data.replace(b"1.2.840.10008.1.2\0", b"1.2.840.113619.5.2")
        header = read_header(io.BytesIO(data))
        assert header.transfer_syntax_uid == "1.2.840.113619.5.2"
        values = decode_frame(io.BytesIO(data), header, 0, decoders).stored_values
        np.testing.assert_array_equal(values, PICTURE)

    def test_philips_is_explicit_little_endian(self, decoders: DecoderPool) -> None:
        check(grey(), "1.3.46.670589.33.1.4.1", decoders, is_mislabelled=False)
