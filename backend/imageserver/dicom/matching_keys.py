"""From the text of a search to conditions by VR (PS3.18 8.3.4.1, 10.6.1.2; PS3.4 C.2.2.2)."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pydicom.datadict import dictionary_VR, tag_for_keyword

from imageserver.dicom.matching import (
    Between,
    Condition,
    Empty,
    Groups,
    ItemCondition,
    Key,
    Like,
    MomentCondition,
    OneOf,
    Test,
    Words,
)
from imageserver.dicom.matching_limits import what_is_too_much
from imageserver.dicom.matching_values import (
    LONGEST_TEXT,
    NO_WILDCARDS,
    NUMBER_VRS,
    UNMATCHABLE,
    comparable,
    fold_name,
    moment_text,
    number_text,
    time_text,
)
from imageserver.dicom.search_key import query_words

MOST_WILDCARDS = 8
MOST_ALTERNATIVES = 1000
MOST_DEPTH = 4
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_UID = re.compile(r"[0-9.]{1,64}")
_DATE = re.compile(r"\d{8}", re.ASCII)
_TIME = re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?", re.ASCII)
_MOMENT = re.compile(r"\d{4}(\d{2}){0,5}(\.\d{1,6})?([+-](0\d|1[0-4])[0-5]\d)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([Ee][+-]?\d{1,3})?", re.ASCII)
_EMPTY = '""'
# A date and the time that belongs to it, for ranges over both (PS3.4 C.2.2.2.5.4).
_PAIRS = (
    ("00080020", "00080030"), ("00080021", "00080031"), ("00080022", "00080032"), ("00080023", "00080033"),
    ("00400244", "00400245"), ("00400250", "00400251"), ("00100030", "00100032"),
)  # fmt: skip


class KeyRefused(ValueError):
    """A key that cannot be understood; the message names the parameter, never its value."""


class Options(NamedTuple):
    """How keys are meant (PS3.18 8.3.4)."""

    is_fuzzy: bool = False
    is_empty_matched: bool = False
    is_multiple_matched: bool = False


LITERAL = Options()


class ParsedKeys(NamedTuple):
    """The conditions of a search, and the tags of all attributes that it names."""

    keys: tuple[Key, ...]
    named: tuple[str, ...]


def attribute_path(name: str) -> tuple[str, ...]:
    """Return the tags that a name stands for: a keyword, a tag, or several with dots between.

    Raises
    ------
    KeyRefused
        If it names no attribute.
    """
    parts = name.split(".")
    if len(parts) > MOST_DEPTH:
        raise KeyRefused(f"At most {MOST_DEPTH} attributes can be nested.")
    tags = tuple(_tag(part) for part in parts)
    if any(vr_of_tag(tag) not in ("SQ", "UN") for tag in tags[:-1]):
        raise KeyRefused("Only the items of sequences have attributes.")
    return tags


def _tag(part: str) -> str:
    if _TAG.fullmatch(part):
        if int(part, 16) >> 16 in (0x0000, 0x0002, 0xFFFE):
            raise KeyRefused("Only attributes of data sets can be named.")
        return part.upper()
    tag = tag_for_keyword(part) if part and part.isascii() else None
    if tag is None:
        raise KeyRefused("It is no keyword and no tag of an attribute.")
    return f"{int(tag):08X}"


def vr_of_tag(tag: str) -> str:
    """Return the VR by the data dictionary; UN for what it does not have, as private attributes."""
    try:
        vr = dictionary_VR(int(tag, 16))
    except KeyError:
        return "UN"
    return {"US or SS": "US", "US or SS or OW": "OW", "US or OW": "OW", "OB or OW": "OW"}.get(vr, vr)


def parse_keys(wanted: Sequence[tuple[tuple[str, ...], str]], options: Options = LITERAL) -> ParsedKeys:
    """Read the keys of a search.

    Parameters
    ----------
    wanted : sequence of (tuple of str, str)
        Paths, as `attribute_path` gives them, and the texts that they have to match.
    options : Options
        How they are meant.

    Returns
    -------
    ParsedKeys
        Keys without a value, and ``*``, match everything (C.2.2.2.3): they are only named.

    Raises
    ------
    KeyRefused
        If a text is no key for an attribute of that VR, or all together are more than is answered.
    """
    merged = _merged(wanted)
    leaves: list[tuple[tuple[str, ...], Condition]] = []
    for path, text in merged:
        condition = _condition(path[-1], text, options)
        if condition is not None:
            leaves.append((path, condition))
    keys = _with_moments(_nested(leaves))
    if (reason := what_is_too_much(keys)) is not None:
        raise KeyRefused(reason)
    return ParsedKeys(tuple(keys), tuple(dict.fromkeys(path[0] for path, _ in merged)))


def _merged(wanted: Sequence[tuple[tuple[str, ...], str]]) -> list[tuple[tuple[str, ...], str]]:
    """Put the UIDs of a key that is repeated together; other keys come once (PS3.18 8.3.4.1)."""
    counts = Counter(path for path, _ in wanted)
    found: dict[tuple[str, ...], str] = {}
    for path, text in wanted:
        if counts[path] > 1 and vr_of_tag(path[-1]) != "UI":
            raise KeyRefused("An attribute is given more than once.")
        found[path] = f"{found[path]}\\{text}" if path in found else text
    return list(found.items())


def _condition(tag: str, text: str, options: Options) -> Condition | None:
    vr = vr_of_tag(tag)
    if "\0" in text:
        raise KeyRefused("It has a character that no value has.")
    text = text.strip()
    if not text.strip("*"):
        return None
    if options.is_empty_matched and text == _EMPTY:
        return Condition(tag, vr, (Empty(),))
    if vr == "SQ":
        raise KeyRefused("A sequence is asked for by the attributes of its items.")
    if vr in UNMATCHABLE and int(tag[:4], 16) % 2 == 0:
        raise KeyRefused("Binary values cannot be searched for.")
    parts = _alternatives(vr, text, options)
    if len(parts) > MOST_ALTERNATIVES:
        raise KeyRefused(f"At most {MOST_ALTERNATIVES} values can be listed.")
    tests = tuple(dict.fromkeys(_test(part, vr, options) for part in parts))
    if any(isinstance(one, Groups) and not any(one.groups) for one in tests):
        return None  # delimiters alone
    singles = [one for one in tests if isinstance(one, OneOf)]
    others = tuple(one for one in tests if not isinstance(one, OneOf))
    if singles:
        return Condition(tag, vr, (OneOf(tuple(text for one in singles for text in one.texts)), *others))
    return Condition(tag, vr, others) if others else None


def _alternatives(vr: str, text: str, options: Options) -> list[str]:
    """Split a list of values: of UIDs and codes always, of others where it is asked for (C.2.2.2.2, C.2.2.2.8)."""
    if vr in ("UI", "CS"):
        parts = re.split(r"[\\,]", text)
    elif "\\" in text and vr not in ("ST", "LT", "UT", "UR"):
        if not options.is_multiple_matched:
            raise KeyRefused("Several values can be listed with multiplevaluematching=true.")
        parts = text.split("\\")
    else:
        parts = [text]
    found = [part.strip() for part in parts if part.strip()]
    if not found:
        raise KeyRefused("It lists no value.")
    return found


def _test(text: str, vr: str, options: Options) -> Test:
    if len(text) > LONGEST_TEXT:
        raise KeyRefused(f"It is longer than {LONGEST_TEXT} characters.")
    if options.is_empty_matched and text == _EMPTY:
        return Empty()
    if vr == "PN":
        return _name_test(text, options)
    if vr in ("DA", "TM", "DT"):
        return _moment_test(text, vr)
    if vr == "UI" and not _UID.fullmatch(text):
        raise KeyRefused("It is no UID.")
    if vr in NUMBER_VRS and not _NUMBER.fullmatch(text):
        raise KeyRefused("It is no number.")
    if vr in NUMBER_VRS:
        return OneOf((number_text(text),))
    if vr == "AT":
        return OneOf((re.sub("[(),]", "", text).upper(),))
    return _text_test(text, has_wildcards=vr not in NO_WILDCARDS)


def _text_test(text: str, *, has_wildcards: bool = True) -> OneOf | Like:
    if not has_wildcards or not re.search(r"[*?]", text):
        return OneOf((text,))
    pattern = re.sub(r"\*+", "*", text)
    if len(re.findall(r"\*", pattern)) > MOST_WILDCARDS:
        raise KeyRefused(f"At most {MOST_WILDCARDS} asterisks can be in a value.")
    return Like(pattern)


def _name_test(text: str, options: Options) -> Test:
    if options.is_fuzzy and (words := query_words(text.replace("*", " ").replace("?", " "))):
        return Words(tuple(words))
    if "=" not in text and fold_name(text):
        return _text_test(fold_name(text))
    groups = [fold_name(group) for group in text.split("=")]
    if len(groups) > 3:
        raise KeyRefused("A person name has at most three groups.")
    tests = tuple(_text_test(group) if group.strip("*") else None for group in groups)
    return Groups(tests)


def _moment_test(text: str, vr: str) -> OneOf | Between:
    low, high = _ends(text, vr)
    if low is None and high is None:
        raise KeyRefused("It is no range.")
    if low == high and low is not None and "-" not in _without_offset(text, vr):
        return OneOf((comparable(low, vr),))
    low_text = None if low is None else _from(low, vr)
    high_text = None if high is None else _until(high, vr)
    return Between(low_text, high_text)


def _without_offset(text: str, vr: str) -> str:
    return re.sub(r"[+-]\d{4}$", "", text) if vr == "DT" and _MOMENT.fullmatch(text) else text


def _ends(text: str, vr: str) -> tuple[str | None, str | None]:
    """Return both ends of a range, or one value twice."""
    clean = text.replace(":", "") if vr == "TM" else text.replace(".", "") if vr == "DA" else text
    form = {"DA": _DATE, "TM": _TIME, "DT": _MOMENT}[vr]
    if form.fullmatch(clean):
        return clean, clean
    for at in (match.start() for match in re.finditer("-", clean)):
        low, high = clean[:at].strip(), clean[at + 1 :].strip()
        if all(not end or form.fullmatch(end) for end in (low, high)):
            return low or None, high or None
    raise KeyRefused("It is no date or time, and no range of them, as PS3.5 6.2 writes them.")


def _from(text: str, vr: str) -> str:
    return comparable(text, vr)


def _until(text: str, vr: str) -> str:
    """Return the last moment that a date or time stands for: what it leaves out is as late as can be."""
    if vr == "TM":
        return time_text(text, "235959.999999")
    return moment_text(text, "99991231235959.999999") if vr == "DT" else comparable(text, vr)


def _nested(leaves: Iterable[tuple[tuple[str, ...], Condition]]) -> list[Key]:
    """Put conditions on items of the same sequence together: one item has to fulfil them all."""
    keys: list[Key] = []
    inner: dict[str, list[tuple[tuple[str, ...], Condition]]] = {}
    for path, condition in leaves:
        if len(path) == 1:
            keys.append(condition)
        else:
            inner.setdefault(path[0], []).append((path[1:], condition))
    return [*keys, *(ItemCondition(tag, tuple(_nested(own))) for tag, own in inner.items())]


def _with_moments(keys: list[Key]) -> list[Key]:
    """Take ranges of a date and of its time together (PS3.4 C.2.2.2.5.4)."""
    ranges = {
        key.tag: key.tests[0]
        for key in keys
        if isinstance(key, Condition) and len(key.tests) == 1 and isinstance(key.tests[0], Between)
    }
    for date, time in _PAIRS:
        days, hours = ranges.get(date), ranges.get(time)
        if not isinstance(days, Between) or not isinstance(hours, Between):
            continue
        low = None if days.low is None else days.low + (hours.low or "")
        high = None if days.high is None else days.high + (hours.high or "235959.999999")
        keys = [key for key in keys if key.tag not in (date, time)]
        keys.append(MomentCondition(date, time, Between(low, high)))
    return keys
