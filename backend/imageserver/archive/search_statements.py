"""The statements of a search: a page of what fulfils conditions, with what is kept of each.

The page itself is found among narrow rows, in the order of an index where nothing is asked for that is rarer; only the
rows of the page are joined with what they say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, select, true

from imageserver.archive.models import (
    Instance,
    InstanceMetadata,
    Series,
    SeriesHeader,
    Study,
    StudyEntry,
    StudyHeader,
)
from imageserver.archive.reading_rules import metadata_stamp
from imageserver.dicom.attribute_levels import level_of
from imageserver.dicom.attributes import Level
from imageserver.dicom.matching import Condition, Empty, Key, MomentCondition

# Tables, not classes: a statement of the latter takes twice as long to put together.
_STUDIES, _ENTRIES, _OF_STUDY = Study.__table__, StudyEntry.__table__, StudyHeader.__table__
_SERIES, _OF_SERIES = Series.__table__, SeriesHeader.__table__
_INSTANCES, _METADATA = Instance.__table__, InstanceMetadata.__table__

# Conditions that PostgreSQL may turn into joins. It looks for the best order of all joins, which takes minutes of a
# hundred of them; a condition that IS TRUE is looked up row by row in what its subquery found.
MOST_JOINED = 4


@dataclass(frozen=True, kw_only=True)
class InstanceSearch:
    """What is looked for.

    Attributes
    ----------
    level : Level
        Studies, series or instances.
    keys : tuple of Key
        What the attributes have to fulfil, all together.
    study_instance_uid, series_instance_uid : str or None
        Only within these.
    limit, offset : int
    counts_rest : bool
        Whether to count what is behind the page; that takes longer than the page itself.
    """

    level: Level
    keys: tuple[Key, ...] = ()
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    limit: int
    offset: int = 0
    counts_rest: bool = False


def page(
    wanted: InstanceSearch, conditions: Sequence[ColumnElement[bool]], limit: int, offset: int = 0
) -> Select[*tuple[Any, ...]]:
    """Return the statement of a page; its limit and offset are not those of the search.

    Returns
    -------
    Select
        Of studies: UID, content. Of series: both UIDs, both contents. Of instances: the three UIDs, the SOP Class UID,
        the ids of study and series, and the packed metadata, or NULL.
    """
    rows = _ordered(wanted, _where(wanted, conditions))
    found = rows.limit(limit).offset(offset).subquery("page")
    if wanted.level == Level.STUDY:
        return _with_study(wanted, found)
    return _with_series(wanted, found) if wanted.level == Level.SERIES else _with_instance(wanted, found)


def page_of_newest(
    wanted: InstanceSearch, conditions: Sequence[ColumnElement[bool]], limit: int, newest: int
) -> Select[*tuple[Any, ...]]:
    """Return the statement of the first page of studies, as far as it is among so many of the newest ones.

    The conditions are asked of each in turn, and no more when the page is full.
    """
    moments = select(_ENTRIES.c.study_moment).order_by(_ENTRIES.c.study_moment.desc())
    oldest = func.coalesce(moments.limit(1).offset(newest).scalar_subquery(), "")
    return page(wanted, [_ENTRIES.c.study_moment >= oldest, *conditions], limit)


def count(
    wanted: InstanceSearch, conditions: Sequence[ColumnElement[bool]], most: int
) -> Select[*tuple[Any, ...]]:
    """Return the statement that counts all, up to `most`."""
    return select(func.count()).select_from(_where(wanted, conditions).limit(most).subquery())


def _where(wanted: InstanceSearch, conditions: Sequence[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    """Select the rows of a level that fulfil the conditions, as far as their headers are kept."""
    joined = conditions[:MOST_JOINED]
    looked_up = (one.is_(true()) for one in conditions[MOST_JOINED:])
    return _rows(wanted).where(*_within(wanted), *joined, *looked_up)


def _rows(wanted: InstanceSearch) -> Select[*tuple[Any, ...]]:
    """Select from the table of a level, without what an upgrade has still to read.

    A key belongs to a header, and where a series has one, its study has: what is asked for by key is there. To look
    for the headers of thousands, long as they are, takes far longer than to find them.
    """
    asked = {_level_of(key) for key in wanted.keys}
    if wanted.level == Level.STUDY:
        columns = (_ENTRIES.c.study_id, _ENTRIES.c.study_moment, _ENTRIES.c.study_instance_uid)
        kept = select(_OF_STUDY.c.study_id).where(_OF_STUDY.c.study_id == _ENTRIES.c.study_id)
        return select(*columns).where(*([] if Level.STUDY in asked else [kept.exists()]))
    if wanted.level == Level.SERIES:
        numbered = (_SERIES.c.series_number, _SERIES.c.series_instance_uid)
        rows, series_id = select(_SERIES.c.id, _SERIES.c.study_id, *numbered), _SERIES.c.id
    else:
        numbered = (_INSTANCES.c.instance_number, _INSTANCES.c.sop_instance_uid)
        series_id = _INSTANCES.c.series_id
        rows = select(_INSTANCES.c.id, series_id, *numbered, _INSTANCES.c.sop_class_uid)
    kept = select(_OF_SERIES.c.series_id).where(_OF_SERIES.c.series_id == series_id)
    return rows.where(*([] if Level.SERIES in asked else [kept.exists()]))


def _level_of(key: Key) -> Level | None:
    """Return the level of whose keys a key needs one; None where it may need none."""
    is_sure = isinstance(key, MomentCondition) or (
        isinstance(key, Condition) and not any(isinstance(test, Empty) for test in key.tests)
    )
    return level_of(key.tag) if is_sure else None


def _within(wanted: InstanceSearch) -> list[ColumnElement[bool]]:
    """Return the conditions of an address, each on ids that are looked up once."""
    study, series = wanted.study_instance_uid, wanted.series_instance_uid
    of_study = select(_STUDIES.c.id).where(_STUDIES.c.study_instance_uid == study).scalar_subquery()
    if wanted.level == Level.STUDY or (study is None and series is None):
        return []
    if wanted.level == Level.SERIES:
        return [_SERIES.c.study_id == of_study]
    of_series = select(_SERIES.c.id)
    if study is not None:
        of_series = of_series.where(_SERIES.c.study_id == of_study)
    if series is None:
        return [_INSTANCES.c.series_id.in_(of_series)]
    one = of_series.where(_SERIES.c.series_instance_uid == series)
    return [_INSTANCES.c.series_id == one.scalar_subquery()]


def _ordered(wanted: InstanceSearch, rows: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return rows.order_by(*_order(wanted, _OWN[wanted.level]))


def _order(wanted: InstanceSearch, columns: Any) -> tuple[ColumnElement[Any], ...]:
    """Return the order of a level, by the columns of its table or of a page of it.

    Where the address names nothing, it is one that an index has: all rows would have to be sorted for each page.
    """
    if wanted.level == Level.STUDY:
        return columns.study_moment.desc(), columns.study_instance_uid.desc()
    is_series = wanted.level == Level.SERIES
    above = columns.study_id if is_series else columns.series_id
    if wanted.study_instance_uid is None and wanted.series_instance_uid is None:
        return above, columns.id
    number = columns.series_number if is_series else columns.instance_number
    uid = columns.series_instance_uid if is_series else columns.sop_instance_uid
    return above, number.is_(None), number, uid


_OWN: dict[Level, Any] = {Level.STUDY: _ENTRIES.c, Level.SERIES: _SERIES.c, Level.INSTANCE: _INSTANCES.c}


def _with_study(wanted: InstanceSearch, found: Subquery) -> Select[*tuple[Any, ...]]:
    return (
        select(found.c.study_instance_uid, _OF_STUDY.c.content)
        .join_from(found, _OF_STUDY, _OF_STUDY.c.study_id == found.c.study_id)
        .order_by(*_order(wanted, found.c))
    )


def _with_series(wanted: InstanceSearch, found: Subquery) -> Select[*tuple[Any, ...]]:
    return (
        select(
            _STUDIES.c.study_instance_uid,
            found.c.series_instance_uid,
            _OF_STUDY.c.content,
            _OF_SERIES.c.content,
        )
        .join_from(found, _STUDIES, _STUDIES.c.id == found.c.study_id)
        .join(_OF_STUDY, _OF_STUDY.c.study_id == found.c.study_id)
        .join(_OF_SERIES, _OF_SERIES.c.series_id == found.c.id)
        .order_by(*_order(wanted, found.c))
    )


def _with_instance(wanted: InstanceSearch, found: Subquery) -> Select[*tuple[Any, ...]]:
    of_present_rules = and_(_METADATA.c.instance_id == found.c.id, _METADATA.c.made_by == metadata_stamp())
    return (
        select(
            _STUDIES.c.study_instance_uid,
            _SERIES.c.series_instance_uid,
            found.c.sop_instance_uid,
            found.c.sop_class_uid,
            _SERIES.c.study_id,
            found.c.series_id,
            _METADATA.c.content,
        )
        .join_from(found, _SERIES, _SERIES.c.id == found.c.series_id)
        .join(_STUDIES, _STUDIES.c.id == _SERIES.c.study_id)
        .outerjoin(_METADATA, of_present_rules)
        .order_by(*_order(wanted, found.c))
    )
