"""Specific Character Set: from the bytes of a text value to Unicode, with code extensions.

Decoding never fails. What the declaration does not explain is read by best effort, and the result says so.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

ESCAPE = 0x1B
# A delimiter ends the effect of every escape sequence (PS3.5 6.1.2.5.3). TEXT for LO, SH, UC; PN adds ^ and
# =.
TEXT_DELIMITERS = frozenset(b"\\\t\n\f\r")
PERSON_NAME_DELIMITERS = TEXT_DELIMITERS | frozenset(b"^=")

UNDECLARED = "undeclared_character_set"
UNKNOWN = "unknown_character_set"
UNDECODABLE = "undecodable_characters"
WRONG = "wrong_character_set"


class DecodedText(NamedTuple):
    """Text, and the codes of what had to be guessed on the way to it."""

    text: str
    warnings: tuple[str, ...]


class _Sets(NamedTuple):
    """The sets that bytes below and above 0x80 are read with (G0 and G1 of ISO/IEC 2022)."""

    low: str
    high: str | None


# Defined terms of PS3.3 C.12.1.1.2 by their ISO registration number: what each puts in G0 and G1.
_SINGLE_BYTE = {
    6: _Sets("ascii", None),
    13: _Sets("ascii", "jis_x_0201"),
    100: _Sets("ascii", "iso8859_1"),
    101: _Sets("ascii", "iso8859_2"),
    109: _Sets("ascii", "iso8859_3"),
    110: _Sets("ascii", "iso8859_4"),
    126: _Sets("ascii", "iso8859_7"),
    127: _Sets("ascii", "iso8859_6"),
    138: _Sets("ascii", "iso8859_8"),
    144: _Sets("ascii", "iso8859_5"),
    148: _Sets("ascii", "iso8859_9"),
    166: _Sets("ascii", "tis_620"),
    203: _Sets("ascii", "iso8859_15"),
}
_MULTI_BYTE = {58: "gb2312", 87: "jis_x_0208", 149: "euc_kr", 159: "jis_x_0212"}
_NUMBERS = {f"ISO_IR {number}": number for number in (*_SINGLE_BYTE, *_MULTI_BYTE)}
# Sets that cannot be mixed with others; their second bytes may look like delimiters.
_STAND_ALONE = {"ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk", "SHIFT_JIS": "cp932"}

# Escape sequences of PS3.3 tables C.12-3 and C.12-4: which half they switch, and to what.
_ESCAPES: dict[bytes, tuple[str, str]] = {
    b"\x1b(B": ("low", "ascii"),
    b"\x1b(J": ("low", "ascii"),  # JIS X 0201 romaji: ASCII but for the shapes of two characters
    b"\x1b)I": ("high", "jis_x_0201"),
    b"\x1b$B": ("low", "jis_x_0208"),
    b"\x1b$@": ("low", "jis_x_0208"),
    b"\x1b$(D": ("low", "jis_x_0212"),
    b"\x1b$)C": ("high", "euc_kr"),
    b"\x1b$)A": ("high", "gb2312"),
    b"\x1b-A": ("high", "iso8859_1"),
    b"\x1b-B": ("high", "iso8859_2"),
    b"\x1b-C": ("high", "iso8859_3"),
    b"\x1b-D": ("high", "iso8859_4"),
    b"\x1b-F": ("high", "iso8859_7"),
    b"\x1b-G": ("high", "iso8859_6"),
    b"\x1b-H": ("high", "iso8859_8"),
    b"\x1b-L": ("high", "iso8859_5"),
    b"\x1b-M": ("high", "iso8859_9"),
    b"\x1b-T": ("high", "tis_620"),
    b"\x1b-b": ("high", "iso8859_15"),
}
_WIDER = {"gb2312": "gb18030", "euc_kr": "cp949"}  # what such data holds in practice
# Names that other standards have for the same sets.
_ALIASES = {
    "UTF-8": "ISO_IR 192", "UTF8": "ISO_IR 192", "GB 18030": "GB18030", "ISO 2022 GBK": "GBK",
    "ISO 2022 58": "ISO_IR 58", "GB2312": "ISO_IR 58", "EUC-KR": "ISO_IR 149", "KS_C_5601-1987": "ISO_IR 149",
    "SJIS": "SHIFT_JIS", "SHIFT-JIS": "SHIFT_JIS", "MS_KANJI": "SHIFT_JIS", "ISO-8859-1": "ISO_IR 100",
    "LATIN1": "ISO_IR 100", "US-ASCII": "ISO_IR 6", "ASCII": "ISO_IR 6",
}  # fmt: skip
_NOT_DICOM = frozenset(_ALIASES) - {"UTF-8", "UTF8", "GB 18030", "ISO 2022 GBK", "ISO 2022 58"} | {
    "SHIFT_JIS"
}
_CUT_UTF_8 = re.compile(rb"[\xe0-\xf4][\x80-\xbf]{1,2}[ \0]*\Z")
_TERM = re.compile(r"ISO[ _-]?(?:2022)?[ _-]*IR[ _-]?(\d{1,9})", re.ASCII)


def decode_text(
    value: bytes, character_sets: Sequence[str], delimiters: Iterable[int] = TEXT_DELIMITERS
) -> DecodedText:
    """Decode a text value by the Specific Character Set (0008,0005) that holds for it.

    Parameters
    ----------
    value : bytes
        The value as it stands in the data set, padding included.
    character_sets : sequence of str
        The values of Specific Character Set; empty when it is absent.
    delimiters : iterable of int
        Bytes that end the effect of escape sequences.

    Returns
    -------
    DecodedText
        Never raises; U+FFFD stands where bytes mean nothing.

    References
    ----------
    DICOM PS3.3 C.12.1.1.2, PS3.5 6.1.2.3 to 6.1.2.5
    """
    if value.isascii() and ESCAPE not in value:
        return DecodedText(value.decode("ascii"), ())
    terms = [_normalise(term) for term in character_sets]
    if terms and terms[0] in _STAND_ALONE:
        decoded = _decode_stand_alone(value, _STAND_ALONE[terms[0]])
    else:
        decoded = _Decoder(terms, frozenset(delimiters)).decode(value)
    if any(term.strip(" \0").upper() in _NOT_DICOM for term in character_sets):
        decoded = decoded._replace(warnings=(UNKNOWN, *decoded.warnings))
    return decoded


def _normalise(term: str) -> str:
    """Bring a defined term to one spelling; writers vary blanks, underscores and hyphens."""
    text = term.strip(" \0").upper()
    if text in _ALIASES:
        return _ALIASES[text]
    match = _TERM.fullmatch(text)
    return f"ISO_IR {int(match[1])}" if match else text


def _decode_stand_alone(value: bytes, codec: str) -> DecodedText:
    try:
        return DecodedText(value.decode(codec), ())
    except UnicodeDecodeError:
        pass
    if codec == "utf-8" and not _holds_utf_8(value):
        return DecodedText(value.decode("cp1252", "replace"), (WRONG,))
    return DecodedText(value.decode(codec, "replace"), (UNDECODABLE,))


def _holds_utf_8(value: bytes) -> bool:
    """Tell whether any character of several bytes is UTF-8; what cannot be decoded is then damaged, or cut off."""
    text = value.decode("utf-8", "replace")
    return any(char > "\x7f" and char != "\ufffd" for char in text) or _CUT_UTF_8.search(value) is not None


def _is_shift_jis(value: bytes, is_japanese: bool) -> bool:
    """Tell whether text of single bytes is Shift-JIS with kanji or full-width kana.

    Without a Japanese declaration only text that Latin 1 cannot mean: with bytes 0x81 to 0x9F, which are controls
    there.
    """
    try:
        text = value.decode("cp932")
    except UnicodeDecodeError:
        return False
    has_wide = any(ord(char) > 0x3000 and not 0xFF61 <= ord(char) <= 0xFF9F for char in text)
    return has_wide and (is_japanese or any(0x81 <= byte <= 0x9F for byte in value))


class _Decoder:
    """One pass over one value: the state is which sets are in G0 and G1."""

    def __init__(self, terms: Sequence[str], delimiters: frozenset[int]) -> None:
        self.delimiters = delimiters
        self.warnings: dict[str, None] = {}
        numbers = [self._number(term) for term in terms]
        self.initial = self._initial_sets(numbers[0] if numbers else None)
        # Korean and Chinese writers often leave the escape sequence out after a delimiter.
        declared = (_MULTI_BYTE.get(number) for number in numbers if number is not None)
        self.fallback = next((codec for codec in declared if codec in _WIDER), None)
        self.is_japanese = any(number in (13, 87, 159) for number in numbers) or not any(terms)

    def _number(self, term: str) -> int | None:
        if not term:
            return None
        if (number := _NUMBERS.get(term)) is not None:
            return number
        self._warn(UNKNOWN)
        return None

    def _initial_sets(self, number: int | None) -> _Sets:
        if number in _MULTI_BYTE:  # only its single-byte half can be meant before an escape sequence
            codec = _MULTI_BYTE[number]
            return _Sets("ascii", codec if codec in _WIDER else None)
        return _SINGLE_BYTE[number if number is not None else 6]

    def _warn(self, code: str) -> None:
        self.warnings[code] = None

    def decode(self, value: bytes) -> DecodedText:
        if ESCAPE not in value and (guess := self._guess(value)) is not None:
            return guess
        text, sets, start, at = [], self.initial, 0, 0
        while at < len(value):
            byte = value[at]
            if byte == ESCAPE:
                text.append(self._decode_run(value[start:at], sets))
                sets, at = self._switch(value, at, sets)
                start = at
            elif byte in self.delimiters and sets.low == "ascii" and sets != self.initial:
                text.append(self._decode_run(value[start:at], sets))
                sets, start = self.initial, at
                at += 1
            else:
                at += 1
        text.append(self._decode_run(value[start:], sets))
        return DecodedText("".join(text), tuple(self.warnings))

    def _guess(self, value: bytes) -> DecodedText | None:
        """Read what is surely written otherwise than a single-byte set would have it.

        Text of single bytes is almost never valid UTF-8. Japanese systems declare ISO_IR 13, or nothing, and write
        kanji as Shift-JIS, the first byte of which is no character of JIS X 0201, or makes no sense as one.
        """
        if self.initial.high in _WIDER or self.initial.high == "tis_620":
            return None
        is_declared = self.initial.high is not None
        # Two letters of these sets can look like one of UTF-8; the controls 0x80 to 0x9F cannot be meant.
        is_ambiguous = self.initial.high in ("jis_x_0201", "iso8859_5")
        if not is_ambiguous or any(0x80 <= byte <= 0x9F for byte in value):
            try:
                return DecodedText(
                    value.decode("utf-8"), (*self.warnings, WRONG if is_declared else UNDECLARED)
                )
            except UnicodeDecodeError:
                pass
        if self.fallback or not self.is_japanese or not _is_shift_jis(value, is_declared):
            return None
        return DecodedText(value.decode("cp932"), (*self.warnings, WRONG if is_declared else UNDECLARED))

    def _switch(self, value: bytes, at: int, sets: _Sets) -> tuple[_Sets, int]:
        """Follow the escape sequence at `at`; one that is unknown is left out."""
        for length in (3, 4):
            if (found := _ESCAPES.get(value[at : at + length])) is not None:
                half, codec = found
                sets = sets._replace(low=codec) if half == "low" else sets._replace(high=codec)
                return sets, at + length
        self._warn(UNDECODABLE)
        return sets, at + 1

    def _decode_run(self, run: bytes, sets: _Sets) -> str:
        """Decode bytes between two switches: those below 0x80 by G0, the others by G1."""
        parts = re.findall(rb"[\x00-\x7f]+|[\x80-\xff]+", run)
        return "".join(
            self._decode_low(p, sets.low) if p[0] < 0x80 else self._decode_high(p, sets) for p in parts
        )

    def _decode_low(self, part: bytes, codec: str) -> str:
        if codec == "jis_x_0208":
            return self._strict(b"\x1b$B" + part + b"\x1b(B", ("iso2022_jp",))
        if codec == "jis_x_0212":
            return self._strict(b"\x1b$(D" + part + b"\x1b(B", ("iso2022_jp_2",))
        return part.decode("ascii")

    def _decode_high(self, part: bytes, sets: _Sets) -> str:
        codec = sets.high
        if codec is None:
            self._warn(UNDECLARED)
            guesses = ("utf-8", _WIDER[self.fallback]) if self.fallback else ("utf-8", "iso8859_1")
            return self._strict(part, guesses)
        if codec == "jis_x_0201":
            return self._strict(part, ("shift_jis",))
        return self._strict(part, (codec, _WIDER.get(codec, codec)))

    def _strict(self, part: bytes, codecs: Sequence[str]) -> str:
        for codec in codecs:
            try:
                return part.decode(codec)
            except UnicodeDecodeError:
                continue
        self._warn(UNDECODABLE)
        return part.decode(codecs[-1], "replace")
