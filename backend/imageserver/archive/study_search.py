"""The list of studies: filtered, sorted and cut into pages by the database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from imageserver.archive import entry_search
from imageserver.archive.entry_search import FEW, EntryFilter, Search, SortKey
from imageserver.archive.entry_sets import EntrySets
from imageserver.archive.entry_words import STUDIES, exact_key
from imageserver.archive.models import StudyEntry
from imageserver.archive.studies import StudySummary, read_studies

SORTABLE = {
    "patient_name": StudyEntry.patient_name,
    "patient_id": StudyEntry.patient_id,
    "study_date": StudyEntry.study_moment,
    "modality": StudyEntry.modality,
    "description": StudyEntry.description,
    "accession_number": StudyEntry.accession_number,
    "series_count": StudyEntry.series_count,
    "slice_count": StudyEntry.slice_count,
    "verdict": StudyEntry.verdict,
}
NEWEST_FIRST = (SortKey("study_date", is_descending=True),)


@dataclass(frozen=True, kw_only=True)
class StudyFilter(EntryFilter):
    """Which studies are wanted; all conditions together.

    Attributes
    ----------
    modalities : tuple of str
        One of its series has one of these.
    verdicts : tuple of str
        The series that stands for it has one of these.
    """

    verdicts: tuple[str, ...] = ()


class Totals(NamedTuple):
    """What the studies of a filter hold together; the last two are None where adding up would take long."""

    studies: int
    series: int | None
    slices: int | None


EVERY_STUDY = StudyFilter()


def count_studies(
    session: Session, wanted: StudyFilter = EVERY_STUDY, sets: EntrySets | None = None
) -> Totals:
    """Count the studies of a filter, and the pictures of all studies or of few."""
    search, sets = _search(wanted), sets or EntrySets()
    studies = entry_search.count_entries(session, search, sets)
    if not studies:
        return Totals(0, 0, 0)
    if studies > FEW and wanted != EVERY_STUDY:
        return Totals(studies, None, None)
    counts = select(func.sum(StudyEntry.series_count), func.sum(StudyEntry.slice_count))
    series, slices = session.execute(counts.where(*entry_search.the_few(session, search, sets))).one()
    return Totals(studies, int(series or 0), int(slices or 0))


def find_studies(
    session: Session,
    limit: int,
    offset: int = 0,
    wanted: StudyFilter = EVERY_STUDY,
    sort: Sequence[SortKey] = NEWEST_FIRST,
    *,
    total: int | None = None,
    sets: EntrySets | None = None,
) -> list[StudySummary]:
    """Return one page of the studies of a filter; equal ones follow by Study Instance UID.

    `total` is what `count_studies` answered with these `sets`, where that is known.
    """
    search, sets = _search(wanted), sets or EntrySets()
    if total is None:
        total = entry_search.count_entries(session, search, sets)
    order = entry_search.order_by(STUDIES, SORTABLE, sort)
    return read_studies(session, entry_search.find_keys(session, search, order, limit, offset, total, sets))


def _search(wanted: StudyFilter) -> Search:
    conditions = entry_search.conditions_of(STUDIES, wanted)
    if wanted.verdicts:
        conditions.append(StudyEntry.verdict.in_(map(exact_key, wanted.verdicts)))
    terms = entry_search.words_begin(wanted.words)
    if wanted.modalities:
        terms = (*terms, entry_search.any_of(wanted.modalities))
    return Search(STUDIES, tuple(conditions), terms, said=replace(wanted, words=(), modalities=()))
