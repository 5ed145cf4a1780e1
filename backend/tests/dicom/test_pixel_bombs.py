"""T27, letter by letter: descriptions of pixels that are far larger than the file, or make no sense.

Each is refused by name, or drawn, in little time and memory; nothing is allocated on the word of the file.
"""

import contextlib
import io
import time
import tracemalloc
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.decoding import decode_frame
from imageserver.dicom.reading import FileRefused, read_header
from imageserver.dicom.rendering import render_frame
from imageserver.errors import UndecodableFrame
from tests import builders
from tests.dicom.compressed_streams import PICTURE, RARE_STREAMS

EXPLICIT, RLE = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5"
JPEG, JPEG_2000, JPEG_XL = (f"1.2.840.10008.1.2.4.{number}" for number in (50, 90, 110))
DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"
MOST_BYTES, MOST_SECONDS = 64 * 1024 * 1024, 5.0


@pytest.fixture(autouse=True)
def _within_limits() -> Iterator[None]:
    """What this process allocates and computes; the decoder processes have limits of their own."""
    tracemalloc.start()
    begin = time.process_time()
    yield
    seconds = time.process_time() - begin
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MOST_BYTES
    assert seconds < MOST_SECONDS


def refusal(data: bytes) -> str:
    with pytest.raises(FileRefused) as caught:
        read_header(io.BytesIO(data))
    return caught.value.code


def claim(rows: int, columns: int, stream: bytes, syntax: str) -> bytes:
    """A compressed picture of 12 x 16 pixels, or so the data set says."""
    dataset = builders.image(PICTURE, Rows=rows, Columns=columns)
    return builders.to_bytes(builders.encapsulated(dataset, [stream]), syntax)


def undecodable(data: bytes, pool: DecoderPool) -> str:
    stream = io.BytesIO(data)
    with pytest.raises(UndecodableFrame) as caught:
        decode_frame(stream, read_header(stream), 0, pool)
    return caught.value.detail


def picture(dataset: Dataset, pool: DecoderPool) -> np.ndarray:
    stream = builders.stream(dataset)
    header = read_header(stream)
    return render_frame(decode_frame(stream, header, 0, pool), header, 0).display_values


def pillow(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray((PICTURE >> 4).astype(np.uint8)).save(buffer, kind, **options)
    return buffer.getvalue()


def test_b5_rle_of_30000_by_30000() -> None:
    run = b"\x81\x00" * 2000
    head = np.array([2, 64, 64 + len(run), *[0] * 13], "<u4").tobytes()
    assert refusal(claim(30000, 30000, head + run + run, RLE)) == "too_large_image"


def test_b5_rle_that_unpacks_to_less_than_it_claims(decoders: DecoderPool) -> None:
    # 16000 x 16000 pixels, which may be, claimed by two runs of 20 kB.
    run = b"\x81\x00" * 5000
    head = np.array([2, 64, 64 + len(run), *[0] * 13], "<u4").tobytes()
    assert "no decoder accepts it" in undecodable(claim(16000, 16000, head + run + run, RLE), decoders)


def test_b5_rle_that_unpacks_to_more_than_it_claims(decoders: DecoderPool) -> None:
    """What is beyond the frame is dropped, as padding of a segment is (PS3.5 G.3.1)."""
    run = b"\x81\x00" * 100_000
    head = np.array([2, 64, 64 + len(run), *[0] * 13], "<u4").tobytes()
    stream = io.BytesIO(claim(12, 16, head + run + run, RLE))
    values = decode_frame(stream, read_header(stream), 0, decoders).stored_values
    assert values.shape == (12, 16)
    assert not values.any()


def test_b5_deflated_frame(decoders: DecoderPool) -> None:
    bomb = zlib.compress(b"\0" * 50_000_000, wbits=-15)
    assert "another length" in undecodable(claim(12, 16, bomb, DEFLATED_FRAME), decoders)


def test_b6_jpeg_2000_of_65535_by_65535(decoders: DecoderPool) -> None:
    stream = bytearray(pillow("JPEG2000", no_jp2=True, num_resolutions=2))
    stream[8:16] = (65535).to_bytes(4, "big") * 2
    assert refusal(claim(65535, 65535, bytes(stream), JPEG_2000)) == "too_large_image"
    assert "65535 x 65535 pixels instead of 12 x 16" in undecodable(
        claim(12, 16, bytes(stream), JPEG_2000), decoders
    )


def test_b6_jpeg_xl_of_2_to_the_30(decoders: DecoderPool) -> None:
    # ISO/IEC 18181-1 C.2.1: not small, 30 bits of rows - 1, ratio 1 to 1.
    size = (3 << 1 | (2**30 - 1) << 3 | 1 << 33).to_bytes(5, "little")
    stream = b"\xff\x0a" + size + RARE_STREAMS["110"][6:]
    assert f"{2**30} x {2**30} pixels instead of 12 x 16" in undecodable(
        claim(12, 16, stream, JPEG_XL), decoders
    )


def test_b7_jpeg_of_65500_by_65500(decoders: DecoderPool) -> None:
    stream = bytearray(pillow("JPEG"))
    at = stream.index(b"\xff\xc0") + 5
    stream[at : at + 4] = (65500).to_bytes(2, "big") * 2
    assert refusal(claim(65500, 65500, bytes(stream), JPEG)) == "too_large_image"
    assert "65500 x 65500 pixels instead of 12 x 16" in undecodable(
        claim(12, 16, bytes(stream), JPEG), decoders
    )


@pytest.mark.parametrize("frames", [2**31 - 1, 10**15])
def test_b8_number_of_frames(frames: int) -> None:
    native = builders.image(PICTURE)
    native.add_new(0x00280008, "IS", str(frames))
    assert refusal(builders.to_bytes(native)) == "too_many_frames"
    fragments = builders.encapsulated(native, [b"ab"])
    assert refusal(builders.to_bytes(fragments, RLE)) == "too_many_frames"


@pytest.mark.parametrize("bits", [0, 65535])
def test_b9_bits_allocated(bits: int) -> None:
    assert refusal(builders.to_bytes(builders.image(PICTURE, BitsAllocated=bits))) == "bad_image"


def test_b9_64_bits_allocated_need_their_bytes() -> None:
    assert refusal(builders.to_bytes(builders.image(PICTURE, BitsAllocated=64))) == "truncated_pixel_data"


@pytest.mark.parametrize("tag", [0x00280010, 0x00280011])
def test_b10_rows_or_columns_as_ul(tag: int) -> None:
    dataset = builders.image(PICTURE)
    dataset.add_new(tag, "UL", 2**32 - 1)
    assert refusal(builders.to_bytes(dataset)) == "bad_image"


def test_b11_a_palette_index_out_of_range_gives_no_foreign_bytes(decoders: DecoderPool) -> None:
    # PS3.3 C.7.9: an index beyond the table means its last entry.
    pixels = np.arange(192, dtype=np.uint8).reshape(12, 16)
    dataset = builders.image(pixels, PhotometricInterpretation="PALETTE COLOR")
    for colour, values in (("Red", (10, 20)), ("Green", (30, 40)), ("Blue", (50, 60))):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [2, 0, 8])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", bytes(values))
    shown = picture(dataset, decoders)
    assert {tuple(colour) for colour in shown.reshape(-1, 3).tolist()} == {(10, 30, 50), (20, 40, 60)}


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"PK\x03\x04"])
def test_b12_another_format_sent_as_dicom(start: bytes) -> None:
    assert refusal(start + pillow("PNG")[8:]) == "not_dicom"


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "GIF", "BMP", "WEBP"])
@pytest.mark.parametrize("syntax", [JPEG, JPEG_2000, JPEG_XL])
def test_b12_another_format_inside_of_dicom(kind: str, syntax: str, decoders: DecoderPool) -> None:
    assert "no decoder accepts it" in undecodable(claim(12, 16, pillow(kind), syntax), decoders)


@pytest.mark.parametrize("entries", [0, 1, 65535])
@pytest.mark.parametrize("keyword", ["ModalityLUTSequence", "VOILUTSequence"])
def test_b13_tables_that_are_not_there(keyword: str, entries: int, decoders: DecoderPool) -> None:
    table = builders.item(LUTDescriptor=[entries, 0, 16], LUTData=b"\0\0", ModalityLUTType="US")
    table["LUTData"].VR = "OW"
    dataset = builders.image(PICTURE)
    setattr(dataset, keyword, [table])
    with contextlib.suppress(UndecodableFrame):  # a damaged modality table leaves nothing to show
        assert picture(dataset, decoders).shape == PICTURE.shape


def test_b13_curves_are_never_read() -> None:
    dataset = builders.image(PICTURE)
    dataset.add_new(0x50000010, "US", 65535)
    dataset.add_new(0x50003000, "OW", b"\0" * 64)
    assert read_header(builders.stream(dataset)).image is not None


def test_b14_200000_fragments() -> None:
    fragments = b"\xfe\xff\x00\xe0\0\0\0\0" + b"\xfe\xff\x00\xe0\x02\0\0\0ab" * 200_000
    dataset = builders.encapsulated(builders.image(PICTURE), [b"ab"])
    dataset.PixelData = fragments
    assert refusal(builders.to_bytes(dataset, RLE)) == "too_many_elements"


def test_b14_a_million_items_in_pixel_data_of_defined_length() -> None:
    dataset = builders.image(np.zeros((4000, 4000), np.uint8))
    dataset.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0" * 1_000_000
    assert refusal(builders.to_bytes(dataset, RLE)) == "wrong_transfer_syntax"


@pytest.mark.parametrize("table", [b"\xff" * 4000, b"\0" * 4000, bytes(range(256)) * 16])
def test_b15_an_offset_table_that_lies(table: bytes, decoders: DecoderPool) -> None:
    """More lies are in test_pixel_data.py."""
    stream = pillow("JPEG2000", no_jp2=True, num_resolutions=2)
    dataset = builders.image(np.zeros((2, 12, 16), np.uint8), NumberOfFrames=2)
    builders.encapsulated(dataset, [stream, stream], fragments_per_frame=2, has_bot=False)
    item = b"\xfe\xff\x00\xe0"
    dataset.PixelData = item + len(table).to_bytes(4, "little") + table + dataset.PixelData[8:]
    file = builders.stream(dataset, JPEG_2000)
    values = decode_frame(file, read_header(file), 1, decoders).stored_values
    np.testing.assert_array_equal(values, PICTURE >> 4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3.4e38])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_b16_float_pixels(kind: type, value: float, decoders: DecoderPool) -> None:
    pixels = np.linspace(0, 1, 192).reshape(12, 16).astype(kind)
    pixels[0, 0] = value
    dataset = builders.image(PICTURE)
    keyword = "FloatPixelData" if kind is np.float32 else "DoubleFloatPixelData"
    del dataset.PixelData
    setattr(dataset, keyword, pixels.tobytes())
    shown = picture(dataset, decoders)
    assert shown.shape == (12, 16)
    assert shown.dtype == np.uint8


def test_b16_float_pixels_that_are_all_nan(decoders: DecoderPool) -> None:
    dataset = builders.image(PICTURE)
    del dataset.PixelData
    dataset.FloatPixelData = np.full((12, 16), np.nan, np.float32).tobytes()
    assert picture(dataset, decoders).shape == (12, 16)
