"""The values of attributes as searches compare them: one text for each value, by VR.

Two values are equal for a search exactly when their texts are, and a range of dates or times is a range of texts. So an
index of texts answers what the standard asks (PS3.4 C.2.2.2), and so does `matching.matches` without any index.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from imageserver.dicom.element_vrs import BINARY, NUMBERS
from imageserver.dicom.search_key import search_words

Json = dict[str, Any]

LONGEST_TEXT = 500  # characters of a value that are compared
MOST_VALUES = 100  # of one attribute that are compared
NUMBER_VRS = frozenset({*NUMBERS, "DS", "IS"})
NO_WILDCARDS = frozenset({*NUMBER_VRS, "DA", "TM", "DT", "UI", "AS", "AT"})  # PS3.4 C.2.2.2.4
UNMATCHABLE = frozenset(BINARY)
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_DATE = re.compile(r"(\d{4})\.(\d{2})\.(\d{2})")
_MOMENT = re.compile(r"(\d{4}(?:\d{2}){0,5})(?:\.(\d{1,6}))?([+-]\d{4})?")


def texts_of(element: Json | None, vr: str) -> list[str]:
    """Return the comparable texts of an element of the DICOM JSON model; empty where it has no value.

    Of a person name each of its groups is one (PS3.5 6.2.1).
    """
    if vr == "PN":
        return [group for groups in name_groups(element) for group in groups if group]
    found = (comparable(_as_text(value), vr) for value in _values(element) if value is not None)
    return [text for text in found if text]


def name_groups(element: Json | None) -> Iterator[tuple[str, str, str]]:
    """Yield the three groups of each person name, folded."""
    for name in _values(element):
        if isinstance(name, dict):
            alphabetic, ideographic, phonetic = (fold_name(str(name.get(group) or "")) for group in _GROUPS)
            yield alphabetic, ideographic, phonetic


def words_of(element: Json | None) -> set[str]:
    """Return the words of all groups of person names, for matching without regard to order, accents and case."""
    names = [name for name in _values(element) if isinstance(name, dict)]
    return {word for name in names for group in _GROUPS for word in search_words(str(name.get(group) or ""))}


def comparable(text: str, vr: str) -> str:
    """Return one value as it is compared."""
    text = text.replace("\0", "").strip()[:LONGEST_TEXT]
    if vr in NUMBER_VRS:
        return number_text(text)
    if vr == "PN":
        return fold_name(text)
    if vr == "DA":
        return _DATE.sub(r"\1\2\3", text)
    if vr == "TM":
        return time_text(text)
    if vr == "DT":
        return moment_text(text)
    return text.upper() if vr == "AT" else text


def fold_name(group: str) -> str:
    """Return a group of a person name without regard to case; empty components at its end do not count."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", group).casefold())
    return "^".join(part.strip() for part in folded.split("^")).rstrip("^ ")[:LONGEST_TEXT]


def number_text(text: str) -> str:
    """Return a number as it is shortest, so that 1, 01 and 1.0 are equal; what is none as it is."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite() or abs(number.adjusted()) > 40:
        return text
    written = f"{number:f}"
    written = written.rstrip("0").rstrip(".") if "." in written else written
    sign, digits = ("-", written[1:]) if written.startswith("-") else ("", written.lstrip("+"))
    digits = digits.lstrip("0") or "0"
    digits = "0" + digits if digits.startswith(".") else digits
    return digits if digits == "0" else sign + digits


def time_text(text: str, fill: str = "000000.000000") -> str:
    """Return a time as HHMMSS.FFFFFF; what is missing is taken from `fill`."""
    digits, _, fraction = text.replace(":", "").partition(".")
    if not (digits + fraction).isascii() or not (digits + fraction).isdigit():
        return text
    if len(digits) not in (2, 4, 6) or (fraction and len(digits) != 6):
        return text
    whole = digits + fill[len(digits) : 6]
    return f"{whole}.{(fraction + (fill[7:])[len(fraction) :])[:6]}"


def moment_text(text: str, fill: str = "00000101000000.000000") -> str:
    """Return a date and time as YYYYMMDDHHMMSS.FFFFFF, in UTC where it has an offset; what is missing is `fill`'s."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return text
    digits, fraction, offset = match.group(1), match.group(2) or "", match.group(3)
    if fraction and len(digits) != 14:
        return text
    whole = digits + fill[len(digits) : 14]
    written = f"{whole}.{fraction + fill[15 + len(fraction) :]}"
    return _in_utc(written, offset) if offset else written


def _in_utc(written: str, offset: str) -> str:
    minutes = int(offset[1:3]) * 60 + int(offset[3:])
    zone = timezone(timedelta(minutes=minutes if offset[0] == "+" else -minutes)) if minutes < 1440 else UTC
    try:
        moment = datetime.strptime(written, "%Y%m%d%H%M%S.%f").replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return written
    return f"{moment.year:04}{moment.strftime('%m%d%H%M%S.%f')}"


def _as_text(value: Any) -> str:
    # What the data dictionary does not know may be a name, or a sequence.
    return "=".join(map(str, value.values())) if isinstance(value, dict) else str(value)


def _values(element: Json | None) -> list[Any]:
    values = (element or {}).get("Value")
    return values[:MOST_VALUES] if isinstance(values, list) else []
