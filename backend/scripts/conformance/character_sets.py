"""Specific Character Sets: every defined term of PS3.3 C.12.1.1.2, tried on a letter of its own."""

from imageserver.dicom.character_set_terms import MULTI_BYTE, SINGLE_BYTE, STAND_ALONE
from imageserver.dicom.character_sets import decode_text
from scripts.conformance.document import table

# Registration number: what PS3.3 calls it, and a character in that set (code charts of ISO/IEC 8859, JIS, KS, GB).
_REGISTERED = {
    6: ("default repertoire", b"A", "A"),
    100: ("Latin alphabet No. 1", b"\xde", "Þ"),
    101: ("Latin alphabet No. 2", b"\xa3", "Ł"),
    109: ("Latin alphabet No. 3", b"\xa1", "Ħ"),
    110: ("Latin alphabet No. 4", b"\xa2", "ĸ"),
    148: ("Latin alphabet No. 5", b"\xfd", "ı"),
    203: ("Latin alphabet No. 9", b"\xa4", "€"),
    144: ("Cyrillic", b"\xb6", "Ж"),
    127: ("Arabic", b"\xd9", "ع"),
    126: ("Greek", b"\xd8", "Ψ"),
    138: ("Hebrew", b"\xf9", "ש"),
    13: ("Japanese, JIS X 0201", b"\xd4", "ﾔ"),
    166: ("Thai", b"\xa1", "ก"),
    87: ("Japanese, JIS X 0208: kanji", b"\x1b$B\x3b\x33\x1b(B", "山"),
    159: ("Japanese, JIS X 0212: supplementary kanji", b"\x1b$(D\x30\x21\x1b(B", "丂"),
    149: ("Korean, KS X 1001: hangul and hanja", b"\x1b$)C\xc8\xab", "홍"),
    58: ("Simplified Chinese, GB 2312", b"\x1b$)A\xd5\xc5", "张"),
}
_ALONE = {
    "ISO_IR 192": ("Unicode in UTF-8", "王".encode(), "王"),
    "GB18030": ("Chinese, GB 18030", b"\xcd\xf5", "王"),
    "GBK": ("Chinese, GBK", b"\xcd\xf5", "王"),
}


def _state(terms: list[str], value: bytes, expected: str) -> str:
    return "read" if decode_text(value, terms) == (expected, ()) else "not read"


def character_set_table() -> str:
    """All defined terms, without and with code extensions."""
    rows = []
    for number, (meaning, value, expected) in _REGISTERED.items():
        if number in SINGLE_BYTE:
            term = f"ISO_IR {number}"
            rows.append((f"`{term}`", meaning, _state([term], value, expected)))
    for number, (meaning, value, expected) in _REGISTERED.items():
        term = f"ISO 2022 IR {number}"
        terms = ["", term] if number in MULTI_BYTE else [term]
        rows.append((f"`{term}`", f"{meaning}, with code extensions", _state(terms, value, expected)))
    for term, (meaning, value, expected) in _ALONE.items():
        rows.append((f"`{term}`", meaning, _state([term], value, expected)))
    return table(("defined term", "characters", "state"), rows)


def is_complete() -> bool:
    """Tell whether the table names all sets that the code knows."""
    return set(_REGISTERED) == {*SINGLE_BYTE, *MULTI_BYTE} and set(_ALONE) == set(STAND_ALONE)
