"""Searches of DICOMweb (PS3.18 10.6) for studies, series and instances: from the index alone, no file is opened."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select, true
from sqlalchemy.orm import Session

from imageserver.archive.models import (
    Instance,
    Series,
    SeriesHeader,
    Study,
    StudyEntry,
    StudyHeader,
)
from imageserver.archive.search_conditions import Sql, condition_of
from imageserver.archive.stored_metadata import read_metadata
from imageserver.dicom.attribute_levels import level_of, tags_of_level
from imageserver.dicom.attributes import Level
from imageserver.dicom.matching import Key, matches, tags_of
from imageserver.errors import InvalidParameter, SearchTooBroad

Json = dict[str, Any]

MOST_EXAMINED = 20_000  # data sets that one search looks into
AT_ONCE = 200
# Conditions that PostgreSQL may turn into joins. It looks for the best order of all joins, which takes minutes of a
# hundred of them; a condition that IS TRUE is looked up row by row in what its subquery found.
MOST_JOINED = 4
_PATIENT = ("00100010", "00100020")  # Patient's Name, Patient ID
_DEPTH = {Level.STUDY: 0, Level.SERIES: 1, Level.INSTANCE: 2}


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


class Found(NamedTuple):
    """One study, series or instance.

    Attributes
    ----------
    uids : tuple of str
        Study, Series and SOP Instance UID, as far as the level has them.
    dataset : dict
        Its attributes, and those of the levels above.
    """

    uids: tuple[str, ...]
    dataset: Json


class FoundPage(NamedTuple):
    """A page of what was found; whether there is more behind it, and how much, where that was counted."""

    found: list[Found]
    has_more: bool
    remaining: int | None


def search(session: Session, wanted: InstanceSearch) -> FoundPage:
    """Search.

    Parameters
    ----------
    session : Session
        To read in.
    wanted : InstanceSearch
        What is looked for.

    Returns
    -------
    FoundPage
        Studies come newest first, series by study and Series Number, instances by series and Instance Number; equal
        ones by UID.

    Raises
    ------
    InvalidParameter
        If a key is of a level below.
    SearchTooBroad
        If too many data sets would have to be looked into.
    """
    for tag in tags_of(wanted.keys):
        if _DEPTH[level_of(tag)] > _DEPTH[wanted.level]:
            raise InvalidParameter(
                f"({tag[:4]},{tag[4:]}) is an attribute of a level below: search there for it."
            )
    conditions, rest = _said(wanted.keys)
    if rest:
        return _examined(session, wanted, conditions, rest)
    rows = session.execute(_rows(wanted, conditions).limit(wanted.limit + 1).offset(wanted.offset)).all()
    has_more = len(rows) > wanted.limit
    remaining = None
    if has_more and wanted.counts_rest:
        remaining = _count(session, wanted, conditions) - wanted.offset - wanted.limit
    return FoundPage(list(_read(session, wanted.level, rows[: wanted.limit])), has_more, remaining)


def looks_into_headers(keys: Sequence[Key]) -> bool:
    """Tell whether a search has to look into headers, which takes far longer than what the tables of keys answer."""
    return bool(_said(keys)[1])


def _said(keys: Sequence[Key]) -> tuple[list[Sql], list[Key]]:
    """Return what the tables of keys know, and the keys that have to be asked again of each header."""
    said = [(key, condition_of(key)) for key in keys]
    conditions = [sql for _, sql in said if sql is not None]
    return conditions, [key for key, sql in said if sql is None or not sql.is_exact]


def _examined(
    session: Session, wanted: InstanceSearch, conditions: Sequence[Sql], rest: Sequence[Key]
) -> FoundPage:
    """Look into the data sets that fulfil what the tables of keys know, in their order."""
    found: list[Found] = []
    skipped = 0
    rows = session.execute(_rows(wanted, conditions).limit(MOST_EXAMINED + 1)).all()
    for start in range(0, len(rows), AT_ONCE):
        if start >= MOST_EXAMINED:
            raise SearchTooBroad(
                f"More than {MOST_EXAMINED} data sets would have to be looked into; name a study, a date or a patient."
            )
        for one in _read(session, wanted.level, rows[start : start + AT_ONCE]):
            if not all(matches(one.dataset, key) for key in rest):
                continue
            if skipped < wanted.offset:
                skipped += 1
                continue
            found.append(one)
            if len(found) > wanted.limit:
                return FoundPage(found[: wanted.limit], has_more=True, remaining=None)
    return FoundPage(found, has_more=False, remaining=None)


def _count(session: Session, wanted: InstanceSearch, conditions: Sequence[Sql]) -> int:
    rows = _rows(wanted, conditions).order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(rows)) or 0


def _rows(wanted: InstanceSearch, conditions: Sequence[Sql]) -> Select[*tuple[Any, ...]]:
    if wanted.level == Level.STUDY:
        statement: Select[*tuple[Any, ...]] = (
            select(Study.id, Study.study_instance_uid)
            .join(StudyHeader, StudyHeader.study_id == Study.id)
            .join(StudyEntry, StudyEntry.study_id == Study.id)
            .order_by(StudyEntry.study_moment.desc(), StudyEntry.study_instance_uid.desc())
        )
    elif wanted.level == Level.SERIES:
        statement = (
            select(Series.id, Study.study_instance_uid, Series.series_instance_uid, Study.id)
            .join(Study, Series.study_id == Study.id)
            .join(SeriesHeader, SeriesHeader.series_id == Series.id)
            .join(StudyHeader, StudyHeader.study_id == Study.id)
            .order_by(Series.study_id, *_by_number(Series.series_number), Series.series_instance_uid)
        )
    else:
        statement = (
            select(
                Instance.id,
                Study.study_instance_uid,
                Series.series_instance_uid,
                Instance.sop_instance_uid,
                Study.id,
                Series.id,
                Instance.sop_class_uid,
            )
            .join(Series, Instance.series_id == Series.id)
            .join(Study, Series.study_id == Study.id)
            .join(SeriesHeader, SeriesHeader.series_id == Series.id)
            .join(StudyHeader, StudyHeader.study_id == Study.id)
            .order_by(Instance.series_id, *_by_number(Instance.instance_number), Instance.sop_instance_uid)
        )
    if wanted.study_instance_uid is not None:
        statement = statement.where(Study.study_instance_uid == wanted.study_instance_uid)
    if wanted.series_instance_uid is not None:
        statement = statement.where(Series.series_instance_uid == wanted.series_instance_uid)
    wheres = [one for sql in conditions for one in sql.conditions]
    return statement.where(*wheres[:MOST_JOINED], *(one.is_(true()) for one in wheres[MOST_JOINED:]))


def _by_number(column: Any) -> tuple[Any, Any]:
    return column.is_(None), column


def _read(session: Session, level: Level, rows: Sequence[Any]) -> Iterator[Found]:
    """Read the attributes of what was found."""
    if level == Level.STUDY:
        studies = _headers(session, StudyHeader, StudyHeader.study_id, {row[0] for row in rows})
        yield from (Found((row[1],), studies[row[0]]) for row in rows)
    elif level == Level.SERIES:
        studies = _headers(session, StudyHeader, StudyHeader.study_id, {row[3] for row in rows})
        series = _headers(session, SeriesHeader, SeriesHeader.series_id, {row[0] for row in rows})
        yield from (Found((row[1], row[2]), {**studies[row[3]], **series[row[0]]}) for row in rows)
    else:
        yield from _instances(session, rows)


def _instances(session: Session, rows: Sequence[Any]) -> Iterator[Found]:
    studies = _headers(session, StudyHeader, StudyHeader.study_id, {row[4] for row in rows})
    series = _headers(session, SeriesHeader, SeriesHeader.series_id, {row[5] for row in rows})
    above = tags_of_level(Level.STUDY) | tags_of_level(Level.SERIES)
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        metadata = read_metadata(session, [row[0] for row in some])
        for row in some:
            own = metadata[row[0]].dataset if row[0] in metadata else {}
            dataset = {tag: element for tag, element in own.items() if tag not in above}
            dataset["00080018"] = {"vr": "UI", "Value": [row[3]]}
            if row[6]:
                dataset["00080016"] = {"vr": "UI", "Value": [row[6]]}
            study = _with_own_patient(studies[row[4]], own)
            yield Found((row[1], row[2], row[3]), {**dataset, **study, **series[row[5]]})


def _with_own_patient(study: Json, own: Json) -> Json:
    """The attributes of a study, with those of the patient whom the instance names, where that is another one.

    Files of several patients may share a study (docs/decisions/0043); none may be listed under the name of another.
    """
    if all(own.get(tag, study.get(tag)) == study.get(tag) for tag in _PATIENT):
        return study
    patients = {tag for tag in tags_of_level(Level.STUDY) if tag.startswith("0010")}
    kept = {tag: element for tag, element in study.items() if tag not in patients}
    return {**kept, **{tag: element for tag, element in own.items() if tag in patients}}


def _headers(session: Session, table: Any, key: Any, ids: set[int]) -> dict[int, Json]:
    found: dict[int, Json] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), 500):
        rows = session.execute(select(key, table.content).where(key.in_(wanted[start : start + 500])))
        found.update({row[0]: json.loads(row[1]) for row in rows})
    return found
