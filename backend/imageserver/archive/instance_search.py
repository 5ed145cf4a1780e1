"""Searches of DICOMweb (PS3.18 10.6) for studies, series and instances: from the index alone, no file is opened."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from imageserver.archive import search_statements
from imageserver.archive.chunks import chunks
from imageserver.archive.json_members import dataset_of, members_of
from imageserver.archive.made_metadata import unpack
from imageserver.archive.models import SeriesHeader, StudyHeader
from imageserver.archive.search_conditions import Bound, Sql, condition_of, has_few, has_often_many
from imageserver.archive.search_statements import InstanceSearch as InstanceSearch
from imageserver.archive.search_statements import asks_sqlite, execute
from imageserver.archive.stored_metadata import read_bases
from imageserver.dicom.attribute_levels import level_of, tags_of_level
from imageserver.dicom.attributes import Level
from imageserver.dicom.dicom_json import json_text
from imageserver.dicom.matching import Key, matches, tags_of
from imageserver.errors import InvalidParameter, SearchTooBroad

Json = dict[str, Any]
Members = dict[str, str]

MOST_EXAMINED = 20_000  # data sets that one search looks into
MOST_COUNTED = 10_000  # behind a page
AT_ONCE = 200
LONGEST_FIRST_PAGE = 100
_PATIENT = ("00100010", "00100020")  # Patient's Name, Patient ID
_DEPTH = {Level.STUDY: 0, Level.SERIES: 1, Level.INSTANCE: 2}


class Found(NamedTuple):
    """One study, series or instance.

    Attributes
    ----------
    uids : tuple of str
        Study, Series and SOP Instance UID, as far as the level has them.
    members : dict of str to str
        Its attributes, and those of the levels above, by tag: as text, as `json_members` has it.
    """

    uids: tuple[str, ...]
    members: Members

    @property
    def dataset(self) -> Json:
        """The attributes, parsed."""
        return dataset_of(self.members.values())


class FoundPage(NamedTuple):
    """A page of what was found; whether there is more behind it, and how much, where that was counted."""

    found: list[Found]
    has_more: bool
    remaining: int | None


def search(connection: Connection, wanted: InstanceSearch) -> FoundPage:
    """Search.

    Parameters
    ----------
    connection : Connection
        To read in.
    wanted : InstanceSearch
        What is looked for.

    Returns
    -------
    FoundPage
        Studies come newest first, the series of a study by Series Number, the instances of a study or series by
        series and Instance Number, equal ones by UID. Series and instances of the whole archive come by study or
        series, in the order in which they came.

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
    said, rest = _said(wanted.keys, wanted.level, asks_sqlite(connection))
    conditions = [condition for sql in said for condition in sql.conditions]
    if rest:
        return _examined(connection, wanted, conditions, rest)
    rows = _among_newest(connection, wanted)
    if len(rows) <= wanted.limit:
        statement = search_statements.page(wanted, conditions, wanted.limit + 1, wanted.offset)
        rows = execute(connection, statement).all()
    has_more = len(rows) > wanted.limit
    remaining = None
    if has_more and wanted.counts_rest:
        remaining = _count_rest(connection, wanted, conditions)
    return FoundPage(list(_read(connection, wanted.level, rows[: wanted.limit])), has_more, remaining)


def _among_newest(connection: Connection, wanted: InstanceSearch) -> Sequence[Any]:
    """Look for a first page among the newest studies, where it is likely to be; fewer than the page is no answer.

    SQLite finds all that have a key before it sorts them; PostgreSQL knows by its statistics when not to.
    """
    is_worth_it = (
        wanted.level == Level.STUDY
        and wanted.keys
        and not wanted.offset
        and wanted.limit <= LONGEST_FIRST_PAGE
        and all(map(has_often_many, wanted.keys))
        and asks_sqlite(connection)
    )
    if not is_worth_it:
        return []
    said = [condition_of(key, wanted.level, is_asked_of_each=True) for key in wanted.keys]
    conditions = [condition for sql in said if sql is not None for condition in sql.conditions]
    statement = search_statements.page_of_newest(wanted, conditions, wanted.limit + 1)
    return execute(connection, statement).all()


def looks_into_headers(keys: Sequence[Key]) -> bool:
    """Tell whether a search has to look into headers, which takes far longer than what the tables of keys answer."""
    return bool(_said(keys, Level.INSTANCE)[1])


def _said(keys: Sequence[Key], level: Level, is_sqlite: bool = True) -> tuple[list[Sql], list[Key]]:
    """Return what the tables of keys know, and the keys that have to be asked again of each header."""
    # SQLite finds all that have a key, for each of them; where one has few, the others are asked of those.
    one_has_few = is_sqlite and any(map(has_few, keys))
    said = [
        (
            key,
            condition_of(key, level, is_sqlite=is_sqlite, is_asked_of_each=one_has_few and not has_few(key)),
        )
        for key in keys
    ]
    conditions = [sql for _, sql in said if sql is not None]
    return conditions, [key for key, sql in said if sql is None or not sql.is_exact]


def _examined(
    connection: Connection, wanted: InstanceSearch, conditions: Sequence[Bound], rest: Sequence[Key]
) -> FoundPage:
    """Look into the data sets that fulfil what the tables of keys know, in their order."""
    found: list[Found] = []
    skipped = looked_into = 0
    tags = set(tags_of(rest))
    statement = search_statements.page(wanted, conditions, MOST_EXAMINED + 1)
    with execute(connection, statement, yield_per=AT_ONCE) as rows:
        for some in rows.partitions(AT_ONCE):
            if looked_into >= MOST_EXAMINED:
                raise SearchTooBroad(
                    f"More than {MOST_EXAMINED} data sets would have to be looked into; "
                    "name a study, a date or a patient."
                )
            looked_into += len(some)
            for one in _read(connection, wanted.level, some):
                asked = dataset_of(member for tag, member in one.members.items() if tag in tags)
                if not all(matches(asked, key) for key in rest):
                    continue
                if skipped < wanted.offset:
                    skipped += 1
                    continue
                found.append(one)
                if len(found) > wanted.limit:
                    return FoundPage(found[: wanted.limit], has_more=True, remaining=None)
    return FoundPage(found, has_more=False, remaining=None)


def _count_rest(connection: Connection, wanted: InstanceSearch, conditions: Sequence[Bound]) -> int | None:
    """Count what is behind a page; None where that is more than is worth the time."""
    before = wanted.offset + wanted.limit
    statement = search_statements.count(wanted, conditions, before + MOST_COUNTED + 1)
    rest = int(execute(connection, statement).scalar_one()) - before
    return rest if rest <= MOST_COUNTED else None


def _read(connection: Connection, level: Level, rows: Sequence[Any]) -> Iterator[Found]:
    """Read the attributes of what was found."""
    if level == Level.STUDY:
        return (Found((study,), members_of(content)) for study, content in rows)
    if level == Level.SERIES:
        return (
            Found((study, series), {**members_of(of_study), **members_of(of_series)})
            for study, series, of_study, of_series in rows
        )
    return _instances(connection, rows)


def _instances(connection: Connection, rows: Sequence[Any]) -> Iterator[Found]:
    # First what is deleted together with the headers: on PostgreSQL each statement sees what was deleted before it.
    bases = read_bases(connection, {row[5] for row in rows})
    studies = _headers(connection, StudyHeader, StudyHeader.study_id, {row[4] for row in rows})
    series = _headers(connection, SeriesHeader, SeriesHeader.series_id, {row[5] for row in rows})
    above = tags_of_level(Level.STUDY) | tags_of_level(Level.SERIES)
    for study_uid, series_uid, sop_uid, sop_class, study_id, series_id, content in rows:
        if study_id not in studies or series_id not in series:
            continue
        own = members_of(unpack(content, bases.get(series_id, b"")).decode()) if content else {}
        members = {tag: member for tag, member in own.items() if tag not in above}
        members["00080018"] = _uid("00080018", sop_uid)
        if sop_class:
            members["00080016"] = _uid("00080016", sop_class)
        study = _with_own_patient(studies[study_id], own)
        yield Found((study_uid, series_uid, sop_uid), {**members, **study, **series[series_id]})


def _uid(tag: str, value: str) -> str:
    return f'"{tag}":{json_text({"vr": "UI", "Value": [value]})}'


def _with_own_patient(study: Members, own: Members) -> Members:
    """The attributes of a study, with those of the patient whom the instance names, where that is another one.

    Files of several patients may share a study (docs/decisions/0043); none may be listed under the name of another.
    """
    if all(own.get(tag, study.get(tag)) == study.get(tag) for tag in _PATIENT):
        return study
    patients = {tag for tag in tags_of_level(Level.STUDY) if tag.startswith("0010")}
    kept = {tag: member for tag, member in study.items() if tag not in patients}
    return {**kept, **{tag: member for tag, member in own.items() if tag in patients}}


def _headers(connection: Connection, table: Any, key: Any, ids: set[int]) -> dict[int, Members]:
    found: dict[int, Members] = {}
    for some in chunks(sorted(ids)):
        rows = connection.execute(select(key, table.content).where(key.in_(some)))
        found.update({row[0]: members_of(row[1]) for row in rows})
    return found
