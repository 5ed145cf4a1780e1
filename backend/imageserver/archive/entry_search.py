"""A page of a list of entries: filtered, sorted and cut by the database; the same for every list.

Each order is an index (`models.py`), and so is the search for the beginning of a word. How the two are put together is
decided here, because a database without statistics guesses it: few entries are looked up and sorted; of many the list
is walked in its order until the page is full, from the end that is nearer. Where several conditions have many entries
each, those that fulfil all are found by sets (`entry_sets.py`).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Select, Text, exists, func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.visitors import replacement_traverse

from imageserver.archive.entry_sets import EntrySets, one_of, read_set
from imageserver.archive.entry_words import LONGEST_PREFIX, EntryList, exact_key, exactly

FEW = 2000  # so many entries are sorted faster than the list is walked
NEAR = 10  # the first tenth of what is found is reached by asking each entry on the way
Order = Sequence[tuple[Any, bool]]  # columns, and whether each is descending
_LAST_CHARACTER = "\U0010ffff"
_BEHIND_DIGITS = ":"  # the character after 9, so behind every time of a day


class Term(NamedTuple):
    """What a word of an entry has to be: one of these, or begin with it."""

    texts: tuple[str, ...]
    is_whole: bool = False


@dataclass(frozen=True, kw_only=True)
class EntryFilter:
    """Which entries are wanted; all conditions together.

    Attributes
    ----------
    words : tuple of str
        Each is the beginning of a word of the patient's name or ID, accession number or descriptions; folded by
        `query_words`.
    modalities : tuple of str
        One of these.
    study_date_from, study_date_to : str or None
        YYYYMMDD, both days included. Entries without a date have no place in either.
    patient_id, accession_number : str or None
        Exactly this.
    """

    words: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    study_date_from: str | None = None
    study_date_to: str | None = None
    patient_id: str | None = None
    accession_number: str | None = None


@dataclass(frozen=True)
class SortKey:
    """A column of a list and its direction."""

    column: str
    is_descending: bool = False


@dataclass(frozen=True)
class Search:
    """What is looked for in a list: conditions on the entries themselves, and on their words.

    `said` says the conditions as a value that can be compared, which expressions cannot.
    """

    of: EntryList
    conditions: tuple[ColumnElement[bool], ...] = ()
    terms: tuple[Term, ...] = ()
    said: Hashable = None


def any_of(values: Sequence[str]) -> Term:
    """Return the term of values that are only asked for as a whole (`entry_words.exactly`)."""
    return Term(tuple(map(exactly, values)), is_whole=True)


def words_begin(words: Sequence[str]) -> tuple[Term, ...]:
    """Return the terms of words that were typed."""
    return tuple(Term((word,)) for word in words)


def conditions_of(of: EntryList, wanted: EntryFilter) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter on the columns that all lists have."""
    conditions: list[ColumnElement[bool]] = []
    moment = of.column("study_moment")
    if wanted.study_date_from or wanted.study_date_to:
        conditions.append(moment >= (wanted.study_date_from or "0"))
    if wanted.study_date_to:
        conditions.append(moment < wanted.study_date_to + _BEHIND_DIGITS)
    if wanted.patient_id is not None:
        conditions.append(of.column("patient_id") == exact_key(wanted.patient_id))
    if wanted.accession_number is not None:
        conditions.append(of.column("accession_number") == exact_key(wanted.accession_number))
    return conditions


def order_by(of: EntryList, sortable: dict[str, Any], sort: Sequence[SortKey]) -> Order:
    """Return an order by columns; equal ones follow by UID, so that no page repeats or misses one."""
    keys = {key.column: key for key in reversed(sort)}  # of a repeated one the first counts
    wanted = [keys.pop(key.column) for key in sort if key.column in keys]
    order = [(sortable[key.column], key.is_descending) for key in wanted]
    # In the direction of the first key: so one index serves both directions.
    return [*order, (of.column(of.uid), wanted[0].is_descending)]


def count_entries(session: Session, search: Search, sets: EntrySets) -> int:
    """Count the entries that are looked for; `sets` of the same generation of the index are used and extended."""
    if len(search.terms) == 1 and not search.conditions:  # the index of words knows
        return _count_term(session, search.of, search.terms[0])
    if _takes_sets(session, search):
        return _entries(session, search, sets).bit_count()
    if search.terms:  # one of them has few entries
        return _few_entries(session, search, sets).bit_count()
    found = select(func.count()).select_from(search.of.entry).where(*search.conditions)
    return session.scalar(found) or 0


def find_keys(
    session: Session, search: Search, order: Order, limit: int, offset: int, total: int, sets: EntrySets
) -> list[int]:
    """Return the keys of one page of the entries that are looked for.

    Parameters
    ----------
    session : Session
        To read in.
    search : Search
        What is looked for.
    order : Order
        Of columns of the entries, the last one unique.
    limit, offset : int
        The page.
    total : int
        What `count_entries` answers.
    sets : EntrySets
        As for `count_entries`.
    """
    limit = min(limit, total - offset)
    if limit <= 0:
        return []
    is_walked = total > FEW
    is_backwards = offset > (total - limit) // 2
    if is_backwards:
        offset = total - offset - limit
    wanted = (
        _on_the_way(session, search, order, is_far=offset * NEAR > total)
        if is_walked
        else the_few(session, search, sets)
    )
    columns = [(column, is_descending != is_backwards) for column, is_descending in order]
    page = select(search.of.entry_key).where(*wanted).order_by(*_by(columns, is_index_used=is_walked))
    found = list(session.scalars(page.limit(limit).offset(offset)))
    return found[::-1] if is_backwards else found


def the_few(session: Session, search: Search, sets: EntrySets) -> list[ColumnElement[bool]]:
    """Return what holds for the entries that are looked for, where these are at most `FEW`."""
    find = _entries if _takes_sets(session, search) else _few_entries
    return [one_of(session, search.of.entry_key, find(session, search, sets))]


def _takes_sets(session: Session, search: Search) -> bool:
    """Tell whether several conditions, each of many entries, are to be put together."""
    conditions = bool(search.conditions) + sum(len(term.texts) for term in search.terms)
    if conditions < 2:
        return False
    return all(_count_term(session, search.of, term, at_most=FEW + 1) > FEW for term in search.terms)


def _entries(session: Session, search: Search, sets: EntrySets) -> int:
    """Return the set of entries that fulfil everything."""
    of = search.of

    def entries_with(term: Term) -> int:
        return sets.get((of.key, term), lambda: read_set(session, _with_word(of, term)))

    found = [
        reduce(or_, (entries_with(Term((text,), term.is_whole)) for text in term.texts))
        for term in search.terms
    ]
    if search.conditions:
        keys = select(of.entry_key).where(*search.conditions)
        found.append(sets.get((of.key, search.said), lambda: read_set(session, keys)))
    return reduce(and_, found)


def _by(order: Order, *, is_index_used: bool) -> list[ColumnElement[Any]]:
    def term(column: ColumnElement[Any]) -> ColumnElement[Any]:
        if is_index_used:
            return column
        # An expression has no index, so the database has to look the few entries up and sort them.
        return column + ("" if isinstance(column.type, Text) else 0)

    return [term(column).desc() if is_descending else term(column).asc() for column, is_descending in order]


def _on_the_way(session: Session, search: Search, order: Order, *, is_far: bool) -> list[ColumnElement[bool]]:
    """Ask each entry that is walked by; on a long way it is quicker to look all entries with a word up before.

    An expression keeps the database from going through those in their own order instead, and sorting them.
    """
    of = search.of
    if not is_far:
        conditions = _without_index(session, search.conditions, but=order[0][0])
        return [*conditions, *(_has(of.entry_key, of, term) for term in search.terms)]
    found = ((of.entry_key + 0).in_(_with_word(of, term)) for term in search.terms)
    return [*search.conditions, *found]


def _without_index(
    session: Session, conditions: Sequence[ColumnElement[bool]], but: ColumnElement[Any] | None = None
) -> list[ColumnElement[bool]]:
    """Keep SQLite from looking conditions up in an index, except that of the column `but`.

    It takes the index of a range although a page is found by a few steps along another, and sorts all of the range.
    PostgreSQL knows how many steps there will be, as long as it sees the columns.
    """
    if session.get_bind().dialect.name != "sqlite":
        return list(conditions)

    def hidden(element: Any, **_options: Any) -> Any:
        is_hidden = isinstance(element, Column) and element.name != getattr(but, "name", None)
        return element.concat("") if is_hidden and isinstance(element.type, Text) else None

    return [replacement_traverse(condition, {}, hidden) for condition in conditions]


def _few_entries(session: Session, search: Search, sets: EntrySets) -> int:
    """Return the set of entries that fulfil everything, where few do: page, count and sums ask for it."""
    key = (search.of.key, search.terms, search.said)
    return sets.get(key, lambda: read_set(session, _looked_up(session, search)))


def _looked_up(session: Session, search: Search) -> Select[int]:
    """Look the entries of the rarest term up, and ask each of them for the other terms."""
    of, terms = search.of, search.terms
    if not terms:
        return select(of.entry_key).where(*search.conditions)
    counts = {term: _count_term(session, of, term, at_most=FEW) for term in terms} if len(terms) > 1 else {}
    rarest = min(terms, key=lambda term: counts.get(term, 0))
    others = [term for term in terms if term != rarest]
    if not search.conditions:  # the words alone tell
        rare = _with_word(of, rarest).subquery()
        key = rare.c[of.key]
        return select(key).where(*(_has(key, of, term) for term in others))
    conditions = _without_index(session, search.conditions)
    others_too = (_has(of.entry_key, of, term) for term in others)
    return select(of.entry_key).where(of.entry_key.in_(_with_word(of, rarest)), *conditions, *others_too)


def _count_term(session: Session, of: EntryList, term: Term, at_most: int | None = None) -> int:
    """Count the entries with such a word; one with several may count more often up to a limit."""
    if len(term.texts) == 1 and (term.is_whole or len(term.texts[0]) <= LONGEST_PREFIX):
        counted = select(of.prefix_count).where(of.prefix_text == term.texts[0])
        return session.scalar(counted) or 0
    rows = _with_word(of, term).distinct() if at_most is None else _with_word(of, term).limit(at_most)
    return session.scalar(select(func.count()).select_from(rows.subquery())) or 0


def _has(key: ColumnElement[int], of: EntryList, term: Term) -> ColumnElement[bool]:
    """Ask one entry for a word."""
    return exists().where(of.word_key == key, _matches(of, term))


def _with_word(of: EntryList, term: Term) -> Select[int]:
    return select(of.word_key).where(_matches(of, term))


def _matches(of: EntryList, term: Term) -> ColumnElement[bool]:
    word = of.word_text
    if term.is_whole:
        matching: ColumnElement[bool] = word.in_(term.texts) if len(term.texts) > 1 else word == term.texts[0]
        return matching
    begins: ColumnElement[bool] = (word >= term.texts[0]) & (word < term.texts[0] + _LAST_CHARACTER)
    return begins
