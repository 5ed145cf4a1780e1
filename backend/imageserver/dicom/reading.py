"""From a binary stream to the header of a DICOM file: all but the pixel values, checked to be complete."""

import io
import struct
from dataclasses import replace
from typing import BinaryIO

from pydicom.dataset import Dataset

from imageserver.dicom.byte_window import ByteWindow
from imageserver.dicom.deflate import inflate
from imageserver.dicom.elements import ElementWalk
from imageserver.dicom.encodings import Encoding, guess_encoding, syntax_of_encoding
from imageserver.dicom.header import Header
from imageserver.dicom.image_pixel import ImagePixel, check_complete, read_image_pixel
from imageserver.dicom.limits import DEFAULT_LIMITS, FileRefused, Finding, Limits
from imageserver.dicom.pixel_data import PixelData, count_whole_streams
from imageserver.dicom.pixel_encoding import find_pixel_encoding
from imageserver.dicom.preamble import find_start
from imageserver.dicom.text_values import text
from imageserver.dicom.transfer_syntax import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    TransferSyntax,
    find_transfer_syntax,
    is_supported,
)
from imageserver.dicom.unreadable import find_unreadable

__all__ = ["FileRefused", "Finding", "Header", "Limits", "read_header"]

_DAMAGED = frozenset(
    {"truncated", "malformed", "truncated_pixel_data", "wrong_transfer_syntax", "no_pixel_data"}
)
_DESCRIPTION = ("Rows", "Columns", "BitsAllocated")
_MAX_DAMAGED_FRAMES = 4096
_UNREADABLE = (
    struct.error,
    ValueError,
    RecursionError,
    OverflowError,
    MemoryError,
)  # what broken bytes provoke
# Group 0002 is explicit VR little endian (PS3.10 7.1); some writers of big endian forget that.
_META_ENCODINGS = {
    b"\x02\x00": Encoding(is_implicit_vr=False, is_little_endian=True),
    b"\x00\x02": Encoding(is_implicit_vr=False, is_little_endian=False),
}


def read_header(stream: BinaryIO, limits: Limits = DEFAULT_LIMITS, *, with_private: bool = False) -> Header:
    """Read a DICOM file, with or without preamble and file meta information, and check that it is complete.

    Parameters
    ----------
    stream : binary file object, seekable
        Opened and closed by the caller.
    limits : Limits
        What the file may ask for.
    with_private : bool
        Keep private elements as well; the value of a long one, or of those beyond a bound for all, is None.

    Returns
    -------
    Header

    Raises
    ------
    FileRefused
        For every file that is not whole DICOM; no other exception leaves, but those of the stream itself
        (OSError).

    References
    ----------
    DICOM PS3.10 7.1; PS3.5 7, A.4, A.5
    """
    try:
        return _Reader(stream, limits, with_private).read()
    except _UNREADABLE as error:
        if isinstance(error, FileRefused):
            raise
        raise FileRefused("malformed", f"The file cannot be read: {type(error).__name__}.") from error


class _Reader:
    """Steps of reading one file, with what they note on the way."""

    def __init__(self, stream: BinaryIO, limits: Limits, with_private: bool) -> None:
        self.stream = stream
        self.limits = limits
        self.with_private = with_private
        self.warnings: list[Finding] = []
        self.window = ByteWindow(stream, stream.seek(0, io.SEEK_END))

    def read(self) -> Header:
        start = find_start(self.window, self.warnings)
        file_meta, start = self._read_file_meta(start)
        declared = text(file_meta, "TransferSyntaxUID")
        inflated = None
        if declared == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN:
            inflated = inflate(self.stream, start, self.limits.inflated_length(self.window.end - start))
            self.stream, start = io.BytesIO(inflated), 0
            self.window = ByteWindow(self.stream, len(inflated))
        syntax = self._find_syntax(declared, start)
        encoding = Encoding(syntax.is_implicit_vr, syntax.is_little_endian)
        walk = ElementWalk(
            self.window, start, self.window.end, encoding, self.limits, with_private=self.with_private
        )
        try:
            walk.walk()
            if walk.is_empty:
                raise FileRefused("empty", "The file holds no data set.")
            dataset = Dataset(walk.elements)
            image, pixel_data, syntax = self._check_image(dataset, walk, syntax)
        except FileRefused as error:
            if error.code in _DAMAGED:
                error.header = self._header_before_fault(Dataset(walk.elements), file_meta, syntax)
            raise
        self.warnings.extend(walk.oddities.findings())
        return Header(dataset, file_meta, syntax, image, pixel_data, tuple(self.warnings), inflated)

    def _warn(self, code: str, message: str) -> None:
        self.warnings.append(Finding(code, message))

    def _read_file_meta(self, start: int) -> tuple[Dataset, int]:
        """Read group 0002, which is explicit VR whatever the data set is (PS3.10 7.1)."""
        encoding = _META_ENCODINGS.get(self.window.read(start, 2))
        if encoding is None:
            self._warn("no_file_meta", "The file has no file meta information.")
            return Dataset(), start
        walk = ElementWalk(self.window, start, self.window.end, encoding, self.limits)
        walk.walk_file_meta()
        if walk.is_empty:
            self._warn("no_file_meta", "The file has no file meta information.")
        elif not encoding.is_little_endian:
            self._warn("big_endian_file_meta", "The file meta information is in big endian.")
        return Dataset(walk.elements), walk.at

    def _find_syntax(self, declared: str | None, start: int) -> TransferSyntax:
        """Return the declared transfer syntax, or what the first element shows where that cannot be right."""
        found = guess_encoding(self.window.read(start, 16))
        if declared is None:
            if found is None:
                raise FileRefused("no_transfer_syntax", "The file does not say how it is encoded.")
            return syntax_of_encoding(found)
        syntax = find_transfer_syntax(declared)
        if found is None or found == Encoding(syntax.is_implicit_vr, syntax.is_little_endian):
            return syntax
        self._warn("wrong_transfer_syntax", "The data set is not encoded as its transfer syntax says.")
        if syntax.is_encapsulated or syntax.uid == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN:
            return replace(
                syntax, is_implicit_vr=found.is_implicit_vr, is_little_endian=found.is_little_endian
            )
        return syntax_of_encoding(found)

    def _header_before_fault(
        self, dataset: Dataset, file_meta: Dataset, syntax: TransferSyntax
    ) -> Header | None:
        """Return what was read, where that is enough to tell which image was damaged."""
        try:
            image = read_image_pixel(dataset, "PixelData", self.limits)
        except (FileRefused, *_UNREADABLE):
            return None
        if image.number_of_frames > _MAX_DAMAGED_FRAMES:  # a claim that no pixel data stands behind
            return None
        return Header(dataset, file_meta, syntax, image, None, tuple(self.warnings))

    def _check_image(
        self, dataset: Dataset, walk: ElementWalk, syntax: TransferSyntax
    ) -> tuple[ImagePixel | None, PixelData | None, TransferSyntax]:
        """Check the pixel data against its description; return both, with the syntax that it really follows."""
        image, pixel_data = None, walk.pixel_data
        if (text(dataset, "RecognitionCode") or "").startswith("ACR"):
            self._warn("acr_nema", "The file is older than DICOM (ACR-NEMA).")
        if pixel_data is not None:
            image = read_image_pixel(dataset, pixel_data.keyword, self.limits)
            syntax, pixel_data, findings = find_pixel_encoding(self.stream, image, pixel_data, syntax)
            self.warnings.extend((*image.findings, *find_unreadable(dataset), *findings))
            self.warnings.extend(check_complete(image, pixel_data, syntax))
        elif all(keyword in dataset for keyword in _DESCRIPTION) and "PixelDataProviderURL" not in dataset:
            # Cut between two elements, it would leave its series unnoticed, and a neighbour be taken for it.
            raise FileRefused("no_pixel_data", "The file describes an image, but has no pixel data.")
        elif "Rows" in dataset:
            self._warn("no_pixel_data", "The file describes an image, but has no pixel data.")
        if walk.oddities.is_delimiter_missing:
            self._check_last_fragment(image, pixel_data, syntax)
        return image, pixel_data, syntax

    def _check_last_fragment(
        self, image: ImagePixel | None, pixel_data: PixelData | None, syntax: TransferSyntax
    ) -> None:
        """Refuse pixel data without its last delimiter unless its frames are whole without doubt."""
        whole = False
        if image is not None and pixel_data is not None and is_supported(syntax.uid):
            count = count_whole_streams(self.stream, pixel_data, syntax.ends_in_marker)
            whole = count == image.number_of_frames
        if not whole:
            raise FileRefused("truncated", "The file ends before the delimiter of its pixel data.")
