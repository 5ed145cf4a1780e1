"""Values of single attributes, read so that a malformed one is "not there" instead of an exception.

pydicom converts an element when it is first touched, warns about values (quoting them) and raises whatever
their bytes provoke. So the few kinds of value that pictures and index need are converted here, from the bytes
in the file.
"""

import logging
import math
import re
import struct
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.valuerep import PersonName as PydicomPersonName

from imageserver.dicom.character_sets import ESCAPE, DecodedText, decode_text
from imageserver.dicom.encodings import is_explicit_inside, is_sequence_tag
from imageserver.dicom.tags import base_tag

config.settings.reading_validation_mode = config.IGNORE

_logger = logging.getLogger(__name__)
_BINARY_FORMATS = {
    "US": "H", "SS": "h", "UL": "L", "SL": "l", "UV": "Q", "SV": "q", "FL": "f", "FD": "d",
    "OW": "H", "OL": "L", "OV": "Q", "OF": "f", "OD": "d", "OB": "B",
}  # fmt: skip
# DS and IS of PS3.5 6.2; some writers have a decimal comma instead of the point.
_DECIMAL = re.compile(r"[+-]?(?=[.,]?\d)\d*(?P<fraction>[.,]\d*)?(?P<exponent>[eE][+-]?\d+)?", re.ASCII)
UTF_8 = ["ISO_IR 192"]
_INHERITED = "_inherited_character_sets"  # where an item remembers those of the data set around it
_SHORT = 128  # bytes of numbers that are worth remembering
# The longest text that the index reads (LT) has 10,240 characters, a list of decimal numbers 64 KiB with an explicit
# VR, one of binary numbers a few bytes for each frame. With an implicit VR any could be of 64 MiB, and take minutes.
LONGEST_TEXT = 16_384
_LONGEST_DECIMALS = 1 << 16
_LONGEST_BINARY = 1 << 22


# A keyword of PS3.6, or a tag where groups repeat and a keyword does not tell which is meant.
Attribute = str | int


def element_of(dataset: Dataset, keyword: Attribute) -> RawDataElement | DataElement | None:
    """Return the element as it is, unconverted where it came from a file; None when absent or malformed."""
    element = dataset._dict.get(_tag(keyword))
    if element is None or element.value is not None or not isinstance(element, RawDataElement):
        return element
    try:  # a value that pydicom left out, as it does with empty ones inside sequences
        return dataset.get_item(_tag(keyword))
    except Exception:  # it converts the element, and raises what the bytes provoke
        return None


@lru_cache(maxsize=1024)
def _tag(keyword: Attribute) -> BaseTag:
    """Return the tag of a keyword; pydicom looks it up anew, and checks it, each time it is asked by keyword."""
    tag = keyword if isinstance(keyword, int) else tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(f"{keyword} is not a keyword of PS3.6")
    return base_tag(tag)


def raw_bytes(dataset: Dataset, keyword: Attribute) -> bytes | None:
    """Return the bytes of a text element as they stand in the file; None when it is absent.

    Text that was set in memory comes as UTF-8.
    """
    element = element_of(dataset, keyword)
    if element is None:
        return None
    return _bytes_of(element.value)


def _bytes_of(value: Any) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, PydicomPersonName) and value.original_string:
        return value.original_string
    if isinstance(value, str | PydicomPersonName) or not isinstance(value, Iterable):
        return str(value).encode("utf-8", "surrogateescape")
    return b"\\".join(_bytes_of(part) for part in value)


def holds_file_bytes(dataset: Dataset, keyword: str) -> bool:
    """Tell whether `raw_bytes` gives bytes of the file, for which the data set's character sets hold."""
    element = element_of(dataset, keyword)
    if isinstance(element, DataElement) and isinstance(element.value, PydicomPersonName):
        return bool(element.value.original_string)
    return isinstance(element, RawDataElement)


def character_sets_of(dataset: Dataset) -> list[str]:
    """Return the values of Specific Character Set (0008,0005) that hold for this data set; empty when there are none.

    An item without its own inherits them from the data set around it (PS3.5 7.5.3).
    """
    value = raw_bytes(dataset, "SpecificCharacterSet")
    if value is None:
        inherited: list[str] = dataset.__dict__.get(_INHERITED, [])
        return inherited
    return value[:LONGEST_TEXT].decode("ascii", "replace").strip(" \0").split("\\")


def decoded_text(dataset: Dataset, keyword: Attribute) -> DecodedText | None:
    """Return a text element in Unicode with the codes of what was guessed; None when it is absent.

    What is longer than any text of DICOM is cut (`LONGEST_TEXT` bytes).
    """
    element = element_of(dataset, keyword)
    if element is None:
        return None
    if (plain := _plain_text(element)) is not None:
        return DecodedText(plain, ())
    declared = UTF_8
    if isinstance(element, RawDataElement):
        declared = character_sets_of(dataset)
    decoded = decode_text(_bytes_of(element.value)[:LONGEST_TEXT], declared)
    return decoded._replace(text=decoded.text.replace("\0", "").strip())


def _plain_text(element: RawDataElement | DataElement) -> str | None:
    """Return what is ASCII, which nearly all text is and all character sets agree on; None for the rest."""
    if not isinstance(element.value, bytes):
        return None
    value = element.value[:LONGEST_TEXT]
    if not value.isascii() or ESCAPE in value:
        return None
    return value.decode("ascii").replace("\0", "").strip()


def text(dataset: Dataset, keyword: Attribute) -> str | None:
    """Return a text, code or date element without padding; None when it is absent or empty."""
    element = element_of(dataset, keyword)
    if element is None:
        return None
    if (plain := _plain_text(element)) is not None:
        return plain or None
    decoded = decoded_text(dataset, keyword)
    return decoded.text if decoded and decoded.text else None


def texts(dataset: Dataset, keyword: str) -> list[str]:
    """Return the values of a multi-valued text element, padding removed; empty when it is absent."""
    whole = text(dataset, keyword)
    return [part.strip() for part in whole.split("\\")] if whole else []


def written_value(dataset: Dataset, keyword: str) -> str | None:
    """Return any simple value as text, as for telling two of them apart; None when it is absent or empty."""
    element = element_of(dataset, keyword)
    if element is None:
        return None
    vr = _vr_of(element) if isinstance(element, RawDataElement) else element.VR
    if vr not in _BINARY_FORMATS and vr not in ("DS", "IS"):
        return text(dataset, keyword)
    return "\\".join(f"{value:.12g}" for value in numbers(dataset, keyword)) or None


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


def each_number(dataset: Dataset, keyword: str) -> list[float | None]:
    """Return the values of an element place by place: None for each that is empty or malformed."""
    element = element_of(dataset, keyword)
    vr = _vr_of(element) if isinstance(element, RawDataElement) else getattr(element, "VR", None)
    if element is None or vr in _BINARY_FORMATS:
        return list(numbers(dataset, keyword))
    written = _bytes_of(element.value).decode("ascii", "replace")
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


def _vr_of(element: RawDataElement) -> str:
    if element.VR and element.VR != "UN":
        return element.VR
    try:
        return dictionary_VR(element.tag)
    except KeyError:
        return "UN"


def number(dataset: Dataset, keyword: Attribute, *, signed: bool = False) -> float | None:
    """Return the first number of an element, or None."""
    values = numbers(dataset, keyword, signed=signed)
    return values[0] if values else None


def integer(dataset: Dataset, keyword: Attribute, *, signed: bool = False) -> int | None:
    """Return the first number of an element where it is whole and has at most 64 bits, as all of DICOM's, else None."""
    value = number(dataset, keyword, signed=signed)
    return int(value) if value is not None and value == int(value) and abs(value) < 1 << 63 else None


def items(dataset: Dataset | None, keyword: str) -> list[Dataset]:
    """Return the items of a sequence; empty when it is absent or malformed."""
    element = element_of(dataset, keyword) if dataset is not None else None
    if dataset is None or element is None:
        return []
    try:
        if isinstance(element, RawDataElement) and element.VR == "UN" and is_sequence_tag(element.tag):
            if not element.is_little_endian:  # nobody has checked what is in it, see `nesting`
                return []
            _set_sequence(dataset, element)
        value = dataset[_tag(keyword)].value
    except Exception as error:  # pydicom raises whatever the bytes provoke, RecursionError included
        _logger.debug("Ignored malformed %s: %s", keyword, type(error).__name__)
        return []
    if not isinstance(value, Sequence):
        return []
    found = list(value)
    if found and _INHERITED not in found[0].__dict__:
        character_sets = character_sets_of(dataset)
        for item in found:
            item.__dict__[_INHERITED] = character_sets
    return found


def _set_sequence(dataset: Dataset, element: RawDataElement) -> None:
    """Name a sequence that was written as UN what it is; pydicom takes a long UN for bytes.

    What is inside is implicit VR little endian (PS3.5 6.2.2, note 2), or what it shows.
    """
    is_implicit_vr = not is_explicit_inside(element.value or b"")
    dataset._dict[element.tag] = element._replace(
        VR="SQ", is_implicit_VR=is_implicit_vr, is_little_endian=True
    )


def first_item(dataset: Dataset | None, keyword: str) -> Dataset | None:
    """Return the first item of a sequence, or None."""
    found = items(dataset, keyword)
    return found[0] if found else None
