"""Values of elements in the forms of the DICOM JSON model (PS3.18 F.2)."""

import base64
import math
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from imageserver.dicom.character_sets import PERSON_NAME_DELIMITERS, TEXT_DELIMITERS, decode_text
from imageserver.dicom.element_vrs import BINARY, CODES, NUMBERS, WHOLE_TEXTS
from imageserver.dicom.number_values import parse_decimal

_EXACT_INTEGER = 2**53 - 1  # what every reader of JSON keeps exactly (RFC 8259, 6)
_EXACT_DIGITS = 15  # decimal digits that a double always keeps
PN_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")

Json = dict[str, Any]


class Unreadable(ValueError):
    """The value contradicts its VR."""


def inline_binary(value: bytes, vr: str, is_little_endian: bool) -> str:
    """Return binary words little endian in base64 (PS3.18 F.2.7)."""
    size = BINARY[vr]
    if not is_little_endian and size > 1:
        value = b"".join(value[at : at + size][::-1] for at in range(0, len(value), size))
    return base64.b64encode(value).decode("ascii")


def json_values(value: bytes, vr: str, is_little_endian: bool, character_sets: list[str]) -> list[Any]:
    """Return the values of an element of a VR that is neither binary nor a sequence; empty without any.

    Raises
    ------
    Unreadable

    References
    ----------
    DICOM PS3.18 F.2.3, F.2.5
    """
    if (code := NUMBERS.get(vr)) is not None:
        return _unpack(value, code, is_little_endian)
    if vr == "AT":
        pairs = _unpack(value, "H", is_little_endian)
        if len(pairs) % 2:
            raise Unreadable
        return [f"{pairs[at]:04X}{pairs[at + 1]:04X}" for at in range(0, len(pairs), 2)]
    if vr in CODES:
        text = (
            value.decode("ascii", "replace") if value.isascii() else decode_text(value, character_sets).text
        )
        convert = _CONVERSIONS.get(vr, _as_written)
        return _parts(text, convert)
    delimiters = PERSON_NAME_DELIMITERS if vr == "PN" else TEXT_DELIMITERS
    text = decode_text(value, character_sets, delimiters).text
    if vr in WHOLE_TEXTS:
        whole = text.replace("\0", "").rstrip(" ")
        return [whole] if whole else []
    return _parts(text, _person_name if vr == "PN" else _as_written)


def _unpack(value: bytes, code: str, is_little_endian: bool) -> list[Any]:
    endian = "<" if is_little_endian else ">"
    count, rest = divmod(len(value), struct.calcsize(endian + code))
    if rest:
        raise Unreadable
    values = list(struct.unpack(f"{endian}{count}{code}", value))
    return [exact_integer(number) for number in values] if code in "Qq" else values


def exact_integer(number: int) -> int | str:
    """Return an integer as a number, or as text where a double would lose digits."""
    return number if -_EXACT_INTEGER <= number <= _EXACT_INTEGER else str(number)


def _parts(text: str, convert: Callable[[str], Any]) -> list[Any]:
    """Convert the values of a multi-valued text; an empty one among others is null (PS3.18 F.2.5)."""
    parts = [part.strip() for part in text.replace("\0", "").split("\\")]
    return [convert(part) if part else None for part in parts] if any(parts) else []


def _as_written(part: str) -> str:
    return part


def decimal_value(part: str) -> float | str:
    """Return a value of DS; text where a double would lose digits.

    Raises
    ------
    Unreadable
    """
    try:
        number = parse_decimal(part)
    except ValueError:
        raise Unreadable from None
    if isinstance(number, int):
        return exact_integer(number)
    if not math.isfinite(number):
        return part
    if len(part) > _EXACT_DIGITS and Decimal(repr(number)) != Decimal(part.replace(",", ".")):
        return part
    return number


def integer_value(part: str) -> int | str:
    """Return a value of IS; raises as `decimal_value`."""
    number = decimal_value(part)
    if isinstance(number, float):
        if number != int(number):
            raise Unreadable
        return exact_integer(int(number))
    return number


def _person_name(part: str) -> Json | None:
    groups = [group.strip() for group in part.split("=")]
    return {name: group for name, group in zip(PN_GROUPS, groups, strict=False) if group} or None


_CONVERSIONS: dict[str, Callable[[str], Any]] = {"DS": decimal_value, "IS": integer_value}
