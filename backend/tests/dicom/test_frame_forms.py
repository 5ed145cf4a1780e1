"""Frames as they leave the server. The witness is pydicom, which reads the same files by its own way.

For colours the expected values are worked out by hand from PS3.3 C.7.6.3.1.2.
"""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.uid import RLELossless

from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.frame_forms import SENT_TO_BROWSERS, EncodedFrame, Form, encode_frame
from imageserver.dicom.reading import read_header
from imageserver.dicom.transfer_syntax import SUPPORTED
from imageserver.errors import UndecodableFrame, UnsupportedTransferSyntax
from tests.builders import encapsulated, image, stream, to_bytes
from tests.dicom.compressed_streams import PICTURE, RARE_STREAMS, STREAMS
from tests.dicom.test_bundled_files import FILES, REFUSED, UNDECODABLE

EXPLICIT = "1.2.840.10008.1.2.1"
DOCUMENT = Path(__file__).parents[3] / "docs" / "api.md"


def encode(content: bytes, form: Form, decoders: DecoderPool, index: int = 0) -> EncodedFrame:
    file = io.BytesIO(content)
    return encode_frame(file, read_header(file), index, form, decoders)


def values_of(frame: EncodedFrame) -> np.ndarray:
    """The values that the parameters of a decoded frame describe."""
    kind = {"0": "u", "1": "i", "float": "f"}[frame.parameters["pixel-representation"]]
    return np.frombuffer(frame.content, f"<{kind}{int(frame.parameters['bits-allocated']) // 8}")


def rgb_of(frame: EncodedFrame, rows: int, columns: int) -> np.ndarray:
    assert frame.parameters == {
        "samples-per-pixel": "3", "photometric-interpretation": "RGB", "bits-allocated": "8", "bits-stored": "8",
        "pixel-representation": "0",
    }  # fmt: skip
    return np.frombuffer(frame.content, np.uint8).reshape(rows, columns, 3)


class TestTheTable:
    def test_has_every_supported_syntax_with_a_reason(self) -> None:
        assert SENT_TO_BROWSERS.keys() == SUPPORTED.keys()
        assert all(sending.reason for sending in SENT_TO_BROWSERS.values())

    @pytest.mark.skipif(not DOCUMENT.exists(), reason="the documents are not in the container")
    def test_is_the_documented_one(self) -> None:
        told = {}
        for names, grey, colour in re.findall(
            r"^\| (.*) \| (.*) \| (.*) \|$", DOCUMENT.read_text("utf-8"), re.M
        ):
            for syntax in re.findall(r"`([0-9.]+)`", names):
                told[syntax] = (grey.startswith("as stored"), set(re.findall(r"RGB|YBR_[A-Z0-9_]+", colour)))
        table = {uid: (one.is_grey_stored, set(one.stored_colours)) for uid, one in SENT_TO_BROWSERS.items()}
        assert told == table


# pydicom about one of its files, which is faulty on purpose.
@pytest.mark.filterwarnings("ignore:Expected explicit VR")
@pytest.mark.parametrize(
    "path", [p for p in FILES if p.name not in REFUSED | UNDECODABLE.keys()], ids=lambda path: path.name
)
def test_stored_frames_are_the_bytes_of_the_file(path: Path, decoders: DecoderPool) -> None:
    content = path.read_bytes()
    header = read_header(io.BytesIO(content))
    if header.image is None or header.image.bits_allocated == 1:
        return  # no pixels, or bits that do not begin with a byte
    count = header.image.number_of_frames
    ours = [encode(content, Form.STORED, decoders, index).content for index in range(count)]
    dataset = dcmread(io.BytesIO(content), force=True)
    data = next(
        dataset[name].value
        for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
        if name in dataset
    )
    if header.pixel_data is not None and header.pixel_data.is_encapsulated:
        assert ours == list(generate_frames(data, number_of_frames=count))
    elif header.transfer_syntax.is_little_endian:
        assert b"".join(ours) == data[: sum(map(len, ours))]


class TestBrowsers:
    @pytest.mark.parametrize("number", ["57", "80", "201", "203"])
    def test_what_they_decode_right_goes_as_stored(self, number: str, decoders: DecoderPool) -> None:
        syntax = f"1.2.840.10008.1.2.4.{number}"
        data = STREAMS[number]
        bits = 12 if number.startswith("2") else 16
        dataset = encapsulated(image(PICTURE, BitsStored=bits, HighBit=bits - 1), [data])
        frame = encode(to_bytes(dataset, syntax), Form.BROWSER, decoders)
        assert (frame.content.rstrip(b"\0"), frame.transfer_syntax_uid) == (data.rstrip(b"\0"), syntax)
        assert not frame.parameters

    @pytest.mark.parametrize(
        "name", ["52 of 12 bits", "53 of 12 bits", "55 of 12 bits", "56 of 12 bits", "110"]
    )
    def test_what_they_do_not_goes_decoded(self, name: str, decoders: DecoderPool) -> None:
        syntax = f"1.2.840.10008.1.2.4.{name.split()[0]}"
        dataset = encapsulated(image(PICTURE, BitsStored=12, HighBit=11), [RARE_STREAMS[name]])
        frame = encode(to_bytes(dataset, syntax), Form.BROWSER, decoders)
        assert frame.transfer_syntax_uid == EXPLICIT
        assert frame.parameters == {
            "samples-per-pixel": "1", "photometric-interpretation": "MONOCHROME2", "bits-allocated": "16",
            "bits-stored": "12", "pixel-representation": "0",
        }  # fmt: skip
        if name == "110":  # lossless
            assert values_of(frame).tolist() == PICTURE.reshape(-1).tolist()

    @pytest.mark.parametrize(
        "attributes",
        [{"BitsStored": 12, "HighBit": 11}, {"Rows": 16, "Columns": 12}, {"BitsStored": 16, "HighBit": 15}],
    )
    def test_a_stream_that_contradicts_its_data_set_is_not_passed_on(
        self, attributes: dict[str, Any], decoders: DecoderPool
    ) -> None:
        # Lossless JPEG of 16 bits, and HTJ2K of 12.
        number = "57" if attributes.get("BitsStored") == 12 else "201"
        dataset = encapsulated(image(PICTURE, **attributes), [STREAMS[number]])
        content = to_bytes(dataset, f"1.2.840.10008.1.2.4.{number}")
        if "Rows" in attributes:
            with pytest.raises(UndecodableFrame):
                encode(content, Form.BROWSER, decoders)
        else:
            assert values_of(encode(content, Form.BROWSER, decoders)).tolist() == PICTURE.reshape(-1).tolist()

    def test_another_sign_than_the_data_set_says(self, decoders: DecoderPool) -> None:
        # The samples of this stream are unsigned (Ssiz 0x0B); a browser would not make them negative.
        dataset = encapsulated(image(PICTURE.astype(np.int16), BitsStored=12, HighBit=11), [STREAMS["201"]])
        frame = encode(to_bytes(dataset, "1.2.840.10008.1.2.4.201"), Form.BROWSER, decoders)
        signed = np.where(PICTURE >= 2048, PICTURE.astype(int) - 4096, PICTURE)
        assert frame.parameters["pixel-representation"] == "1"
        assert values_of(frame).tolist() == signed.reshape(-1).tolist()

    @pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"])
    def test_big_endian_and_deflated(self, syntax: str, decoders: DecoderPool) -> None:
        dataset = image(PICTURE)
        for form in (Form.BROWSER, Form.NATIVE):
            frame = encode(to_bytes(dataset, syntax), form, decoders)
            assert (frame.content, frame.transfer_syntax_uid) == (dataset.PixelData, EXPLICIT)
            assert frame.parameters["bits-allocated"] == "16"

    def test_single_bits_become_bytes(self, decoders: DecoderPool) -> None:
        # PS3.5 8.1.1: 10 bits a frame, the lowest of a byte first; the second frame begins within the second byte.
        dataset = image(
            np.zeros((1, 2, 5), np.uint8), NumberOfFrames=2, BitsAllocated=1, BitsStored=1, HighBit=0,
            PixelData=bytes([0b01010101, 0b11110101, 0b00001001, 0]), Rows=2, Columns=5,
        )  # fmt: skip
        content = to_bytes(dataset)
        frame = encode(content, Form.BROWSER, decoders, 1)
        assert list(frame.content) == [1, 0, 1, 1, 1, 1, 1, 0, 0, 1]
        assert (frame.parameters["bits-allocated"], frame.parameters["bits-stored"]) == ("8", "1")
        native = encode(content, Form.NATIVE, decoders, 1)
        assert list(native.content) == [0b01111101, 0b10]

    def test_colours_by_plane_become_pixels(self, decoders: DecoderPool) -> None:
        pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
        planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)).tobytes()
        frame = encode(
            to_bytes(image(pixels, PlanarConfiguration=1, PixelData=planes)), Form.BROWSER, decoders
        )
        assert rgb_of(frame, 2, 4).tolist() == pixels.tolist()

    def test_ybr_becomes_rgb(self, decoders: DecoderPool) -> None:
        # C.7.6.3.1.2: Y = 76.2, Cb = 85, Cr = 255 is red; Cb = Cr = 128 is grey.
        pixels = np.array([[[76, 85, 255], [90, 128, 128]]], np.uint8)
        frame = encode(to_bytes(image(pixels, PhotometricInterpretation="YBR_FULL")), Form.BROWSER, decoders)
        assert np.abs(rgb_of(frame, 1, 2).astype(int) - [[[254, 0, 0], [90, 90, 90]]]).max() <= 1

    def test_palettes_become_rgb(self, decoders: DecoderPool) -> None:
        tables = {
            f"{colour}PaletteColorLookupTableDescriptor": [2, 0, 8] for colour in ("Red", "Green", "Blue")
        }
        data = {
            f"{c}PaletteColorLookupTableData": bytes(v)
            for c, v in (("Red", [1, 9]), ("Green", [2, 8]), ("Blue", [3, 7]))
        }
        dataset = image(
            np.array([[0, 1]], np.uint8), PhotometricInterpretation="PALETTE COLOR", **tables, **data
        )
        frame = encode(to_bytes(dataset), Form.BROWSER, decoders)
        assert rgb_of(frame, 1, 2).tolist() == [[[1, 2, 3], [9, 8, 7]]]

    def test_rle_in_colour_is_decoded_and_grey_is_not(self, decoders: DecoderPool) -> None:
        for pixels in (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8)):
            dataset = image(pixels)
            dataset.file_meta = Dataset()
            dataset.compress(RLELossless, pixels, generate_instance_uid=False)
            frame = encode(to_bytes(dataset, RLELossless), Form.BROWSER, decoders)
            assert (frame.transfer_syntax_uid == RLELossless) is (pixels.ndim == 2)

    @pytest.mark.parametrize(
        ("keyword", "kind", "bits"), [("FloatPixelData", "f4", 32), ("DoubleFloatPixelData", "f8", 64)]
    )
    def test_floating_point_pixels_as_stored(
        self, keyword: str, kind: str, bits: int, decoders: DecoderPool
    ) -> None:
        values = np.linspace(-1, 1, 16, dtype=kind).reshape(4, 4)
        dataset = image(np.zeros((4, 4), np.uint16), BitsAllocated=bits, PixelData=None, BitsStored=None,
                        HighBit=None, PixelRepresentation=None)  # fmt: skip
        setattr(dataset, keyword, values.tobytes())
        frame = encode(to_bytes(dataset), Form.BROWSER, decoders)
        assert frame.content == values.tobytes()

    def test_a_video_is_refused_by_name(self, decoders: DecoderPool) -> None:
        dataset = encapsulated(image(np.zeros((4, 4), np.uint8)), [b"\0\0\1\xba" * 8])
        for form in (Form.BROWSER, Form.NATIVE):
            with pytest.raises(UnsupportedTransferSyntax, match=r"4\.102"):
                encode(to_bytes(dataset, "1.2.840.10008.1.2.4.102"), form, decoders)

    @pytest.mark.parametrize("index", [-1, 1])
    def test_a_frame_that_does_not_exist(self, index: int, decoders: DecoderPool) -> None:
        file = stream(image())
        with pytest.raises(UndecodableFrame, match="no such frame"):
            encode_frame(file, read_header(file), index, Form.BROWSER, decoders)
