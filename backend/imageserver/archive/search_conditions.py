"""The keys of a search as conditions of SQL on the tables of keys, values always bound.

Where a condition cannot be said exactly there, it is said more widely, and what is found is asked again by
`dicom.matching.matches`.
"""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean

from imageserver.archive.models import Instance, Series, SeriesKey, StudyEntry, StudyKey
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

# Tables, not classes: a statement of the latter takes twice as long to put together.
_STUDY_KEYS, _SERIES_KEYS = StudyKey.__table__, SeriesKey.__table__
_ENTRIES, _SERIES, _INSTANCES = StudyEntry.__table__.c, Series.__table__.c, Instance.__table__.c
_LAST_CHARACTER = "\U0010ffff"
_INSTANCE_COLUMNS: dict[str, Any] = {
    "00080018": _INSTANCES.sop_instance_uid,
    "00080016": _INSTANCES.sop_class_uid,
}


class Sql(NamedTuple):
    """Conditions, all to be fulfilled, and whether they say all that the key says."""

    conditions: tuple[ColumnElement[bool], ...]
    is_exact: bool = True


class _IsLike(FunctionElement[bool]):
    """A text is like a pattern of DICOM, its case regarded; GLOB of SQLite is that, LIKE is not.

    Both patterns are bound, one of them is used, so that a statement is compiled once for all patterns.
    """

    inherit_cache = True
    type = Boolean()

    def __init__(self, column: Any, pattern: str) -> None:
        super().__init__(column, _for_glob(pattern), _for_like(pattern))


def _for_glob(pattern: str) -> str:
    return pattern.replace("[", "[[]")


def _for_like(pattern: str) -> str:
    for special in ("\\", "%", "_"):
        pattern = pattern.replace(special, "\\" + special)
    return pattern.replace("*", "%").replace("?", "_")


@compiles(_IsLike, "sqlite")
def _glob(element: _IsLike, compiler: Any, **options: Any) -> str:
    column, glob, _ = element.clauses
    return str(compiler.process(column.op("GLOB")(glob), **options))


@compiles(_IsLike)
def _like(element: _IsLike, compiler: Any, **options: Any) -> str:
    column, _, like = element.clauses
    return str(compiler.process(column.like(like, escape="\\"), **options))


def condition_of(key: Key, wanted: Level, *, is_asked_of_each: bool = False) -> Sql | None:
    """Return the condition of a key on rows of a level; None where the tables of keys know nothing of it.

    Parameters
    ----------
    key : Key
        Of that level, or one above.
    wanted : Level
        Rows are those that `search_statements` pages through: of `study_entries`, `series` or `instances`.
    is_asked_of_each : bool
        Whether studies are asked one by one, instead of finding all that have the key.
    """
    level = level_of(key.tag)
    if level == Level.INSTANCE:
        return _of_instance(key)
    return _Keys(level, wanted, is_asked_of_each).said(key)


def has_often_many(key: Key) -> bool:
    """Tell whether a key usually has many matches: a code, or a pattern that takes all values to be looked at."""
    if not isinstance(key, Condition):
        return False
    is_within = any(isinstance(test, Like) and not beginning_of(test.pattern) for test in key.tests)
    return is_within or key.vr == "CS"


def _of_instance(key: Key) -> Sql | None:
    if not isinstance(key, Condition) or (column := _INSTANCE_COLUMNS.get(key.tag)) is None:
        return None
    if len(key.tests) != 1 or not isinstance(key.tests[0], OneOf):
        return None
    return Sql((column.in_(key.tests[0].texts),))


class _Keys:
    """Conditions on the keys of one level, for rows of that level or one below."""

    def __init__(self, level: Level, wanted: Level, is_asked_of_each: bool) -> None:
        self._table = _STUDY_KEYS if level == Level.STUDY else _SERIES_KEYS
        self._owner = "study_id" if level == Level.STUDY else "series_id"
        self._level = level
        self._wanted = wanted
        self._is_asked_of_each = is_asked_of_each and level == wanted == Level.STUDY

    def said(self, key: Key, prefix: str = "") -> Sql | None:
        if isinstance(key, MomentCondition):
            return Sql((self._moment(key),)) if not prefix else None
        if isinstance(key, Condition):
            if prefix and any(isinstance(test, Empty) for test in key.tests):
                return None  # the item with the empty value need not be there at all
            tests = [self._fulfils(prefix + key.tag, test) for test in key.tests]
            return Sql(tests[0] if len(tests) == 1 else (or_(*(and_(*test) for test in tests)),))
        found = [self.said(one, f"{prefix}{key.tag}.") for one in key.conditions]
        known = tuple(condition for one in found if one is not None for condition in one.conditions)
        return Sql(known, is_exact=False) if known else None

    def _fulfils(self, path: str, test: Test) -> tuple[ColumnElement[bool], ...]:
        if isinstance(test, Empty):
            return (~self._has(path),)
        if isinstance(test, Words):
            return tuple(self._has(WORD + path, self._begins(word)) for word in test.words)
        if isinstance(test, Groups):
            groups = [(n, one) for n, one in enumerate(test.groups) if one is not None]
            return tuple(self._has(f"{path}{GROUP}{n}", self._is(one)) for n, one in groups)
        return (self._has(path, self._is(test)),)

    def _has(self, path: str, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        has = and_(self._table.c.tag == path, *conditions)
        if "." in path:  # of those whose keys of items were cut, each may have it
            has = or_(has, self._table.c.tag == CUT)
        owners = select(self._table.c[self._owner]).where(has)
        if self._is_asked_of_each:
            return owners.where(self._table.c.study_id == _ENTRIES.study_id).exists()
        return self._is_one_of(owners)

    def _is_one_of(self, owners: Select[int]) -> ColumnElement[bool]:
        """Return the condition that a row is one of these studies or series, or beneath them."""
        if self._level == self._wanted:
            own = _ENTRIES.study_id if self._level == Level.STUDY else _SERIES.id
            return own.in_(owners)
        if self._wanted == Level.SERIES:
            return _SERIES.study_id.in_(owners)
        if self._level == Level.SERIES:
            return _INSTANCES.series_id.in_(owners)
        return _INSTANCES.series_id.in_(select(_SERIES.id).where(_SERIES.study_id.in_(owners)))

    def _is(self, test: OneOf | Like | Between) -> ColumnElement[bool]:
        value = self._table.c.value
        if isinstance(test, OneOf):
            return value == test.texts[0] if len(test.texts) == 1 else value.in_(test.texts)
        if isinstance(test, Between):
            ends = [value >= test.low] if test.low is not None else []
            return and_(*ends, *([value <= test.high] if test.high is not None else []))
        beginning = beginning_of(test.pattern)
        if test.pattern == beginning + "*":
            return self._begins(beginning)
        return and_(*([self._begins(beginning)] if beginning else []), _IsLike(value, test.pattern))

    def _begins(self, beginning: str) -> ColumnElement[bool]:
        value = self._table.c.value
        return and_(value >= beginning, value < beginning + _LAST_CHARACTER)

    def _moment(self, key: MomentCondition) -> ColumnElement[bool]:
        days, hours = self._table.alias(), self._table.alias()
        moment = days.c.value + hours.c.value
        low, high = key.between.low, key.between.high
        wanted = [moment >= low, days.c.value >= low[:8]] if low is not None else []
        wanted += [moment <= high, days.c.value <= high[:8]] if high is not None else []
        return self._is_one_of(
            select(days.c[self._owner])
            .join(hours, hours.c[self._owner] == days.c[self._owner])
            .where(days.c.tag == key.date_tag, hours.c.tag == key.time_tag, *wanted)
        )
