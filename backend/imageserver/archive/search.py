"""The list of volumes: filtered, sorted and cut into pages by the database.

Each order is an index (`models.VolumeEntry`), and so is the search for the beginning of a word. How the two are put
together is decided here, because a database without statistics guesses it: few volumes are looked up and sorted; of
many the list is walked in its order until the page is full.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, exists, func, select
from sqlalchemy.orm import Session

from imageserver.archive.entries import LONGEST_PREFIX, exact_key
from imageserver.archive.models import Series, Study, VolumeEntry, VolumePrefix, VolumeWord
from imageserver.archive.volumes import BEST_FIRST, VolumeSummary, summaries, summary_of

SORTABLE = {
    "patient_name": VolumeEntry.patient_name,
    "patient_id": VolumeEntry.patient_id,
    "study_date": VolumeEntry.study_moment,
    "modality": VolumeEntry.modality,
    "description": VolumeEntry.description,
    "accession_number": VolumeEntry.accession_number,
    "slice_count": VolumeEntry.slice_count,
    "verdict": VolumeEntry.verdict,
}
FEW = 2000  # so many volumes are sorted faster than the list is walked
Order = Sequence[tuple[Any, bool]]  # columns, and whether each is descending
_LAST_CHARACTER = "\U0010ffff"
_BEHIND_DIGITS = ":"  # the character after 9, so behind every time of a day


@dataclass(frozen=True)
class VolumeFilter:
    """Which volumes are wanted; all conditions together.

    Attributes
    ----------
    words : tuple of str
        Each is the beginning of a word of the patient's name or ID, accession number or descriptions; folded by
        `query_words`.
    modalities : tuple of str
        One of these.
    study_date_from, study_date_to : str or None
        YYYYMMDD, both days included. Volumes without a date have no place in either.
    patient_id, accession_number, study_instance_uid : str or None
        Exactly this.
    """

    words: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    study_date_from: str | None = None
    study_date_to: str | None = None
    patient_id: str | None = None
    accession_number: str | None = None
    study_instance_uid: str | None = None


@dataclass(frozen=True)
class SortKey:
    """A column of `SORTABLE` and its direction."""

    column: str
    is_descending: bool = False


EVERYTHING = VolumeFilter()


def count_volumes(session: Session, wanted: VolumeFilter = EVERYTHING) -> int:
    """Count the volumes of a filter."""
    conditions = _conditions(wanted)
    if len(wanted.words) == 1 and not conditions:  # the index of words knows
        return _count_word(session, wanted.words[0])
    conditions += _look_up(session, wanted.words)
    return session.scalar(select(func.count()).select_from(VolumeEntry).where(*conditions)) or 0


def find_volumes(
    session: Session,
    limit: int,
    offset: int = 0,
    wanted: VolumeFilter = EVERYTHING,
    sort: Sequence[SortKey] = (),
    *,
    total: int | None = None,
) -> list[VolumeSummary]:
    """Return one page of the volumes of a filter.

    Without `sort` the default volume comes first, in the order of `BEST_FIRST`. Equal ones follow by Series Instance
    UID, so that no page repeats or misses one. `total` is what `count_volumes` answered, where that is known.
    """
    if total is None:
        total = count_volumes(session, wanted)
    if offset >= total:
        return []
    is_walked = total > FEW
    words = list(map(_has, wanted.words)) if is_walked else _look_up(session, wanted.words)
    order = _by(_order(sort), is_index_used=is_walked)
    page = select(VolumeEntry.series_id).where(*_conditions(wanted), *words).order_by(*order)
    found = list(session.scalars(page.limit(limit).offset(offset)))
    # Apart: PostgreSQL would take the wide tables into one plan, and read them whole.
    rows = session.execute(summaries().add_columns(Series.id).where(Series.id.in_(found)))
    by_id = {row.id: summary_of(row) for row in rows}
    return [by_id[series_id] for series_id in found if series_id in by_id]


def _order(sort: Sequence[SortKey]) -> Order:
    if not sort:
        return BEST_FIRST
    keys = {key.column: key for key in reversed(sort)}  # of a repeated one the first counts
    wanted = [keys.pop(key.column) for key in sort if key.column in keys]
    order = [(SORTABLE[key.column], key.is_descending) for key in wanted]
    # In the direction of the first key: so one index serves both directions.
    return [*order, (VolumeEntry.series_instance_uid, wanted[0].is_descending)]


def _by(order: Order, *, is_index_used: bool) -> list[ColumnElement[Any]]:
    def term(column: ColumnElement[Any]) -> ColumnElement[Any]:
        if is_index_used:
            return column
        # An expression has no index, so the database has to look the few volumes up and sort them.
        return column + ("" if isinstance(column.type, Text) else 0)

    return [term(column).desc() if is_descending else term(column).asc() for column, is_descending in order]


def _conditions(wanted: VolumeFilter) -> list[ColumnElement[bool]]:
    """Return all conditions but the words."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.modalities:
        keys = [exact_key(modality) for modality in wanted.modalities]
        modality = VolumeEntry.modality
        # Of one modality the default order is an index.
        conditions.append(modality == keys[0] if len(keys) == 1 else modality.in_(keys))
    if wanted.study_date_from or wanted.study_date_to:
        conditions.append(VolumeEntry.study_moment >= (wanted.study_date_from or "0"))
    if wanted.study_date_to:
        conditions.append(VolumeEntry.study_moment < wanted.study_date_to + _BEHIND_DIGITS)
    if wanted.patient_id is not None:
        conditions.append(VolumeEntry.patient_id == exact_key(wanted.patient_id))
    if wanted.accession_number is not None:
        conditions.append(VolumeEntry.accession_number == exact_key(wanted.accession_number))
    if wanted.study_instance_uid is not None:
        study = select(Study.id).where(Study.study_instance_uid == wanted.study_instance_uid)
        conditions.append(VolumeEntry.study_id == study.scalar_subquery())
    return conditions


def _look_up(session: Session, words: Sequence[str]) -> list[ColumnElement[bool]]:
    """Look the volumes of the rarest word up, and ask each of them for the other words."""
    if not words:
        return []
    counts = {word: _count_word(session, word, at_most=FEW) for word in words} if len(words) > 1 else {}
    rarest = min(words, key=lambda word: counts.get(word, 0))
    others = [_has(word) for word in words if word != rarest]
    return [VolumeEntry.series_id.in_(_with_word(rarest)), *others]


def _count_word(session: Session, word: str, at_most: int | None = None) -> int:
    """Count the volumes with a word that begins so; one with several such words may count more often up to a limit."""
    if len(word) <= LONGEST_PREFIX:
        return session.scalar(select(VolumePrefix.volumes).where(VolumePrefix.prefix == word)) or 0
    rows = _with_word(word).distinct() if at_most is None else _with_word(word).limit(at_most)
    return session.scalar(select(func.count()).select_from(rows.subquery())) or 0


def _has(word: str) -> ColumnElement[bool]:
    """Ask one volume for a word."""
    return exists().where(VolumeWord.series_id == VolumeEntry.series_id, _begins(word))


def _with_word(word: str) -> Select[int]:
    return select(VolumeWord.series_id).where(_begins(word))


def _begins(word: str) -> ColumnElement[bool]:
    return (VolumeWord.word >= word) & (VolumeWord.word < word + _LAST_CHARACTER)
