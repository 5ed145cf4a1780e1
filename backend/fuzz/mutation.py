"""Ways to break a good file: single bits, and whole elements with their VRs, lengths, tags and values."""

import random
import struct
from collections.abc import Callable, Sequence

_SHARE_OF_HEADER = 0.7
_PREAMBLE = 128 + 4
_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_VRS = (
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"OB", b"OD", b"OF", b"OL",
    b"OV", b"OW", b"PN", b"SH", b"SL", b"SQ", b"SS", b"ST", b"SV", b"TM", b"UC", b"UI", b"UL", b"UN", b"UR", b"US",
    b"UT", b"UV", b"ZZ", b"\0\0",
)  # fmt: skip
_LENGTHS = (0, 1, 2, 3, 7, 8, 0x7FFF, 0xFFFE, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
# What parsers of numbers, names, dates, UIDs and character sets stumble over.
_VALUES: tuple[bytes, ...] = (
    b"", b" ", b"\0\0", b"\\", b"\\\\\\\\", b"-1", b"0", b"1e999", b"-1e999", b"1e308", b"1e-308", b"nan", b"inf",
    b"NaN\\1", b"9" * 400, b"9" * 5000, b"0." + b"0" * 300 + b"1", b"1,5", b"0x10", b"1_000", b"+-1", b"--", b"1e",
    b"1\\2\\3\\4\\5\\6", b"0\\0\\0\\0\\0\\0", b"1e200\\0\\0\\0\\1e200\\0", b"1\\0\\0\\1\\0\\0", b"1e300\\1e-300",
    b"99999999", b"20260230", b"00000000", b"1.2.3", b"1..2", b".1", b"1" * 65, b"01.02.003", b"1.2\r\nX-Evil: 1",
    b"A^B^C^D^E^F=G=H=I", b"^^^^", b"===", b"=" * 300, b"^" * 300, b"\x1b$B", b"\x1b$B;3ED\x1b(B^\x1b", b"\x1b" * 200,
    b"\x1b$)C" * 50, b"\xff\xfe\xfd", b"\xed\xa0\x80", b"\xf0\x9f\x92\xa9", b"\xe2\x80\xae", b"%s%n{0}${x}",
    b"ISO_IR 192", b"ISO 2022 IR 87\\ISO 2022 IR 149", b"GB18030", b"ISO_IR 999999999999999999", b"\\ISO 2022 IR 13",
    b"ISO_IR " + b"1" * 5000, b"SHIFT_JIS", b"MONOCHROME1", b"PALETTE COLOR", b"YBR_PARTIAL_420", b"RGB", b"ARGB",
    b"SIGMOID", b"LINEAR_EXACT", b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.4.50",
    b"x" * 2000, b"<script>",
)  # fmt: skip
_WORDS = (0, 1, 2, 7, 8, 9, 12, 16, 31, 32, 63, 64, 255, 256, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)
# Attributes that decide about reading, place and picture; new elements are made of these.
_TAGS = (
    0x00020010, 0x00080005, 0x00080008, 0x00080016, 0x00080018, 0x00080020, 0x00080060, 0x00081140, 0x00100010,
    0x00100020, 0x00100030, 0x00189073, 0x00201041, 0x0020000D, 0x0020000E, 0x00200013, 0x00200032, 0x00200037,
    0x00209228, 0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011, 0x00280030, 0x00280034,
    0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x00280106, 0x00280107, 0x00280120, 0x00280121, 0x00281050,
    0x00281051, 0x00281052, 0x00281053, 0x00281056, 0x00281101, 0x00281201, 0x00281221, 0x00283000, 0x00283002,
    0x00283006, 0x00283010, 0x3004000C, 0x52009229, 0x52009230, 0x60000010, 0x60003000, 0x7FE00001, 0x7FE00008,
    0x7FE00010, 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD, 0x00090010, 0x00091001, 0x00000000, 0xFFFCFFFC,
)  # fmt: skip

Mutation = Callable[[bytearray, random.Random], None]


def flip_bits(data: bytes, chance: random.Random, header_length: int) -> bytes:
    """Flip 1 to 16 bits; each in the first `header_length` bytes with a chance of 70 %."""
    mutated = bytearray(data)
    for _ in range(chance.randint(1, 16)):
        is_in_header = chance.random() < _SHARE_OF_HEADER
        low, high = (_PREAMBLE, header_length) if is_in_header else (0, len(data))
        mutated[chance.randrange(min(low, high - 1), high)] ^= 1 << chance.randrange(8)
    return bytes(mutated)


def break_elements(data: bytes, chance: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """Break 1 to 4 elements of a file in little endian: their VR, length, tag, value, place or nesting.

    Elements are found by their looks, so that those inside sequences and behind earlier damage are broken, too.
    """
    mutated = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        chance.choice(_MUTATIONS)(mutated, chance)
    if others and chance.random() < 0.05:
        other = chance.choice(others)
        mutated[_element(mutated, chance) :] = other[_element(bytearray(other), chance) :]
    return bytes(mutated)


def _element(data: bytearray, chance: random.Random) -> int:
    """Return where an element begins: a group of a data set, then in most cases a VR."""
    for _ in range(40):
        at = chance.randrange(_PREAMBLE, max(_PREAMBLE + 1, len(data) - 8))
        for start in range(at, min(at + 64, len(data) - 8)):
            if bytes(data[start + 4 : start + 6]) in _VRS[:-2] and data[start + 1] in (
                0,
                0x20,
                0x30,
                0x52,
                0x60,
                0x7F,
            ):
                return start
    return min(len(data), _PREAMBLE)


def _head_length(data: bytearray, at: int) -> int:
    return 12 if bytes(data[at + 4 : at + 6]) in _LONG else 8


def _length(data: bytearray, at: int) -> int:
    if _head_length(data, at) == 12:
        return int.from_bytes(data[at + 8 : at + 12], "little")
    return int.from_bytes(data[at + 6 : at + 8], "little")


def _encoded(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    if vr in _LONG:
        return head + struct.pack("<HL", 0, size & 0xFFFFFFFF) + value
    return head + struct.pack("<H", size & 0xFFFF) + value


def _swap_vr(data: bytearray, chance: random.Random) -> None:
    at = _element(data, chance)
    data[at + 4 : at + 6] = chance.choice(_VRS)


def _lie_about_length(data: bytearray, chance: random.Random) -> None:
    at = _element(data, chance)
    length = chance.choice((*_LENGTHS, _length(data, at) + 1, _length(data, at) - 1, _length(data, at) * 2))
    if _head_length(data, at) == 12:
        data[at + 8 : at + 12] = struct.pack("<L", length & 0xFFFFFFFF)
    else:
        data[at + 6 : at + 8] = struct.pack("<H", length & 0xFFFF)


def _swap_tag(data: bytearray, chance: random.Random) -> None:
    at = _element(data, chance)
    tag = chance.choice(_TAGS)
    data[at : at + 4] = struct.pack("<HH", tag >> 16, tag & 0xFFFF)


def _replace_value(data: bytearray, chance: random.Random) -> None:
    at = _element(data, chance)
    tag = int.from_bytes(data[at : at + 2], "little") << 16 | int.from_bytes(data[at + 2 : at + 4], "little")
    vr = bytes(data[at + 4 : at + 6])
    end = at + _head_length(data, at) + _length(data, at)
    if end <= len(data):
        data[at:end] = _encoded(tag, vr, _value(vr, chance))


def _value(vr: bytes, chance: random.Random) -> bytes:
    if vr in (b"US", b"SS", b"OW", b"AT"):
        return b"".join(
            struct.pack("<H", chance.choice(_WORDS)) for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 300)))
        )
    if vr in (b"UL", b"SL", b"OL", b"FL", b"OF"):
        return struct.pack("<L", chance.choice(_LENGTHS)) * chance.choice((0, 1, 1, 2))
    if vr in (b"FD", b"OD", b"UV", b"SV", b"OV"):
        number = chance.choice((0.0, -0.0, 1e308, -1e308, 5e-324, float("nan"), float("inf"), 1.5))
        return struct.pack("<d", number) * chance.choice((0, 1, 1, 3, 6))
    return chance.choice(_VALUES)


def _remove(data: bytearray, chance: random.Random) -> None:
    at = _element(data, chance)
    end = at + _head_length(data, at) + _length(data, at)
    if end <= len(data):
        del data[at:end]


def _repeat(data: bytearray, chance: random.Random) -> None:
    at = _element(data, chance)
    end = at + _head_length(data, at) + _length(data, at)
    if end <= len(data):
        element = bytes(data[at:end])[:4096]
        place = _element(data, chance)
        data[place:place] = element * chance.choice((1, 1, 2, 50))


def _insert(data: bytearray, chance: random.Random) -> None:
    at = _element(data, chance)
    vr = chance.choice(_VRS)
    length = chance.choice((None, None, None, *_LENGTHS))
    data[at:at] = _encoded(chance.choice(_TAGS), vr, _value(vr, chance), length)


def _nest(data: bytearray, chance: random.Random) -> None:
    """Wrap what follows, or nothing, into sequences of known or unknown length."""
    at = _element(data, chance)
    inner = b""
    for _ in range(chance.choice((1, 2, 31, 32, 33, 100))):
        tag = chance.choice((0x00081140, 0x52009230, 0x00283010, 0x00091002))
        vr = chance.choice((b"SQ", b"SQ", b"UN"))
        if chance.random() < 0.5:
            item = struct.pack("<HHL", 0xFFFE, 0xE000, len(inner)) + inner
            inner = _encoded(tag, vr, item)
        else:
            item = struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF) + inner + b"\xfe\xff\x0d\xe0\0\0\0\0"
            inner = _encoded(tag, vr, item + b"\xfe\xff\xdd\xe0\0\0\0\0", 0xFFFFFFFF)
    data[at:at] = inner


def _cut(data: bytearray, chance: random.Random) -> None:
    if chance.random() < 0.2:
        del data[_element(data, chance) :]


_MUTATIONS: tuple[Mutation, ...] = (
    _swap_vr, _lie_about_length, _swap_tag, _replace_value, _replace_value, _replace_value, _replace_value, _remove,
    _repeat, _insert, _insert, _nest, _cut,
)  # fmt: skip
