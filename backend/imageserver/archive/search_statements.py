"""The statements of a search: a page of what fulfils conditions, with what is kept of each.

The page itself is found among narrow rows, in the order of an index where nothing is asked for that is rarer; only the
rows of the page are joined with what they say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult

from imageserver.archive.reading_rules import metadata_stamp
from imageserver.archive.search_conditions import Bound, all_of
from imageserver.dicom.attribute_levels import level_of
from imageserver.dicom.attributes import Level
from imageserver.dicom.matching import Condition, Empty, Key, MomentCondition

# Conditions that PostgreSQL may turn into joins. It looks for the best order of all joins, which takes minutes of a
# hundred of them; a condition that IS TRUE is looked up row by row in what its subquery found.
MOST_JOINED = 4
# Of the newest studies, how many are asked for a first page before all are. Of codes there are few, so one has many
# studies. Of a pattern nobody knows: up to 10,000 values are compared before 200 studies are found and asked, of more
# a part is asked that takes about as long. Ids tell about how many studies there are.
NEWEST_OF_CODES = "1000"
NEWEST_OF_PATTERNS = "(SELECT max(0, (max(study_id) - 10000) / 50) FROM study_entries)"

# The rows of a level: of what they are, and how that is joined with the headers when the page is found.
_ROWS = {
    Level.STUDY: (
        "SELECT study_entries.study_id, study_moment, study_instance_uid FROM study_entries",
        "SELECT page.study_instance_uid, study_headers.content FROM ({}) AS page"
        " JOIN study_headers ON study_headers.study_id = page.study_id",
    ),
    Level.SERIES: (
        "SELECT series.id, series.study_id, series_number, series_instance_uid FROM series",
        "SELECT studies.study_instance_uid, page.series_instance_uid, study_headers.content, series_headers.content"
        " FROM ({}) AS page JOIN studies ON studies.id = page.study_id"
        " JOIN study_headers ON study_headers.study_id = page.study_id"
        " JOIN series_headers ON series_headers.series_id = page.id",
    ),
    Level.INSTANCE: (
        "SELECT instances.id, instances.series_id, instance_number, sop_instance_uid, sop_class_uid FROM instances",
        "SELECT studies.study_instance_uid, series.series_instance_uid, page.sop_instance_uid, page.sop_class_uid,"
        " series.study_id, page.series_id, instance_metadata.content"
        " FROM ({}) AS page JOIN series ON series.id = page.series_id JOIN studies ON studies.id = series.study_id"
        " LEFT JOIN instance_metadata ON instance_metadata.instance_id = page.id AND instance_metadata.made_by = ?",
    ),
}
_HAS_HEADER = {
    Level.STUDY: "EXISTS (SELECT 1 FROM study_headers WHERE study_headers.study_id = study_entries.study_id)",
    Level.SERIES: "EXISTS (SELECT 1 FROM series_headers WHERE series_headers.series_id = series.id)",
    Level.INSTANCE: "EXISTS (SELECT 1 FROM series_headers WHERE series_headers.series_id = instances.series_id)",
}
_STUDY_OF = "(SELECT studies.id FROM studies WHERE studies.study_instance_uid = ?)"


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


def execute(connection: Connection, statement: Bound, **options: Any) -> CursorResult[Any]:
    """Ask the database, with these execution options."""
    text = statement.text if asks_sqlite(connection) else statement.text.replace("?", "%s")
    return connection.exec_driver_sql(text, statement.values, execution_options=options)


def asks_sqlite(connection: Connection) -> bool:
    """Tell which of the databases is asked."""
    return connection.dialect.name == "sqlite"


def page(wanted: InstanceSearch, conditions: Sequence[Bound], limit: int, offset: int = 0) -> Bound:
    """Return the statement of a page; its limit and offset are not those of the search.

    Returns
    -------
    Bound
        Of studies: UID, content. Of series: both UIDs, both contents. Of instances: the three UIDs, the SOP Class UID,
        the ids of study and series, and the packed metadata, or NULL.
    """
    found = _where(wanted, conditions)
    _, joined = _ROWS[wanted.level]
    rows = f"{found.text} ORDER BY {_order(wanted, _TABLES[wanted.level])} LIMIT ? OFFSET ?"
    values = (*found.values, limit, offset, *((metadata_stamp(),) if wanted.level == Level.INSTANCE else ()))
    return Bound(f"{joined.format(rows)} ORDER BY {_order(wanted, 'page')}", values)


def page_of_newest(wanted: InstanceSearch, conditions: Sequence[Bound], limit: int) -> Bound:
    """Return the statement of the first page of studies, as far as it is among the newest ones (of SQLite).

    The conditions are asked of each in turn, and no more when the page is full.
    """
    has_codes = all(isinstance(key, Condition) and key.vr == "CS" for key in wanted.keys)
    newest = NEWEST_OF_CODES if has_codes else NEWEST_OF_PATTERNS
    oldest = f"SELECT study_moment FROM study_entries ORDER BY study_moment DESC LIMIT 1 OFFSET {newest}"  # noqa: S608
    return page(wanted, [Bound(f"study_moment >= coalesce(({oldest}), '')"), *conditions], limit)


def count(wanted: InstanceSearch, conditions: Sequence[Bound], most: int) -> Bound:
    """Return the statement that counts all, up to `most`."""
    found = _where(wanted, conditions)
    return Bound(f"SELECT count(*) FROM ({found.text} LIMIT ?) AS found", (*found.values, most))  # noqa: S608


def _where(wanted: InstanceSearch, conditions: Sequence[Bound]) -> Bound:
    """Select the rows of a level that fulfil the conditions, as far as their headers are kept.

    A key belongs to a header, and where a series has one, its study has: what is asked for by key is there, without
    what an upgrade has still to read. To look for the headers of thousands, long as they are, takes far longer than to
    find them.
    """
    header = Level.STUDY if wanted.level == Level.STUDY else Level.SERIES
    is_sure = any(_level_of(key) == header for key in wanted.keys)
    kept = [] if is_sure else [Bound(_HAS_HEADER[wanted.level])]
    looked_up = (Bound(f"({one.text}) IS TRUE", one.values) for one in conditions[MOST_JOINED:])
    where = all_of([*kept, *_within(wanted), *conditions[:MOST_JOINED], *looked_up])
    rows, _ = _ROWS[wanted.level]
    return Bound(f"{rows} WHERE {where.text}" if where.text else rows, where.values)


def _level_of(key: Key) -> Level | None:
    """Return the level of whose keys a key needs one; None where it may need none."""
    is_sure = isinstance(key, MomentCondition) or (
        isinstance(key, Condition) and not any(isinstance(test, Empty) for test in key.tests)
    )
    return level_of(key.tag) if is_sure else None


def _within(wanted: InstanceSearch) -> list[Bound]:
    """Return the conditions of an address, each on ids that are looked up once."""
    study, series = wanted.study_instance_uid, wanted.series_instance_uid
    if wanted.level == Level.STUDY or (study is None and series is None):
        return []
    if wanted.level == Level.SERIES:
        return [Bound(f"series.study_id = {_STUDY_OF}", (study,))]
    named = [Bound(f"series.study_id = {_STUDY_OF}", (study,))] if study is not None else []
    named += [Bound("series.series_instance_uid = ?", (series,))] if series is not None else []
    where = all_of(named)
    of_series = f"(SELECT series.id FROM series WHERE {where.text})"  # noqa: S608 - no value in it
    return [Bound(f"instances.series_id {'IN' if series is None else '='} {of_series}", where.values)]


def _order(wanted: InstanceSearch, table: str) -> str:
    """Return the order of a level, by the columns of its table or of a page of it.

    Where the address names nothing, it is one that an index has: all rows would have to be sorted for each page.
    """
    if wanted.level == Level.STUDY:
        return f"{table}.study_moment DESC, {table}.study_instance_uid DESC"
    above, number, uid = (
        ("study_id", "series_number", "series_instance_uid")
        if wanted.level == Level.SERIES
        else ("series_id", "instance_number", "sop_instance_uid")
    )
    if wanted.study_instance_uid is None and wanted.series_instance_uid is None:
        return f"{table}.{above}, {table}.id"
    return f"{table}.{above}, {table}.{number} IS NULL, {table}.{number}, {table}.{uid}"


_TABLES = {Level.STUDY: "study_entries", Level.SERIES: "series", Level.INSTANCE: "instances"}
