"""Text with code extensions: escape sequences that switch between character sets (ISO/IEC 2022)."""

import re
from collections.abc import Sequence

from imageserver.dicom.character_set_terms import WIDER, Declaration, Sets
from imageserver.dicom.decoded_text import UNDECLARED, UNDECODABLE, WRONG, DecodedText

ESCAPE = 0x1B

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
_HALVES = re.compile(rb"[\x00-\x7f]+|[\x80-\xff]+")


def holds_escape_sequence(value: bytes) -> bool:
    """Tell whether an escape sequence of the standard is in a value."""
    return ESCAPE in value and any(sequence in value for sequence in _ESCAPES)


def decode_code_extensions(value: bytes, declaration: Declaration, delimiters: frozenset[int]) -> DecodedText:
    """Decode a value in one pass; never raises.

    Parameters
    ----------
    value : bytes
        As it stands in the data set.
    declaration : Declaration
        Its first set holds at the start and, again, behind each delimiter.
    delimiters : frozenset of int
        Bytes that end the effect of escape sequences, where they stand for themselves.

    References
    ----------
    DICOM PS3.5 6.1.2.5
    """
    return _Decoder(declaration, delimiters).decode(value)


class _Decoder:
    """One pass over one value: the state is which sets are in G0 and G1."""

    def __init__(self, declaration: Declaration, delimiters: frozenset[int]) -> None:
        self.declaration = declaration
        self.initial = declaration.initial
        self.fallback = declaration.fallback
        self.delimiters = delimiters
        self.warnings: dict[str, None] = {}

    def decode(self, value: bytes) -> DecodedText:
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

    def _switch(self, value: bytes, at: int, sets: Sets) -> tuple[Sets, int]:
        """Follow the escape sequence at `at`; one that is unknown is left out."""
        for length in (3, 4):
            if (found := _ESCAPES.get(value[at : at + length])) is not None:
                half, codec = found
                if codec not in self.declaration.switchable:
                    self._warn(UNDECLARED)
                sets = sets._replace(low=codec) if half == "low" else sets._replace(high=codec)
                return sets, at + length
        self._warn(UNDECODABLE)
        return sets, at + 1

    def _decode_run(self, run: bytes, sets: Sets) -> str:
        """Decode bytes between two switches: those below 0x80 by G0, the others by G1."""
        return "".join(
            self._decode_low(part, sets.low) if part[0] < 0x80 else self._decode_high(part, sets)
            for part in _HALVES.findall(run)
        )

    def _decode_low(self, part: bytes, codec: str) -> str:
        if codec == "ascii":
            return part.decode("ascii")
        wide, plain = _split_at_missing_return(part, self.delimiters)
        if plain.strip():
            self._warn(WRONG)
        text = _decode_jis_x_0208(wide) if codec == "jis_x_0208" else _decode_jis_x_0212(wide)
        if "\ufffd" in text:
            self._warn(UNDECODABLE)
        return text + plain.decode("ascii")

    def _decode_high(self, part: bytes, sets: Sets) -> str:
        codec = sets.high
        if codec is None:
            self._warn(UNDECLARED)
            declared = self.fallback  # two of its letters can look like UTF-8
            guesses = (declared, "utf-8", WIDER[declared]) if declared else ("utf-8", "cp1252", "iso8859_1")
            return self._strict(part, guesses)
        if codec == "jis_x_0201":
            return self._strict(part, ("shift_jis",))
        return self._strict(part, (codec, WIDER.get(codec, codec)))

    def _strict(self, part: bytes, codecs: Sequence[str]) -> str:
        for codec in codecs:
            try:
                return part.decode(codec)
            except UnicodeDecodeError:
                continue
        self._warn(UNDECODABLE)
        return part.decode(codecs[-1], "replace")

    def _warn(self, code: str) -> None:
        self.warnings[code] = None


def _split_at_missing_return(part: bytes, delimiters: frozenset[int]) -> tuple[bytes, bytes]:
    """Split a run of two-byte characters where ASCII begins, because the return to ASCII was left out.

    A blank or a control character is never the first byte of one. A delimiter may be; it stands for itself where only
    so the rest comes in pairs.
    """
    end = next((at for at in range(0, len(part), 2) if part[at] <= 0x20), None)
    if end is None and len(part) % 2:
        end = next((at for at in range(0, len(part), 2) if part[at] in delimiters), None)
    return (part, b"") if end is None else (part[:end], part[end:])


def _decode_jis_x_0208(part: bytes) -> str:
    try:
        return (b"\x1b$B" + part + b"\x1b(B").decode("iso2022_jp")
    except (
        UnicodeDecodeError
    ):  # characters that Windows has beyond the standard: circled digits, variants of kanji
        return _shift_jis(part).decode("cp932", "replace")


def _decode_jis_x_0212(part: bytes) -> str:
    return (b"\x1b$(D" + part + b"\x1b(B").decode("iso2022_jp_2", "replace")


def _shift_jis(part: bytes) -> bytes:
    """Write characters of JIS X 0208 as Shift-JIS does, rows 13 and 89 to 92 included."""
    shifted = bytearray()
    for at in range(0, len(part) - 1, 2):
        row, cell = part[at] - 0x21, part[at + 1]
        lead = row // 2 + (0x81 if row < 62 else 0xC1)
        trail = cell + (0x7E if row % 2 else 0x1F if cell < 0x60 else 0x20)
        shifted += bytes((lead & 0xFF, trail & 0xFF))
    return bytes(shifted) + (b"\x81" if len(part) % 2 else b"")  # half a character stays one
