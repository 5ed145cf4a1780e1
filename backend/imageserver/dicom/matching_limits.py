"""How much one search may ask for: what every database can answer, in a time that is known beforehand."""

from collections.abc import Iterable, Iterator

from imageserver.dicom.matching import (
    Condition,
    Groups,
    ItemCondition,
    Key,
    MomentCondition,
    OneOf,
    Test,
    Words,
)

# SQLite takes expressions of at most 1,000 levels, and 32,766 values bound in one statement; PostgreSQL 65,535 values.
MOST_CONDITIONS = 100
MOST_LISTED = 10_000  # values of all lists together


def what_is_too_much(keys: Iterable[Key]) -> str | None:
    """Tell what of the keys of a search is more than is answered; None where nothing is.

    A list of values is one condition; each wild card, range, word and group of a name is one of its own.
    """
    tests = list(_tests(keys))
    if sum(_conditions(test) for test in tests) > MOST_CONDITIONS:
        return f"At most {MOST_CONDITIONS} conditions can be asked for: keys, wild cards, ranges, words and groups."
    if sum(len(test.texts) for test in tests if isinstance(test, OneOf)) > MOST_LISTED:
        return f"At most {MOST_LISTED} values can be listed in all."
    return None


def _tests(keys: Iterable[Key]) -> Iterator[Test]:
    for key in keys:
        if isinstance(key, ItemCondition):
            yield from _tests(key.conditions)
        elif isinstance(key, MomentCondition):
            yield key.between
        elif isinstance(key, Condition):
            yield from key.tests


def _conditions(test: Test) -> int:
    if isinstance(test, Words):
        return len(test.words)
    return sum(one is not None for one in test.groups) if isinstance(test, Groups) else 1
