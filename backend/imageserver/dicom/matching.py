"""Whether a data set fulfils the keys of a search (PS3.4 C.2.2.2), on the DICOM JSON model, without any index.

Keys are read by `matching_keys.parse_keys`. The archive answers from its index what `matches` says here; that both are
the same is tested with random searches.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from imageserver.dicom.matching_values import name_groups, texts_of, words_of

Json = dict[str, Any]


@dataclass(frozen=True)
class OneOf:
    """Single value matching, or a list of values (C.2.2.2.1, C.2.2.2.2)."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Like:
    """Wild card matching (C.2.2.2.4): ``*`` is any text, ``?`` any one character."""

    pattern: str


@dataclass(frozen=True)
class Between:
    """Range matching (C.2.2.2.5), both ends included; None is open."""

    low: str | None
    high: str | None


@dataclass(frozen=True)
class Empty:
    """Empty value matching (C.2.2.2.7)."""


@dataclass(frozen=True)
class Groups:
    """A person name whose groups are asked for one by one; None asks for nothing."""

    groups: tuple["OneOf | Like | None", ...]


@dataclass(frozen=True)
class Words:
    """Fuzzy matching of person names: each of these is the beginning of a word of the name."""

    words: tuple[str, ...]


Test = OneOf | Like | Between | Empty | Groups | Words


@dataclass(frozen=True)
class Condition:
    """What one attribute has to fulfil: one of the tests.

    Attributes
    ----------
    tag : str
        Eight hexadecimal digits.
    vr : str
    tests : tuple of Test
    """

    tag: str
    vr: str
    tests: tuple[Test, ...]


@dataclass(frozen=True)
class ItemCondition:
    """Some item of a sequence fulfils all of these (C.2.2.2.6)."""

    tag: str
    conditions: tuple["Key", ...]


@dataclass(frozen=True)
class MomentCondition:
    """A date and a time taken together lie within a range (C.2.2.2.5.4)."""

    date_tag: str
    time_tag: str
    between: Between

    @property
    def tag(self) -> str:
        """The tag by which its level is known."""
        return self.date_tag


Key = Condition | ItemCondition | MomentCondition


def matches(dataset: Json, key: Key) -> bool:
    """Tell whether a data set of the DICOM JSON model fulfils a key."""
    if isinstance(key, ItemCondition):
        return any(all(matches(item, one) for one in key.conditions) for item in _items(dataset, key.tag))
    if isinstance(key, MomentCondition):
        dates, times = texts_of(dataset.get(key.date_tag), "DA"), texts_of(dataset.get(key.time_tag), "TM")
        return any(_is_between(date + time, key.between) for date, time in product(dates, times))
    element = dataset.get(key.tag)
    return any(_fulfils(element, key.vr, test) for test in key.tests)


def _items(dataset: Json, tag: str) -> Iterable[Json]:
    """Return the items of a sequence; one that has none is as one with an empty item."""
    values = (dataset.get(tag) or {}).get("Value") or [{}]
    return [item for item in values if isinstance(item, dict)]


def _fulfils(element: Json | None, vr: str, test: Test) -> bool:
    if isinstance(test, Words):
        words = words_of(element)
        return all(any(word.startswith(beginning) for word in words) for beginning in test.words)
    if isinstance(test, Groups):
        names = list(name_groups(element))
        return all(
            one is None or any(_is(name[place], one) for name in names if name[place])
            for place, one in enumerate(test.groups)
        )
    texts = texts_of(element, vr)
    if isinstance(test, Empty):
        return not texts
    return any(_is(text, test) for text in texts)


def _is(text: str, test: OneOf | Like | Between) -> bool:
    if isinstance(test, OneOf):
        return text in test.texts
    if isinstance(test, Between):
        return _is_between(text, test)
    return is_like(text, test.pattern)


def _is_between(text: str, between: Between) -> bool:
    return (between.low is None or between.low <= text) and (between.high is None or text <= between.high)


def is_like(text: str, pattern: str) -> bool:
    """Tell whether a text is like a pattern; takes at most as many steps as one has characters times the other."""
    at = place = 0
    star = mark = -1
    while at < len(text):
        if place < len(pattern) and pattern[place] == "*":
            star, mark = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in ("?", text[at]):
            at, place = at + 1, place + 1
        elif star >= 0:
            mark += 1
            at, place = mark, star + 1
        else:
            return False
    return not pattern[place:].strip("*")


def beginning_of(pattern: str) -> str:
    """Return what stands in front of the first wild card."""
    return re.split(r"[*?]", pattern, maxsplit=1)[0]


def tags_of(keys: Iterable[Key]) -> Iterator[str]:
    """Yield the tags of the outermost data set that keys ask for."""
    for key in keys:
        yield key.tag
        if isinstance(key, MomentCondition):
            yield key.time_tag
