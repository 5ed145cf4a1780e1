"""The keys of a search as conditions of SQL on the tables of keys, values always bound.

Where a condition cannot be said exactly there, it is said more widely, and what is found is asked again by
`dicom.matching.matches`.

Conditions are text with a question mark for each value: to put a statement of SQLAlchemy together takes longer than
the database takes for most searches.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Any, NamedTuple

from imageserver.archive.search_headers import CUT, GROUP, WORD
from imageserver.dicom.attribute_levels import level_of
from imageserver.dicom.attributes import Level
from imageserver.dicom.matching import (
    Between,
    Condition,
    Empty,
    Groups,
    Key,
    Like,
    MomentCondition,
    OneOf,
    Test,
    Words,
    beginning_of,
)

_LAST_CHARACTER = "\U0010ffff"
_INSTANCE_COLUMNS = {"00080018": "instances.sop_instance_uid", "00080016": "instances.sop_class_uid"}
# Rows of a level that are these studies or series, or beneath them.
_ROWS_OF = {
    (Level.STUDY, Level.STUDY): "study_entries.study_id IN ({})",
    (Level.STUDY, Level.SERIES): "series.study_id IN ({})",
    (Level.STUDY, Level.INSTANCE): (
        "instances.series_id IN (SELECT series.id FROM series WHERE series.study_id IN ({}))"
    ),
    (Level.SERIES, Level.SERIES): "series.id IN ({})",
    (Level.SERIES, Level.INSTANCE): "instances.series_id IN ({})",
}


class Bound(NamedTuple):
    """Text of SQL with a question mark for each of its values."""

    text: str
    values: tuple[Any, ...] = ()


class Sql(NamedTuple):
    """Conditions, all to be fulfilled, and whether they say all that the key says."""

    conditions: tuple[Bound, ...]
    is_exact: bool = True


def all_of(conditions: Iterable[Bound], between: str = " AND ") -> Bound:
    """Put conditions together."""
    known = list(conditions)
    return Bound(between.join(one.text for one in known), tuple(chain(*(one.values for one in known))))


def condition_of(
    key: Key, wanted: Level, *, is_sqlite: bool = True, is_asked_of_each: bool = False
) -> Sql | None:
    """Return the condition of a key on rows of a level; None where the tables of keys know nothing of it.

    Parameters
    ----------
    key : Key
        Of that level, or one above.
    wanted : Level
        Rows are those that `search_statements` pages through: of `study_entries`, `series` or `instances`.
    is_sqlite : bool
        Which of the databases is asked: patterns are written in two ways.
    is_asked_of_each : bool
        Whether studies are asked one by one, instead of finding all that have the key.
    """
    level = level_of(key.tag)
    if level == Level.INSTANCE:
        return _of_instance(key)
    return _Keys(level, wanted, is_sqlite, is_asked_of_each).said(key)


def has_often_many(key: Key) -> bool:
    """Tell whether a key usually has many matches: a code, or a pattern that takes all values to be looked at."""
    if not isinstance(key, Condition):
        return False
    is_within = any(isinstance(test, Like) and not beginning_of(test.pattern) for test in key.tests)
    return is_within or key.vr == "CS"


def has_few(key: Key) -> bool:
    """Tell whether a key usually has few matches: a value, or the beginning of one, that is no code."""
    if not isinstance(key, Condition) or key.vr == "CS":
        return False
    return all(
        isinstance(test, OneOf | Words) or (isinstance(test, Like) and beginning_of(test.pattern))
        for test in key.tests
    )


def _of_instance(key: Key) -> Sql | None:
    if not isinstance(key, Condition) or (column := _INSTANCE_COLUMNS.get(key.tag)) is None:
        return None
    if len(key.tests) != 1 or not isinstance(key.tests[0], OneOf):
        return None
    return Sql((_is_one_of_texts(column, key.tests[0].texts),))


class _Keys:
    """Conditions on the keys of one level, for rows of that level or one below."""

    def __init__(self, level: Level, wanted: Level, is_sqlite: bool, is_asked_of_each: bool) -> None:
        self._of = "study" if level == Level.STUDY else "series"
        self._rows = _ROWS_OF[level, wanted]
        self._is_sqlite = is_sqlite
        self._is_asked_of_each = is_asked_of_each and level == wanted == Level.STUDY

    def said(self, key: Key, prefix: str = "") -> Sql | None:
        if isinstance(key, MomentCondition):
            return Sql((self._moment(key),)) if not prefix else None
        if isinstance(key, Condition):
            if prefix and any(isinstance(test, Empty) for test in key.tests):
                return None  # the item with the empty value need not be there at all
            tests = [self._fulfils(prefix + key.tag, test) for test in key.tests]
            return Sql(tests[0] if len(tests) == 1 else (_any_of(map(all_of, tests)),))
        found = [self.said(one, f"{prefix}{key.tag}.") for one in key.conditions]
        known = tuple(condition for one in found if one is not None for condition in one.conditions)
        return Sql(known, is_exact=False) if known else None

    def _fulfils(self, path: str, test: Test) -> tuple[Bound, ...]:
        if isinstance(test, Empty):
            has = self._has(path)
            return (Bound(f"NOT ({has.text})", has.values),)
        if isinstance(test, Words):
            return tuple(self._has(WORD + path, _begins(word)) for word in test.words)
        if isinstance(test, Groups):
            groups = [(n, one) for n, one in enumerate(test.groups) if one is not None]
            return tuple(self._has(f"{path}{GROUP}{n}", self._is(one)) for n, one in groups)
        return (self._has(path, self._is(test)),)

    def _has(self, path: str, *conditions: Bound) -> Bound:
        has = all_of([Bound("tag = ?", (path,)), *conditions])
        if "." in path:  # of those whose keys of items were cut, each may have it
            has = _any_of([has, Bound("tag = ?", (CUT,))])
        owners = f"SELECT {self._of}_id FROM {self._of}_keys WHERE {has.text}"  # noqa: S608 - no value in it
        if self._is_asked_of_each:
            return Bound(f"EXISTS ({owners} AND study_keys.study_id = study_entries.study_id)", has.values)
        return Bound(self._rows.format(owners), has.values)

    def _is(self, test: OneOf | Like | Between) -> Bound:
        if isinstance(test, OneOf):
            return _is_one_of_texts("value", test.texts)
        if isinstance(test, Between):
            low = [Bound("value >= ?", (test.low,))] if test.low is not None else []
            return all_of([*low, *([Bound("value <= ?", (test.high,))] if test.high is not None else [])])
        beginning = beginning_of(test.pattern)
        if test.pattern == beginning + "*":
            return _begins(beginning)
        return all_of([*([_begins(beginning)] if beginning else []), self._is_like(test.pattern)])

    def _is_like(self, pattern: str) -> Bound:
        """Return the condition that a value is like a pattern, its case regarded: LIKE of SQLite has no case."""
        if self._is_sqlite:
            return Bound("value GLOB ?", (pattern.replace("[", "[[]"),))
        for special in ("\\", "%", "_"):
            pattern = pattern.replace(special, "\\" + special)
        return Bound("value LIKE ? ESCAPE '\\'", (pattern.replace("*", "%").replace("?", "_"),))

    def _moment(self, key: MomentCondition) -> Bound:
        low, high = key.between.low, key.between.high
        wanted = [Bound("days.tag = ? AND hours.tag = ?", (key.date_tag, key.time_tag))]
        if low is not None:
            wanted.append(Bound("days.value || hours.value >= ? AND days.value >= ?", (low, low[:8])))
        if high is not None:
            wanted.append(Bound("days.value || hours.value <= ? AND days.value <= ?", (high, high[:8])))
        where = all_of(wanted)
        owner, keys = f"{self._of}_id", f"{self._of}_keys"
        both = f"{keys} AS days JOIN {keys} AS hours ON hours.{owner} = days.{owner}"
        owners = f"SELECT days.{owner} FROM {both} WHERE {where.text}"  # noqa: S608 - no value in it
        return Bound(self._rows.format(owners), where.values)


def _any_of(conditions: Iterable[Bound]) -> Bound:
    found = all_of(conditions, " OR ")
    return Bound(f"({found.text})", found.values)


def _is_one_of_texts(column: str, texts: tuple[str, ...]) -> Bound:
    if len(texts) == 1:
        return Bound(f"{column} = ?", texts)
    return Bound(f"{column} IN ({', '.join('?' * len(texts))})", texts)


def _begins(beginning: str) -> Bound:
    return Bound("value >= ? AND value < ?", (beginning, beginning + _LAST_CHARACTER))
