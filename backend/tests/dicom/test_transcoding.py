"""Instances in other transfer syntaxes: pydicom reads what is written, and finds the same values."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.frame_encoding import encodable_syntaxes
from imageserver.dicom.transcoding import targets_of, transcode
from imageserver.errors import NotAcceptable, UndecodableFrame
from tests.builders import encapsulated, image, item, to_bytes

GREY = np.arange(-2400, 2400, dtype=np.int16).reshape(3, 40, 40) % 2048 - 1024
COLOUR = np.arange(3 * 32 * 32 * 3, dtype=np.uint32).astype(np.uint8).reshape(3, 32, 32, 3)
COMPRESSED = [RLELossless, JPEGLSLossless, JPEG2000Lossless]
NATIVE = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecoderPool]:
    pool = DecoderPool()
    yield pool
    pool.close()


def opener(content: bytes) -> Callable[[], Any]:
    @contextmanager
    def open_file() -> Iterator[BinaryIO]:
        yield io.BytesIO(content)

    return open_file


def written(content: bytes, target: str, decoders: Any) -> Dataset:
    return dcmread(io.BytesIO(b"".join(transcode(opener(content), target, decoders))))


def grey() -> Dataset:
    dataset = image(
        GREY, NumberOfFrames=3, BitsStored=12, HighBit=11, RescaleSlope="2.5", WindowCenter=[40, 50]
    )
    dataset.ReferencedStudySequence = Items([item(ReferencedSOPInstanceUID="1.2.3"), item()])
    dataset.ReferencedStudySequence[0].add_new(0x00280106, "SS", -7)
    dataset.ReferencedStudySequence[0].PixelRepresentation = 1
    dataset.FrameIncrementPointer = 0x00181063
    dataset.add_new(0x00280106, "SS", -600)
    block = dataset.private_block(0x0029, "ACME", create=True)
    block.add_new(0x01, "DS", ["1.5", "2"])
    block.add_new(0x02, "OB", b"\x01\x02\x03\x04")
    return dataset


def comparable(dataset: Dataset) -> dict[str, Any]:
    json = dataset.to_json_dict(bulk_data_threshold=1 << 30)
    return {key: value for key, value in json.items() if not key.startswith(("7FE0", "0029"))}


class TestNative:
    @pytest.mark.parametrize("stored", NATIVE)
    @pytest.mark.parametrize("target", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
    def test_all_attributes_and_pixels_stay(self, stored: str, target: str, decoders: DecoderPool) -> None:
        dataset = grey()
        found = written(to_bytes(dataset, stored), target, decoders)
        assert found.file_meta.TransferSyntaxUID == target
        assert found.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
        assert found.file_meta.MediaStorageSOPClassUID == dataset.SOPClassUID
        assert comparable(found) == comparable(dataset)
        np.testing.assert_array_equal(found.pixel_array, GREY)

    @pytest.mark.parametrize("stored", NATIVE)
    def test_private_elements_stay(self, stored: str, decoders: DecoderPool) -> None:
        found = written(to_bytes(grey(), stored), ExplicitVRLittleEndian, decoders)
        assert found[0x0029, 0x0010].value == "ACME"
        # Nobody knows the VR of a private element of implicit VR (PS3.5 6.2.2): its bytes stay.
        expected = b"\x01\x02\x03\x04"
        assert found[0x0029, 0x1002].value == expected
        assert ("UN" if stored == ImplicitVRLittleEndian else "DS") == found[0x0029, 0x1001].VR

    def test_an_odd_number_of_bytes_is_padded(self, decoders: DecoderPool) -> None:
        pixels = np.arange(15, dtype=np.uint8).reshape(3, 5)
        content = to_bytes(image(pixels), ImplicitVRLittleEndian)
        found = written(content, ExplicitVRLittleEndian, decoders)
        assert found.PixelData == pixels.tobytes() + b"\0"

    def test_a_text_that_is_too_long_for_its_vr_becomes_unknown(self, decoders: DecoderPool) -> None:
        dataset = image()
        dataset.ContourData = ["1.5"] * 20_000  # beyond 65,534 bytes, as implicit VR allows
        found = written(to_bytes(dataset, ImplicitVRLittleEndian), ExplicitVRLittleEndian, decoders)
        assert found["ContourData"].VR == "UN"  # PS3.5 6.2.2, note 1
        assert found.ContourData.startswith(b"1.5\\1.5")

    def test_an_object_without_pixels(self, decoders: DecoderPool) -> None:
        dataset = image(PixelData=None, Rows=None, Columns=None, BitsAllocated=None)
        found = written(to_bytes(dataset, ImplicitVRLittleEndian), ExplicitVRLittleEndian, decoders)
        assert comparable(found) == comparable(dataset)

    def test_the_uids_of_its_address_are_told_where_the_file_has_none(self, decoders: DecoderPool) -> None:
        dataset = image(StudyInstanceUID=None)
        found = written(to_bytes(dataset, ImplicitVRLittleEndian), ExplicitVRLittleEndian, decoders)
        assert found.StudyInstanceUID.startswith("2.25.")


class TestCompressed:
    @pytest.mark.parametrize("target", COMPRESSED)
    @pytest.mark.parametrize("stored", NATIVE[1:])
    def test_grey(self, stored: str, target: str, decoders: DecoderPool) -> None:
        found = written(to_bytes(grey(), stored), target, decoders)
        assert found.file_meta.TransferSyntaxUID == target
        np.testing.assert_array_equal(found.pixel_array, GREY)
        assert (found.BitsStored, found.HighBit, found.PixelRepresentation) == (12, 11, 1)

    @pytest.mark.parametrize("target", COMPRESSED)
    @pytest.mark.parametrize("planar", [0, 1])
    def test_colour_is_interleaved(self, target: str, planar: int, decoders: DecoderPool) -> None:
        dataset = image(COLOUR, NumberOfFrames=3, PlanarConfiguration=planar)
        if planar:
            dataset.PixelData = np.ascontiguousarray(COLOUR.transpose(0, 3, 1, 2)).tobytes()
        found = written(to_bytes(dataset, ExplicitVRLittleEndian), target, decoders)
        assert (found.PlanarConfiguration, found.PhotometricInterpretation) == (0, "RGB")
        np.testing.assert_array_equal(found.pixel_array, COLOUR)

    @pytest.mark.parametrize("stored", COMPRESSED)
    @pytest.mark.parametrize("target", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, *COMPRESSED])
    def test_from_one_to_another(self, stored: str, target: str, decoders: DecoderPool) -> None:
        if stored == target:
            pytest.skip("it is stored so")
        dataset = grey()
        dataset.file_meta = Dataset()
        dataset.compress(stored, GREY, generate_instance_uid=False)
        found = written(to_bytes(dataset, stored), target, decoders)
        np.testing.assert_array_equal(found.pixel_array, GREY)
        assert "LossyImageCompression" not in found

    def test_floats_have_no_compressed_form(self, decoders: DecoderPool) -> None:
        dataset = image(
            PixelData=None, FloatPixelData=np.zeros(64, np.float32).tobytes(), BitsAllocated=32, BitsStored=32
        )
        with pytest.raises(NotAcceptable, match="float32"):
            written(to_bytes(dataset, ExplicitVRLittleEndian), RLELossless, decoders)


class TestLossy:
    @pytest.fixture
    def jpeg(self) -> bytes:
        from PIL import Image

        buffer = io.BytesIO()
        Image.fromarray(COLOUR[0]).save(buffer, "JPEG", quality=90, subsampling=2)
        dataset = image(COLOUR[0], PhotometricInterpretation="YBR_FULL_422")
        return to_bytes(encapsulated(dataset, [buffer.getvalue()]), JPEGBaseline8Bit)

    def test_decoded_it_stays_marked(self, jpeg: bytes, decoders: DecoderPool) -> None:
        found = written(jpeg, ExplicitVRLittleEndian, decoders)
        assert found.LossyImageCompression == "01"  # PS3.3 C.7.6.1.1.5
        # Native, all samples are there (PS3.3 C.7.6.3.1.2).
        assert found.PhotometricInterpretation == "YBR_FULL"
        assert len(found.PixelData) == 32 * 32 * 3

    def test_damage_is_told_before_anything_is_written(self, jpeg: bytes, decoders: DecoderPool) -> None:
        start = jpeg.index(b"\xff\xd8\xff")
        broken = jpeg[: start + 2] + bytes(len(jpeg) - start - 2 - 8) + jpeg[-8:]
        with pytest.raises(UndecodableFrame):
            next(transcode(opener(broken), ExplicitVRLittleEndian, decoders))


class TestTargets:
    def test_an_image(self) -> None:
        found = targets_of(JPEGBaseline8Bit, has_pixel_data=True)
        assert found[:3] == (JPEGBaseline8Bit, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
        assert set(found[3:]) == set(encodable_syntaxes())

    def test_a_video_only_as_it_is(self) -> None:
        assert targets_of("1.2.840.10008.1.2.4.102", has_pixel_data=True) == ("1.2.840.10008.1.2.4.102",)

    def test_without_pixels_there_is_nothing_to_compress(self) -> None:
        assert targets_of(ImplicitVRLittleEndian, has_pixel_data=False) == (
            ImplicitVRLittleEndian,
            ExplicitVRLittleEndian,
            DeflatedExplicitVRLittleEndian,
        )
