"""The frames of an instance on their way into another transfer syntax, and what the data set then says of them."""

import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.codestream import read_stream_header
from imageserver.dicom.data_set_writing import element_bytes, element_head
from imageserver.dicom.decoding import DecodedFrame, Decoders, decode_frame, undecodable
from imageserver.dicom.frame_encoding import NotEncodable, bits_stored_of, encode_values
from imageserver.dicom.image_pixel import ImagePixel
from imageserver.dicom.pixel_data import frame_fragments, read_fragments
from imageserver.dicom.reading import Header
from imageserver.dicom.tags import ITEM, PIXEL_DATA, SEQUENCE_END, UNDEFINED_LENGTH
from imageserver.dicom.text_values import text
from imageserver.errors import NotAcceptable

OpenFile = Callable[[], AbstractContextManager[BinaryIO]]

_OFFSET_TABLES = (0x7FE00001, 0x7FE00002, 0x7FE00003)
_LOSSY_IMAGE_COMPRESSION = 0x00282110
_LONGEST_NATIVE = 0xFFFFFFFE


class TranscodedFrames:
    """The frames of an instance, decoded one by one, and written natively or in fragments."""

    def __init__(self, header: Header, image: ImagePixel, open_file: OpenFile, decoders: Decoders) -> None:
        self._header = header
        self._image = image
        self._open_file = open_file
        self._decoders = decoders
        self._first = self._decode(0)

    def _decode(self, index: int) -> DecodedFrame:
        with self._open_file() as stream:
            return decode_frame(stream, self._header, index, self._decoders)

    def _each(self) -> Iterator[DecodedFrame]:
        yield self._first
        for index in range(1, self._image.number_of_frames):
            frame = self._decode(index)
            is_same = frame.stored_values.dtype == self._first.stored_values.dtype
            if not is_same or frame.photometric_interpretation != self._first.photometric_interpretation:
                raise undecodable(
                    self._header, index, "its values are of another kind than those of the first"
                )
            yield frame

    def changes(self) -> dict[int, bytes | None]:
        """Describe the decoded values in the Image Pixel module (PS3.3 C.7.6.3)."""
        values = self._first.stored_values
        bits = bits_stored_of(values, self._image)
        samples = values.shape[2] if values.ndim == 3 else 1
        numbers = {
            0x00280002: samples,
            0x00280006: 0 if samples > 1 else None,
            0x00280100: 8 * values.dtype.itemsize,
            0x00280101: bits,
            0x00280102: bits - 1,
            0x00280103: int(values.dtype.kind == "i"),
        }
        changes: dict[int, bytes | None] = dict.fromkeys(_OFFSET_TABLES)
        for tag, number in numbers.items():
            changes[tag] = None if number is None else element_bytes(tag, "US", struct.pack("<H", number))
        photometric = self._first.photometric_interpretation.encode("ascii", "replace")
        changes[0x00280004] = element_bytes(0x00280004, "CS", photometric)
        if self._is_lossy() and text(self._header.dataset, "LossyImageCompression") is None:
            # The transfer syntax said so, and does not any more (PS3.3 C.7.6.1.1.5).
            changes[_LOSSY_IMAGE_COMPRESSION] = element_bytes(_LOSSY_IMAGE_COMPRESSION, "CS", b"01")
        return changes

    def _is_lossy(self) -> bool:
        header = self._header
        if header.pixel_data is None or not header.pixel_data.is_encapsulated:
            return False
        if not header.transfer_syntax.is_lossy:
            return False
        with self._open_file() as stream:
            source = header.pixel_stream(stream)
            frames = self._image.number_of_frames
            fragments = frame_fragments(source, header.pixel_data, header.dataset, frames, 0)
            found = read_stream_header(read_fragments(source, fragments))
        return found is None or not found.is_lossless

    def native(self) -> Iterator[bytes]:
        """Yield the element of native pixel data."""
        values = self._first.stored_values
        length = values.nbytes * self._image.number_of_frames
        if length > _LONGEST_NATIVE:
            raise undecodable(self._header, 0, f"native pixel data cannot have {length} bytes (PS3.5 A.4)")
        yield element_head(PIXEL_DATA, "OW" if values.dtype.itemsize > 1 else "OB", length + length % 2)
        for frame in self._each():
            yield _little_endian(frame.stored_values)
        yield b"\0" * (length % 2)

    def encapsulated(self, target: str) -> Iterator[bytes]:
        """Yield pixel data with a fragment for each frame, and an empty Basic Offset Table (PS3.5 A.4)."""
        head = element_head(PIXEL_DATA, "OB", UNDEFINED_LENGTH) + _item(b"")
        bits = bits_stored_of(self._first.stored_values, self._image)
        for index, frame in enumerate(self._each()):
            try:
                encoded = encode_values(frame.stored_values, frame.photometric_interpretation, bits, target)
            except NotEncodable as error:
                raise NotAcceptable(f"Frame {index + 1} cannot be had as {target}: {error}.") from error
            yield head + _item(encoded)
            head = b""
        yield struct.pack("<HHL", SEQUENCE_END >> 16, SEQUENCE_END & 0xFFFF, 0)


def _item(content: bytes) -> bytes:
    return struct.pack("<HHL", ITEM >> 16, ITEM & 0xFFFF, len(content)) + content


def _little_endian(values: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
