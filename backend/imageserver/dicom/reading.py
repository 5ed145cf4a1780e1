"""From a binary stream to the header of a DICOM file: all but the pixel values, checked to be complete."""

import io
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from imageserver.dicom.deflate import inflate
from imageserver.dicom.elements import PIXEL_DATA_TAGS, UNDEFINED_LENGTH, Element, ElementWalk, is_private
from imageserver.dicom.encodings import Encoding, guess_encoding, is_explicit_inside, syntax_of_encoding
from imageserver.dicom.image_pixel import ImagePixel, check_complete, read_image_pixel
from imageserver.dicom.limits import DEFAULT_LIMITS, FileRefused, Finding, Limits
from imageserver.dicom.pixel_data import PixelData, count_whole_streams
from imageserver.dicom.transfer_syntax import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    RLE_LOSSLESS,
    TransferSyntax,
    find_transfer_syntax,
    is_supported,
)
from imageserver.dicom.unreadable import find_unreadable
from imageserver.dicom.values import text

__all__ = ["FileRefused", "Finding", "Header", "Limits", "read_header"]

_PREAMBLE_LENGTH = 128
_DELIMITER_LENGTH = 8
_DAMAGED = frozenset({"truncated", "malformed", "truncated_pixel_data", "wrong_transfer_syntax"})
_MAX_DAMAGED_FRAMES = 4096
_UNREADABLE = (
    struct.error,
    ValueError,
    RecursionError,
    OverflowError,
    MemoryError,
)  # what broken bytes provoke
_MAGIC = b"DICM"
# Group 0002 is explicit VR little endian (PS3.10 7.1); some writers of big endian forget that.
_META_ENCODINGS = {
    b"\x02\x00": Encoding(is_implicit_vr=False, is_little_endian=True),
    b"\x00\x02": Encoding(is_implicit_vr=False, is_little_endian=False),
}
# A preamble may hold the start of a TIFF (PS3.10 7.1), never that of a program.
_PROGRAM_MAGIC = (
    b"MZ",
    b"\x7fELF",
    b"#!",
    b"\xfe\xed\xfa",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
)


@dataclass(frozen=True)
class Header:
    """What a file says, without its pixel values.

    Attributes
    ----------
    dataset : pydicom.Dataset
        All elements of the data set but the pixel data and private ones. Read values through
        `imageserver.dicom.values`.
    file_meta : pydicom.Dataset
        Group 0002; empty where the file has none.
    transfer_syntax : TransferSyntax
        As declared, or as found where the declaration is missing or wrong.
    image : ImagePixel or None
        Shape and type of the pixel values; None where there is no pixel data.
    pixel_data : PixelData or None
        Where the pixel values stand.
    warnings : tuple of Finding
        What was tolerated.
    inflated : bytes or None
        The data set of a deflated file, which `pixel_data` then points into; a header is not made to be kept.
    """

    dataset: Dataset
    file_meta: Dataset
    transfer_syntax: TransferSyntax
    image: ImagePixel | None
    pixel_data: PixelData | None
    warnings: tuple[Finding, ...] = ()
    inflated: bytes | None = field(default=None, repr=False)

    @property
    def transfer_syntax_uid(self) -> str:
        """The UID of the transfer syntax."""
        return self.transfer_syntax.uid

    def pixel_stream(self, stream: BinaryIO) -> BinaryIO:
        """Return the stream that `pixel_data` points into: the file, or the inflated data set."""
        return stream if self.inflated is None else io.BytesIO(self.inflated)


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
        self.private_left = limits.private_bytes if with_private else -1
        self.warnings: list[Finding] = []
        self.end = stream.seek(0, io.SEEK_END)

    def read(self) -> Header:
        start = self._find_start()
        file_meta, start = self._read_file_meta(start)
        declared = text(file_meta, "TransferSyntaxUID")
        inflated = None
        if declared == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN:
            inflated = inflate(self.stream, start, self.limits.inflated_length(self.end - start))
            self.stream, start, self.end = io.BytesIO(inflated), 0, len(inflated)
        syntax = self._find_syntax(declared, start)
        encoding = Encoding(syntax.is_implicit_vr, syntax.is_little_endian)
        walk = ElementWalk(self.stream, start, self.end, encoding, self.limits)
        elements: list[Element] = []
        try:
            dataset, pixel_data = self._read_dataset(walk, encoding, elements)
            if not elements:
                raise FileRefused("empty", "The file holds no data set.")
            image = self._check_image(dataset, pixel_data, syntax)
            if walk.oddities.is_delimiter_missing:
                self._check_last_fragment(image, pixel_data, syntax)
        except FileRefused as error:
            if error.code in _DAMAGED:
                error.header = self._header_before_fault(elements, encoding, file_meta, syntax)
            raise
        self.warnings.extend(walk.oddities.findings())
        return Header(dataset, file_meta, syntax, image, pixel_data, tuple(self.warnings), inflated)

    def _warn(self, code: str, message: str) -> None:
        self.warnings.append(Finding(code, message))

    def _find_start(self) -> int:
        """Return where file meta information or data set begin."""
        if self.end == 0:
            raise FileRefused("empty", "The file is empty.")
        self.stream.seek(0)
        head = self.stream.read(_PREAMBLE_LENGTH + 4)
        if head[_PREAMBLE_LENGTH:] == _MAGIC:
            if head.startswith(_PROGRAM_MAGIC):
                raise FileRefused(
                    "executable_preamble", "The preamble of the file is the start of a program."
                )
            return _PREAMBLE_LENGTH + 4
        start = len(_MAGIC) if head.startswith(_MAGIC) else 0
        if guess_encoding(head[start:]) is None and not self._begins_file_meta(head[start:]):
            raise FileRefused("not_dicom", "The file is not DICOM.")
        self._warn("no_preamble", "The file has no preamble.")
        return start

    def _begins_file_meta(self, head: bytes) -> bool:
        """Tell whether group 0002 begins here; in big endian its group length shows it."""
        return head.startswith(b"\x02\x00") or (head.startswith(b"\x00\x02\x00") and head[4:6] == b"UL")

    def _read_file_meta(self, start: int) -> tuple[Dataset, int]:
        """Read group 0002, which is explicit VR whatever the data set is (PS3.10 7.1)."""
        group = self._next_group(start)
        encoding = _META_ENCODINGS.get(group)
        elements = []
        if encoding is not None:
            walk = ElementWalk(self.stream, start, self.end, encoding, self.limits)
            for element in walk.elements():
                if element.tag >> 16 != 2:
                    break
                elements.append(element)
                start = element.end
                if self._next_group(start) != group:  # what follows may be written in another encoding
                    break
        if encoding is None or not elements:
            self._warn("no_file_meta", "The file has no file meta information.")
            return Dataset(), start
        if not encoding.is_little_endian:
            self._warn("big_endian_file_meta", "The file meta information is in big endian.")
        return self._dataset_of(elements, encoding), start

    def _next_group(self, at: int) -> bytes:
        self.stream.seek(at)
        return self.stream.read(2)

    def _find_syntax(self, declared: str | None, start: int) -> TransferSyntax:
        """Return the declared transfer syntax, or what the first element shows where that cannot be right."""
        self.stream.seek(start)
        found = guess_encoding(self.stream.read(16))
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
        self, elements: Iterable[Element], encoding: Encoding, file_meta: Dataset, syntax: TransferSyntax
    ) -> Header | None:
        """Return what was read, where that is enough to tell which image was damaged."""
        try:
            dataset = self._dataset_of(elements, encoding)
            image = read_image_pixel(dataset, "PixelData", self.limits)
        except (FileRefused, *_UNREADABLE):
            return None
        if image.number_of_frames > _MAX_DAMAGED_FRAMES:  # a claim that no pixel data stands behind
            return None
        return Header(dataset, file_meta, syntax, image, None, tuple(self.warnings))

    def _read_dataset(
        self, walk: ElementWalk, encoding: Encoding, elements: list[Element]
    ) -> tuple[Dataset, PixelData | None]:
        pixel_data = None
        for element in walk.elements():
            if element.tag in PIXEL_DATA_TAGS:
                keyword = PIXEL_DATA_TAGS[element.tag]
                is_encapsulated = element.length == UNDEFINED_LENGTH
                length = element.end - element.offset
                pixel_data = PixelData(
                    keyword, element.vr, element.offset, length, is_encapsulated, walk.fragments
                )
            else:
                elements.append(element)
        return self._dataset_of(elements, encoding), pixel_data

    def _dataset_of(self, elements: Iterable[Element], encoding: Encoding) -> Dataset:
        # Only the metadata need private values, and some have hundreds of MiB.
        wanted = (element for element in elements if self.private_left >= 0 or not is_private(element.tag))
        return Dataset({BaseTag(element.tag): self._load(element, encoding) for element in wanted})

    def _load(self, element: Element, encoding: Encoding) -> RawDataElement:
        """Read the bytes of a value; what they mean is worked out when it is asked for.

        A sequence of undefined length loses its delimiter, and is then one of defined length.
        """
        vr, length, is_implicit_vr = element.vr, element.length, encoding.is_implicit_vr
        if length == UNDEFINED_LENGTH:
            length = element.end - element.offset - _DELIMITER_LENGTH
        self.stream.seek(element.offset)
        value = self.stream.read(length) if self._may_load(element.tag, length) else None
        if element.length == UNDEFINED_LENGTH and vr not in ("OB", "OW"):
            is_implicit_vr = not is_explicit_inside(value or b"") if vr == "UN" else is_implicit_vr
            vr = "SQ"
        return RawDataElement(
            BaseTag(element.tag), vr, length, value, element.offset, is_implicit_vr, encoding.is_little_endian
        )

    def _may_load(self, tag: int, length: int) -> bool:
        if not is_private(tag):
            return True
        may = length <= min(self.limits.private_value_length, self.private_left)
        self.private_left -= length if may else 0
        return may

    def _check_image(
        self, dataset: Dataset, pixel_data: PixelData | None, syntax: TransferSyntax
    ) -> ImagePixel | None:
        if pixel_data is None:
            if "Rows" in dataset:
                self._warn("no_pixel_data", "The file describes an image, but has no pixel data.")
            return None
        image = read_image_pixel(dataset, pixel_data.keyword, self.limits)
        self.warnings.extend((*image.findings, *find_unreadable(dataset)))
        self.warnings.extend(check_complete(image, pixel_data, syntax))
        return image

    def _check_last_fragment(
        self, image: ImagePixel | None, pixel_data: PixelData | None, syntax: TransferSyntax
    ) -> None:
        """Refuse pixel data without its last delimiter unless its frames are whole without doubt."""
        is_rle = syntax.uid == RLE_LOSSLESS
        if image is None or pixel_data is None or not is_supported(syntax.uid):
            whole = False
        else:
            whole = count_whole_streams(self.stream, pixel_data, is_rle) == image.number_of_frames
        if not whole:
            raise FileRefused("truncated", "The file ends before the delimiter of its pixel data.")
