"""Checking the inside of sequences: every length must fit into its container, and the limits hold (PS3.5 7.5)."""

from imageserver.dicom.element_headers import Broken, Cut, ElementHeader, ElementHeaders
from imageserver.dicom.encodings import Encoding, is_explicit_inside, is_sequence_tag
from imageserver.dicom.limits import FileRefused
from imageserver.dicom.oddities import Oddities
from imageserver.dicom.tags import ITEM, ITEM_END, SEQUENCE_END, UNDEFINED_LENGTH

_DELIMITER_LENGTH = 8
_HARMLESS = 1 << 16  # bytes of a broken sequence that pydicom may chew on, whatever they are

Fragment = tuple[int, int]


class Nesting:
    """Finds the ends of values, of those too that have others inside.

    Parameters
    ----------
    headers : ElementHeaders
    encoding : Encoding
        Of the data set.
    oddities : Oddities
        What is stepped over is noted there.

    Attributes
    ----------
    is_unverified : bool
        A broken sequence was stepped over that is long enough to hold anything: what is in it was not checked, and must
        not be loaded. To be reset by the caller.
    """

    def __init__(self, headers: ElementHeaders, encoding: Encoding, oddities: Oddities) -> None:
        self._headers = headers
        self._window = headers.window
        self._budget = headers.budget
        self._encoding = encoding
        self._oddities = oddities
        self._end = headers.end
        self.is_unverified = False

    def is_sequence(self, tag: int, vr: str | None) -> bool:
        """Tell whether the value of an element is a sequence."""
        if vr == "UN":  # written by a program that did not know the attribute (PS3.5 6.2.2, note 2)
            return self._encoding.is_little_endian and is_sequence_tag(tag)
        return vr == "SQ" or (vr is None and is_sequence_tag(tag))

    def end_of_value(self, header: ElementHeader, end: int, depth: int = 0) -> int:
        """Check a value inside a container that ends at `end`; return where it ends.

        Raises
        ------
        Broken, Cut
            If it does not fit, or contradicts itself.
        FileRefused
            ``too_deep``, ``too_many_elements`` or ``too_slow``.
        """
        tag, vr, offset, length = header
        if length != UNDEFINED_LENGTH:
            if offset + length > end:
                raise Cut if offset + length > self._end else Broken
            if length and self.is_sequence(tag, vr):
                self._step_over_sequence(vr, offset, offset + length, depth)
            return offset + length
        if vr in ("OB", "OW"):
            return self.end_of_fragments(offset, [])
        return self._end_of_items(offset, end, True, self._is_implicit_inside(vr, offset), depth + 1)

    def end_of_fragments(self, at: int, fragments: list[Fragment]) -> int:
        """Collect offset and length of each fragment (PS3.5 A.4); return where their delimiter ends."""
        while True:
            tag, _, offset, length = self._headers.read_item(at)
            if tag == SEQUENCE_END:
                return offset
            if tag != ITEM or length == UNDEFINED_LENGTH:
                raise Broken
            if offset + length > self._end:
                raise Cut
            fragments.append((offset, length))
            self._budget.check_fragments(len(fragments))
            at = offset + length

    def _is_implicit_inside(self, vr: str | None, offset: int) -> bool:
        """Tell how the items of a sequence are written: like the sequence itself, but in UN implicit VR."""
        if vr != "UN":
            return vr is None or self._encoding.is_implicit_vr
        return not is_explicit_inside(self._window.read(offset, 16))

    def _step_over_sequence(self, vr: str | None, offset: int, end: int, depth: int) -> None:
        """Check a sequence of known length; where its inside is broken the length still leads past it."""
        try:
            self._end_of_items(offset, end, False, self._is_implicit_inside(vr, offset), depth + 1)
        except Broken:
            self._oddities.has_broken_sequence = True
            self.is_unverified |= end - offset > _HARMLESS

    def _end_of_items(
        self, at: int, end: int, until_delimiter: bool, is_implicit_vr: bool, depth: int
    ) -> int:
        if depth > self._budget.limits.depth:
            raise FileRefused(
                "too_deep", f"Sequences are nested deeper than {self._budget.limits.depth} levels."
            )
        while at < end:
            tag, _, offset, length = self._headers.read(at, end, True)
            if tag == SEQUENCE_END:
                return offset
            if tag != ITEM:
                raise Broken
            at = self._end_of_item(offset, length, end, is_implicit_vr, depth)
        if until_delimiter:
            raise self._headers.past(end)
        return at

    def _end_of_item(self, at: int, length: int, end: int, is_implicit_vr: bool, depth: int) -> int:
        self._budget.take_item()
        item_end = end if length == UNDEFINED_LENGTH else at + length
        if item_end > end:
            raise Cut if item_end > self._end else Broken
        while at < item_end:
            header = self._headers.read(at, item_end, is_implicit_vr)
            if header.tag == ITEM_END:
                return header.offset
            if header.tag == SEQUENCE_END and length == UNDEFINED_LENGTH:
                self._oddities.has_open_items = True
                return header.offset - _DELIMITER_LENGTH
            if header.tag in (SEQUENCE_END, ITEM):
                raise Broken
            at = self.end_of_value(header, item_end, depth)
        if length == UNDEFINED_LENGTH:
            raise self._headers.past(end)
        return at
