"""Packed bits and byte orders; the other ways of native data are in test_decoding.py."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.decoding import decode_frame
from imageserver.dicom.reading import read_header
from tests import builders

LITTLE, BIG, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2"


def decode(dataset: Dataset, syntax: str, pool: DecoderPool, index: int = 0) -> np.ndarray:
    stream = builders.stream(dataset, syntax)
    return decode_frame(stream, read_header(stream), index, pool).stored_values


class TestTwelveBitsAllocated:
    """PS3.5 8.1.1 (until 2004): cells of 12 bits in words of 16, the first in the lowest bits, without gaps."""

    # 0x123, 0x456, 0x789, 0xABC: words 6123, 8945, ABC7 of little endian, written byte by byte.
    CELLS = bytes([0x23, 0x61, 0x45, 0x89, 0xC7, 0xAB])
    VALUES = ((0x123, 0x456), (0x789, 0xABC))

    def image(self, data: bytes, rows: int = 2, **attributes: object) -> Dataset:
        dataset = builders.image(np.zeros((rows, 2), np.uint16), **attributes)
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 12, 12, 11
        dataset.PixelData = data
        return dataset

    @pytest.mark.parametrize("syntax", [LITTLE, IMPLICIT])
    def test_by_hand(self, syntax: str, decoders: DecoderPool) -> None:
        values = decode(self.image(self.CELLS), syntax, decoders)
        assert values.dtype == np.uint16
        assert values.tolist() == [list(row) for row in self.VALUES]

    def test_words_of_big_endian(self, decoders: DecoderPool) -> None:
        swapped = np.frombuffer(self.CELLS, np.uint16).byteswap().tobytes()
        assert decode(self.image(swapped), BIG, decoders).tolist() == [list(row) for row in self.VALUES]

    def test_signs_are_extended(self, decoders: DecoderPool) -> None:
        values = decode(self.image(self.CELLS, PixelRepresentation=1), LITTLE, decoders)
        assert values.tolist() == [[0x123, 0x456], [0x789, 0xABC - 0x1000]]

    def test_a_frame_that_begins_in_the_middle_of_a_byte(self, decoders: DecoderPool) -> None:
        # Three cells in each frame: the second begins at bit 36.
        cells = np.array([1, 2, 3, 4, 5, 6], np.uint16)
        bits = np.unpackbits(cells.astype("<u2").view(np.uint8).reshape(-1, 2), axis=1, bitorder="little")[
            :, :12
        ]
        data = np.packbits(bits.ravel(), bitorder="little").tobytes()
        dataset = self.image(data + b"\0" * (len(data) % 2))
        dataset.NumberOfFrames, dataset.Rows, dataset.Columns = 2, 1, 3
        assert decode(dataset, LITTLE, decoders, 1).tolist() == [[4, 5, 6]]


class TestSingleBits:
    MASK = np.array([[1, 0, 0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0]], np.uint8)

    def image(self, vr: str, data: bytes) -> Dataset:
        dataset = builders.image(self.MASK, BitsAllocated=1, BitsStored=1, HighBit=0)
        dataset.PixelData = data
        dataset["PixelData"].VR = vr
        return dataset

    @pytest.mark.parametrize("vr", ["OB", "OW"])
    def test_the_first_pixel_is_the_lowest_bit(self, vr: str, decoders: DecoderPool) -> None:
        # PS3.5 8.1.1: from the least significant bit to the most significant bit.
        values = decode(self.image(vr, bytes([0b00000001, 0b00000011])), LITTLE, decoders)
        np.testing.assert_array_equal(values, self.MASK)

    def test_words_of_big_endian(self, decoders: DecoderPool) -> None:
        values = decode(self.image("OW", bytes([0b00000011, 0b00000001])), BIG, decoders)
        np.testing.assert_array_equal(values, self.MASK)

    def test_bytes_of_big_endian(self, decoders: DecoderPool) -> None:
        values = decode(self.image("OB", bytes([0b00000001, 0b00000011])), BIG, decoders)
        np.testing.assert_array_equal(values, self.MASK)
