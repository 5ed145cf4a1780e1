"""The declaration: what the values of Specific Character Set (0008,0005) mean, and what writers put there instead."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

# Sets of one byte by their ISO registration number: what stands above 0x80 (PS3.3 tables C.12-2 and C.12-3).
SINGLE_BYTE = {
    6: None, 13: "jis_x_0201", 100: "iso8859_1", 101: "iso8859_2", 109: "iso8859_3", 110: "iso8859_4",
    126: "iso8859_7", 127: "iso8859_6", 138: "iso8859_8", 144: "iso8859_5", 148: "iso8859_9", 166: "tis_620",
    203: "iso8859_15",
}  # fmt: skip
# Sets of several bytes, with code extensions only (PS3.3 table C.12-4).
MULTI_BYTE = {58: "gb2312", 87: "jis_x_0208", 149: "euc_kr", 159: "jis_x_0212"}
# Sets that cannot be mixed with others; their second bytes may look like delimiters (PS3.3 table C.12-5).
STAND_ALONE = {"ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk"}
# Sets that stand above 0x80, beside ASCII, and what such data holds in practice.
WIDER = {"gb2312": "gb18030", "euc_kr": "cp949"}

# Misspelt terms; the text is as sure as with the right one.
_MISSPELT = {
    "UTF-8": "ISO_IR 192", "UTF8": "ISO_IR 192", "UTF 8": "ISO_IR 192", "GB 18030": "GB18030", "GB-18030": "GB18030",
    "GB18030-2000": "GB18030", "ISO 2022 GBK": "GBK", "ISO 2022 GB18030": "GB18030", "ISO 2022 58": "ISO_IR 58",
}  # fmt: skip
# Names of other standards for sets of DICOM.
_OTHER_NAMES = {
    "GB2312": "ISO_IR 58", "GB_2312-80": "ISO_IR 58", "EUC-CN": "ISO_IR 58", "EUC-KR": "ISO_IR 149",
    "EUC_KR": "ISO_IR 149", "KS_C_5601-1987": "ISO_IR 149", "KSC5601": "ISO_IR 149", "US-ASCII": "ISO_IR 6",
    "ASCII": "ISO_IR 6", "TIS-620": "ISO_IR 166", "LATIN1": "ISO_IR 100", "LATIN-1": "ISO_IR 100",
    "LATIN2": "ISO_IR 101", "LATIN-2": "ISO_IR 101",
}  # fmt: skip
# Sets that DICOM does not have at all.
_FOREIGN = {
    "SHIFT_JIS": "cp932", "SHIFT-JIS": "cp932", "SJIS": "cp932", "MS_KANJI": "cp932", "BIG5": "cp950",
    "EUC-JP": "euc_jp", "EUC_JP": "euc_jp", "KOI8-R": "koi8_r",
}  # fmt: skip
_MOST_VALUES = 32  # more than there are defined terms
_PARTS_OF_8859 = {1: 100, 2: 101, 3: 109, 4: 110, 5: 144, 6: 127, 7: 126, 8: 138, 9: 148, 11: 166, 15: 203}

_REGISTERED = re.compile(r"(?:ISO)?[ _-]*(?:2022)?[ _-]*(?:IR)?[ _-]*0*(\d{1,3})", re.ASCII)
_ISO_8859 = re.compile(r"ISO[ _-]*8859[ _-]*(\d{1,2})", re.ASCII)
_WINDOWS = re.compile(r"(?:WINDOWS|CP)[ _-]*(125[0-8]|874|932|936|949|950)")


class Sets(NamedTuple):
    """The sets that bytes below and above 0x80 are read with (G0 and G1 of ISO/IEC 2022)."""

    low: str
    high: str | None


@dataclass(frozen=True)
class Declaration:
    """What Specific Character Set says.

    Attributes
    ----------
    codec : str or None
        Of a set that stands alone; None where code extensions are possible.
    numbers : tuple of int or None
        ISO registration numbers of the values; None for those that are empty or unknown.
    is_unknown : bool
        Some value is no defined term, nor a misspelt one.
    """

    codec: str | None = None
    numbers: tuple[int | None, ...] = ()
    is_unknown: bool = False

    @cached_property
    def initial(self) -> Sets:
        """The sets that hold before any escape sequence, and again behind each delimiter (PS3.5 6.1.2.5.3)."""
        number = self.numbers[0] if self.numbers else None
        if number is None:
            return Sets("ascii", None)
        if number in MULTI_BYTE:  # only a set beside ASCII can be meant without an escape sequence
            codec = MULTI_BYTE[number]
            return Sets("ascii", codec if codec in WIDER else None)
        return Sets("ascii", SINGLE_BYTE[number])

    @cached_property
    def fallback(self) -> str | None:
        """The set beside ASCII of Korean and Chinese writers, who leave its escape sequence out."""
        declared = (MULTI_BYTE.get(number) for number in self.numbers if number is not None)
        return next((codec for codec in declared if codec in WIDER), None)

    @cached_property
    def may_be_japanese(self) -> bool:
        """Whether a Japanese set is declared, or none at all."""
        is_japanese = any(number in (13, 87, 159) for number in self.numbers)
        return is_japanese or all(number in (None, 6) for number in self.numbers)

    @cached_property
    def switchable(self) -> frozenset[str | None]:
        """The sets that escape sequences may switch to."""
        sets = {**SINGLE_BYTE, **MULTI_BYTE}
        return frozenset({"ascii", *(sets[number] for number in self.numbers if number is not None)})


def read_declaration(character_sets: Sequence[str]) -> Declaration:
    """Return what the values of Specific Character Set mean.

    Terms are understood in any case and with any of blank, underscore and hyphen between their parts, with or without
    "2022"; so are names that other standards have for the same sets.

    References
    ----------
    DICOM PS3.3 C.12.1.1.2
    """
    return _read_declaration(tuple(character_sets[:_MOST_VALUES]))


@lru_cache(maxsize=256)
def _read_declaration(character_sets: tuple[str, ...]) -> Declaration:
    written = [term.strip(" \0").upper() for term in character_sets]
    terms = [_normalise(term) for term in written]
    # Nothing but ASCII may stand in front of a set that stands alone, which all of them hold.
    first = next((at for at, term in enumerate(terms) if term not in ("", "ISO_IR 6")), None)
    codec = None if first is None else STAND_ALONE.get(terms[first]) or _foreign_codec(written[first])
    numbers = tuple(_number(term) for term in terms)
    known = (not term or number is not None or term in STAND_ALONE
             for term, number in zip(terms, numbers, strict=True))  # fmt: skip
    is_foreign = any(term in _OTHER_NAMES or _ISO_8859.fullmatch(term) is not None for term in written)
    return Declaration(codec, numbers, is_unknown=is_foreign or not all(known))


def _normalise(term: str) -> str:
    term = _MISSPELT.get(term) or _OTHER_NAMES.get(term) or term
    if match := _ISO_8859.fullmatch(term):
        return f"ISO_IR {_PARTS_OF_8859.get(int(match[1]), 0)}"
    match = _REGISTERED.fullmatch(term)
    return f"ISO_IR {match[1]}" if match else term


def _number(term: str) -> int | None:
    """Return the registration number of a term; None for one that is empty, unknown or stands alone."""
    match = _REGISTERED.fullmatch(term)
    number = int(match[1]) if match else 0
    return number if number in SINGLE_BYTE or number in MULTI_BYTE else None


def _foreign_codec(term: str) -> str | None:
    match = _WINDOWS.fullmatch(term)
    return f"cp{match[1]}" if match else _FOREIGN.get(term)
