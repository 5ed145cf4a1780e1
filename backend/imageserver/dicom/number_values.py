"""Numbers, binary and written in decimal; a malformed one is "not there" instead of an exception."""

import logging
import math
import re
import struct
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from imageserver.dicom.raw_elements import Attribute, bytes_of, element_of, raw_bytes
from imageserver.dicom.text_values import text

_logger = logging.getLogger(__name__)
_BINARY_FORMATS = {
    "US": "H", "SS": "h", "UL": "L", "SL": "l", "UV": "Q", "SV": "q", "FL": "f", "FD": "d",
    "OW": "H", "OL": "L", "OV": "Q", "OF": "f", "OD": "d", "OB": "B",
}  # fmt: skip
# DS and IS of PS3.5 6.2; some writers have a decimal comma instead of the point.
_DECIMAL = re.compile(r"[+-]?(?=[.,]?\d)\d*(?P<fraction>[.,]\d*)?(?P<exponent>[eE][+-]?\d+)?", re.ASCII)
_SHORT = 128  # bytes of numbers that are worth remembering
# A list of decimal numbers has 64 KiB with an explicit VR, one of binary numbers a few bytes for each frame. With an
# implicit VR any could be of 64 MiB, and take minutes.
_LONGEST_DECIMALS = 1 << 16
_LONGEST_BINARY = 1 << 22


def numbers(dataset: Dataset, keyword: Attribute, *, signed: bool = False) -> list[float]:
    """Return the finite numbers of an element; empty when it is absent or any of them is malformed.

    `signed` decides for attributes that are "US or SS" where the file does not say which.
    """
    element = element_of(dataset, keyword)
    if element is None or element.value is None:
        return []
    try:
        values = (
            _raw_numbers(element, signed) if isinstance(element, RawDataElement) else _numbers(element.value)
        )
        is_finite = all(map(math.isfinite, values))  # raises for integers of more digits than a float holds
    except (ValueError, TypeError, struct.error, OverflowError) as error:
        _logger.debug("Ignored malformed %s: %s", keyword, type(error).__name__)
        return []
    return values if is_finite else []


def number(dataset: Dataset, keyword: Attribute, *, signed: bool = False) -> float | None:
    """Return the first number of an element, or None."""
    values = numbers(dataset, keyword, signed=signed)
    return values[0] if values else None


def integer(dataset: Dataset, keyword: Attribute, *, signed: bool = False) -> int | None:
    """Return the first number of an element where it is whole and has at most 64 bits, as all of DICOM's, else None."""
    value = number(dataset, keyword, signed=signed)
    return int(value) if value is not None and value == int(value) and abs(value) < 1 << 63 else None


def each_number(dataset: Dataset, keyword: str) -> list[float | None]:
    """Return the values of an element place by place: None for each that is empty or malformed."""
    element = element_of(dataset, keyword)
    vr = _vr_of(element) if isinstance(element, RawDataElement) else getattr(element, "VR", None)
    if element is None or vr in _BINARY_FORMATS:
        return list(numbers(dataset, keyword))
    written = bytes_of(element.value).decode("ascii", "replace")
    return [_parse_or_none(part) for part in written.split("\\")] if written.strip(" \0") else []


def _parse_or_none(part: str) -> float | None:
    try:
        value = parse_decimal(part)
        return value if math.isfinite(value) else None
    except (ValueError, OverflowError):
        return None


def _numbers(value: Any) -> list[float]:
    parts = value if isinstance(value, Iterable) and not isinstance(value, str | bytes) else [value]
    return [_exact(part) for part in parts]


def _exact(value: Any) -> float:
    return int(value) if isinstance(value, int) else float(value)


def _raw_numbers(element: RawDataElement, signed: bool) -> list[float]:
    vr = _vr_of(element)
    if len(element.value or b"") > (_LONGEST_BINARY if vr in _BINARY_FORMATS else _LONGEST_DECIMALS):
        raise ValueError("longer than any list of numbers")
    if vr in ("US or SS", "US or SS or OW"):
        vr = "SS" if signed else "US"
    if (code := _BINARY_FORMATS.get(vr)) is None:
        value = element.value or b""
        return list(_short_decimals(value) if len(value) <= _SHORT else _decimals(value))
    endian = "<" if element.is_little_endian else ">"
    data = element.value or b""
    count = len(data) // struct.calcsize(endian + code)
    return list(struct.unpack_from(f"{endian}{count}{code}", data))


def _decimals(value: bytes) -> tuple[float, ...]:
    parts = value.decode("ascii").split("\\")
    return tuple(parse_decimal(part) for part in parts if part.strip(" \0"))


# The same spacing, window and orientation stand in all slices of a series, and are asked for several times in each.
_short_decimals = lru_cache(maxsize=4096)(_decimals)


def parse_decimal(part: str) -> float:
    """Return one value of DS or IS, an int where it is written as one.

    Raises
    ------
    ValueError
        If it is neither. A decimal comma is understood; a number beyond the doubles becomes infinite.

    References
    ----------
    DICOM PS3.5 6.2
    """
    match = _DECIMAL.fullmatch(part.strip(" \0"))
    if match is None:
        raise ValueError("not a DS or IS")
    written = match[0].replace(",", ".")
    return float(written) if match["fraction"] or match["exponent"] else int(written)


def has_decimal_comma(dataset: Dataset, keyword: str) -> bool:
    """Tell whether a number is written with a decimal comma, which `numbers` understands (PS3.5 6.2, DS: a point)."""
    value = raw_bytes(dataset, keyword) or b""
    if b"," not in value:
        return False
    parts = value.decode("ascii", "replace").split("\\")
    is_comma_in_number = any("," in part and _DECIMAL.fullmatch(part.strip(" \0")) for part in parts)
    return is_comma_in_number and bool(numbers(dataset, keyword))


def is_unreadable(dataset: Dataset, keyword: str) -> bool:
    """Tell whether an element has a value, and `numbers` cannot read it: present, and as good as absent."""
    return bool((raw_bytes(dataset, keyword) or b"").strip(b" \0\\")) and not numbers(dataset, keyword)


def written_value(dataset: Dataset, keyword: str) -> str | None:
    """Return any simple value as text, as for telling two of them apart; None when it is absent or empty."""
    element = element_of(dataset, keyword)
    if element is None:
        return None
    vr = _vr_of(element) if isinstance(element, RawDataElement) else element.VR
    if vr not in _BINARY_FORMATS and vr not in ("DS", "IS"):
        return text(dataset, keyword)
    return "\\".join(f"{value:.12g}" for value in numbers(dataset, keyword)) or None


def _vr_of(element: RawDataElement) -> str:
    if element.VR and element.VR != "UN":
        return element.VR
    try:
        return dictionary_VR(element.tag)
    except KeyError:
        return "UN"
