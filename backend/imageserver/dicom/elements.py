"""A walk over the elements of a data set that checks its structure before anything is believed or allocated.

pydicom reads a cut or hostile file without complaint (a value shorter than its length, sequences nested a
hundred thousand deep). Here every length must fit into what is left of its container, and the limits hold.
"""

from typing import NamedTuple

from imageserver.dicom.budget import Budget
from imageserver.dicom.byte_window import ByteWindow
from imageserver.dicom.element_headers import Broken, Cut, ElementHeader, ElementHeaders
from imageserver.dicom.encodings import Encoding, is_explicit_inside
from imageserver.dicom.limits import MEBIBYTE, FileRefused, Limits
from imageserver.dicom.nesting import Fragment, Nesting
from imageserver.dicom.oddities import Oddities
from imageserver.dicom.pixel_data import PixelData
from imageserver.dicom.plain_elements import (
    DATA_SET,
    FILE_META,
    Elements,
    TagRange,
    new_element,
    take_plain_explicit,
    take_plain_implicit,
)
from imageserver.dicom.tags import (
    ITEM_END,
    NUMBER_OF_FRAMES,
    PIXEL_DATA,
    PIXEL_DATA_TAGS,
    SEQUENCE_END,
    UNDEFINED_LENGTH,
    base_tag,
    is_private,
    tag_name,
)

_DELIMITER_LENGTH = 8
_MOST_PADDING = 64 * MEBIBYTE
_SEQUENCE_DELIMITER = b"\xfe\xff\xdd\xe0\0\0\0\0"


class _Taken(NamedTuple):
    """An element of the data set itself, and where it ends."""

    header: ElementHeader
    end: int


class ElementWalk:
    """Walks over one data set, once, and collects its elements on the way.

    Parameters
    ----------
    window : ByteWindow
        Onto the file.
    start, end : int
        The part of the file that holds the data set.
    encoding : Encoding
    limits : Limits
    with_private : bool
        Keep private elements too, but for the values of long ones.

    Attributes
    ----------
    at : int
        How far the walk has come.
    elements : dict of BaseTag to RawDataElement
        All but pixel data, and private elements where they are not wanted: some have hundreds of MiB.
    is_empty : bool
        There was no element at all but pixel data.
    pixel_data : PixelData or None
    oddities : Oddities
        What was stepped over on the way.

    References
    ----------
    DICOM PS3.5 7.1, 7.5, A.4
    """

    def __init__(
        self,
        window: ByteWindow,
        start: int,
        end: int,
        encoding: Encoding,
        limits: Limits,
        *,
        with_private: bool = False,
    ) -> None:
        self.at = start
        self.elements: Elements = {}
        self.is_empty = True
        self.pixel_data: PixelData | None = None
        self.oddities = Oddities()
        self._window = window
        self._end = end
        self._encoding = encoding
        self._limits = limits
        self._with_private = with_private
        self._budget = Budget(limits, end)
        self._headers = ElementHeaders(window, end, encoding.is_little_endian, self._budget)
        self._nesting = Nesting(self._headers, encoding, self.oddities)
        self._take_plain = take_plain_implicit if encoding.is_implicit_vr else take_plain_explicit
        self._previous = -1

    def walk(self) -> None:
        """Walk to the end.

        Raises
        ------
        FileRefused
            ``truncated``, ``malformed``, ``too_deep``, ``too_many_elements``, ``value_too_long`` or
            ``too_slow``. What was collected before the fault is kept.
        """
        while self.at < self._end:
            if self.pixel_data is None:
                self._step_over_plain(DATA_SET)
            if self.at < self._end and not self._step():
                return

    def walk_file_meta(self) -> None:
        """Walk to the end of group 0002; what follows may be written in another encoding. Raises as `walk`."""
        group = self._window.read(self.at, 2)
        while self.at < self._end and self._window.read(self.at, 2) == group:
            self._step_over_plain(FILE_META)
            if self._window.read(self.at, 2) == group and not self._step():
                return

    def _step_over_plain(self, tags: TagRange) -> None:
        before = self.at
        self.at = self._take_plain(
            self._headers, before, self.elements, tags, self._encoding, self._with_private
        )
        if self.at > before:
            self.is_empty = False
            self._previous = tags.first

    def _step(self) -> bool:
        """Take the element at `at`, whatever it is; False where what is left is no data set."""
        at = self.at
        try:
            header = self._headers.read(at, self._end, self._encoding.is_implicit_vr)
            if self.pixel_data is not None and header.tag in (ITEM_END, SEQUENCE_END) and header.length == 0:
                self.oddities.trailing += header.offset - at
                self.at = header.offset
                return True
            if header.tag == 0 or header.tag >> 16 == 0xFFFE:
                raise Broken
            fragments: list[Fragment] = []
            end = self._end_of_value(header, fragments)
        except Broken as fault:
            if not self._may_be_left_out(at):
                raise _refusal(at, fault) from None
            return False
        if header.tag < self._previous and header.tag >> 16 == 0:
            raise FileRefused("malformed", f"The data set makes no sense at byte {at}.")
        self._previous = header.tag
        self.at = end
        self._keep(_Taken(header, end), fragments)
        return True

    def _may_be_left_out(self, at: int) -> bool:
        """Tell whether what follows is no part of the data set; it is noted."""
        if self._is_padding(at):
            return True
        if self.pixel_data is None:
            return False
        self.oddities.trailing += self._end - at  # the image is whole: this cannot make it half of one
        return True

    def _end_of_value(self, header: ElementHeader, fragments: list[Fragment]) -> int:
        """Check the value of an element of the data set itself and return where it ends."""
        tag, vr, offset, length = header
        if tag == PIXEL_DATA and length == UNDEFINED_LENGTH:
            return self._end_of_pixel_data(offset, fragments)
        if tag in PIXEL_DATA_TAGS and offset + length == self._end + 1 and length % 2 == 0:
            self.oddities.is_pad_byte_missing = True  # whether it was one, the description of the image tells
            return self._end
        self._nesting.is_unverified = False
        end = self._nesting.end_of_value(header, self._end)
        is_long = self._limits.value_length < length < UNDEFINED_LENGTH
        if is_long and is_private(tag):
            self.oddities.has_long_private_value = True
        elif is_long and tag not in PIXEL_DATA_TAGS and not self._nesting.is_sequence(tag, vr):
            raise FileRefused("value_too_long", f"The value of {tag_name(tag)} has {length} bytes.")
        if tag == NUMBER_OF_FRAMES:
            digits = self._window.read(offset, min(length, 16)).strip(b" \0")
            if digits.isdigit():
                self._budget.allow_frames(int(digits))
        return end

    def _end_of_pixel_data(self, at: int, fragments: list[Fragment]) -> int:
        """Collect the fragments of pixel data; a missing last delimiter is noted, and judged by their content."""
        try:
            return self._nesting.end_of_fragments(at, fragments)
        except Cut:
            rest = self._window.read(sum(fragments[-1]) if fragments else at, 9)
            if not self._encoding.is_little_endian or not _SEQUENCE_DELIMITER.startswith(rest):
                raise
            self.oddities.is_delimiter_missing = True
            return self._end

    def _keep(self, taken: _Taken, fragments: list[Fragment]) -> None:
        (tag, vr, offset, length), end = taken
        if tag in PIXEL_DATA_TAGS:
            if self.pixel_data is not None:
                raise FileRefused("malformed", "The file has pixel data twice.")
            is_encapsulated = length == UNDEFINED_LENGTH
            self.pixel_data = PixelData(
                PIXEL_DATA_TAGS[tag], vr, offset, end - offset, is_encapsulated, fragments
            )
            return
        self.is_empty = False
        if (self._with_private or not is_private(tag)) and not self._nesting.is_unverified:
            self._load(taken)

    def _load(self, taken: _Taken) -> None:
        """Read the bytes of a value; what they mean is worked out when it is asked for.

        A sequence of undefined length loses its delimiter, and is then one of defined length.
        """
        (tag, vr, offset, length), end = taken
        is_undefined = length == UNDEFINED_LENGTH
        if is_undefined:
            length = end - offset - _DELIMITER_LENGTH
        if is_private(tag):
            may_load = self._budget.take_private_value(length)
        else:
            may_load = True
            self._budget.take_bytes(length)
        value = self._window.read(offset, length) if may_load else None
        is_implicit_vr = self._encoding.is_implicit_vr
        if is_undefined and vr not in ("OB", "OW"):
            is_implicit_vr = not is_explicit_inside(value or b"") if vr == "UN" else is_implicit_vr
            vr = "SQ"
        key = base_tag(tag)
        self.elements[key] = new_element(
            (key, vr, length, value, offset, is_implicit_vr, self._encoding.is_little_endian, True, False)
        )

    def _is_padding(self, at: int) -> bool:
        """Tell whether only zeros are left, as some archives append them. Nobody looks through a terabyte."""
        if any(self._window.read(at, 8)) or self._end - at > _MOST_PADDING:
            return False
        start = at
        while at < self._end:
            chunk = self._window.read(at, min(self._end - at, 1 << 20))
            if any(chunk):
                return False
            if not chunk:
                break
            at += len(chunk)
        self.oddities.padding = self._end - start
        return True


def _refusal(at: int, fault: Broken) -> FileRefused:
    if isinstance(fault, Cut):
        return FileRefused("truncated", f"The file ends in the middle of the element at byte {at}.")
    return FileRefused("malformed", f"The data set makes no sense at byte {at}.")
