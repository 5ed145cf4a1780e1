"""The keys of a search as conditions of SQL on the tables of keys, values always bound.

Where a condition cannot be said exactly there, it is said more widely, and what is found is asked again by
`dicom.matching.matches`.
"""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.expression import ColumnClause
from sqlalchemy.types import Boolean

from imageserver.archive.models import Instance, Series, SeriesKey, Study, StudyKey
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
_INSTANCE_COLUMNS: dict[str, Any] = {
    "00080018": Instance.sop_instance_uid,
    "00080016": Instance.sop_class_uid,
}


class Sql(NamedTuple):
    """Conditions, all to be fulfilled, and whether they say all that the key says."""

    conditions: tuple[ColumnElement[bool], ...]
    is_exact: bool = True


class _IsLike(ColumnElement[bool]):
    """A text is like a pattern of DICOM, its case regarded; GLOB of SQLite is that, LIKE is not."""

    inherit_cache = False
    type = Boolean()

    def __init__(self, column: Any, pattern: str) -> None:
        self.column = column
        self.pattern = pattern


@compiles(_IsLike, "sqlite")
def _glob(element: _IsLike, compiler: Any, **options: Any) -> str:
    pattern = element.pattern.replace("[", "[[]")
    return str(compiler.process(element.column.op("GLOB")(pattern), **options))


@compiles(_IsLike)
def _like(element: _IsLike, compiler: Any, **options: Any) -> str:
    pattern = element.pattern
    for special in ("\\", "%", "_"):
        pattern = pattern.replace(special, "\\" + special)
    pattern = pattern.replace("*", "%").replace("?", "_")
    return str(compiler.process(element.column.like(pattern, escape="\\"), **options))


def condition_of(key: Key) -> Sql | None:
    """Return the condition of a key; None where the tables of keys know nothing of it."""
    level = level_of(key.tag)
    if level == Level.INSTANCE:
        return _of_instance(key)
    table: Any = StudyKey if level == Level.STUDY else SeriesKey
    owner: Any = table.study_id if level == Level.STUDY else table.series_id
    subject: Any = Study.id if level == Level.STUDY else Series.id
    return _Keys(table, owner, subject).said(key)


def _of_instance(key: Key) -> Sql | None:
    if not isinstance(key, Condition) or (column := _INSTANCE_COLUMNS.get(key.tag)) is None:
        return None
    if len(key.tests) != 1 or not isinstance(key.tests[0], OneOf):
        return None
    return Sql((column.in_(key.tests[0].texts),))


class _Keys:
    """Conditions on the keys of one level."""

    def __init__(self, table: Any, owner: Any, subject: Any) -> None:
        self._table = table
        self._owner = owner
        self._subject = subject

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
        has = and_(self._table.tag == path, *conditions)
        if "." in path:  # of those whose keys of items were cut, each may have it
            has = or_(has, self._table.tag == CUT)
        owners = select(self._owner).where(has)
        found: ColumnElement[bool] = self._subject.in_(owners)
        return found

    def _is(self, test: OneOf | Like | Between) -> ColumnElement[bool]:
        value = self._table.value
        if isinstance(test, OneOf):
            same: ColumnElement[bool] = value.in_(test.texts)
            return same
        if isinstance(test, Between):
            ends = [value >= test.low] if test.low is not None else []
            return and_(*ends, *([value <= test.high] if test.high is not None else []))
        beginning = beginning_of(test.pattern)
        if test.pattern == beginning + "*":
            return self._begins(beginning)
        return and_(*([self._begins(beginning)] if beginning else []), _IsLike(value, test.pattern))

    def _begins(self, beginning: str) -> ColumnElement[bool]:
        value: ColumnClause[str] = self._table.value
        return and_(value >= beginning, value < beginning + _LAST_CHARACTER)

    def _moment(self, key: MomentCondition) -> ColumnElement[bool]:
        days, hours = aliased(self._table), aliased(self._table)
        name = self._owner.key
        moment = days.value + hours.value
        low, high = key.between.low, key.between.high
        wanted = [moment >= low, days.value >= low[:8]] if low is not None else []
        wanted += [moment <= high, days.value <= high[:8]] if high is not None else []
        owners = (
            select(getattr(days, name))
            .join(hours, getattr(hours, name) == getattr(days, name))
            .where(days.tag == key.date_tag, hours.tag == key.time_tag, *wanted)
        )
        found: ColumnElement[bool] = self._subject.in_(owners)
        return found
