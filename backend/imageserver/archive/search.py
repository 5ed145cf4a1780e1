"""The list of volumes: filtered, sorted and cut into pages by the database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from imageserver.archive import entry_search
from imageserver.archive.entry_search import EntryFilter, Search, SortKey
from imageserver.archive.entry_sets import EntrySets
from imageserver.archive.entry_words import VOLUMES, exact_key
from imageserver.archive.models import Series, Study, VolumeEntry
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


@dataclass(frozen=True, kw_only=True)
class VolumeFilter(EntryFilter):
    """Which volumes are wanted; all conditions together."""

    study_instance_uid: str | None = None


EVERYTHING = VolumeFilter()


def count_volumes(session: Session, wanted: VolumeFilter = EVERYTHING, sets: EntrySets | None = None) -> int:
    """Count the volumes of a filter."""
    return entry_search.count_entries(session, _search(wanted), sets or EntrySets())


def find_volumes(
    session: Session,
    limit: int,
    offset: int = 0,
    wanted: VolumeFilter = EVERYTHING,
    sort: Sequence[SortKey] = (),
    *,
    total: int | None = None,
    sets: EntrySets | None = None,
) -> list[VolumeSummary]:
    """Return one page of the volumes of a filter.

    Without `sort` the default volume comes first, in the order of `BEST_FIRST`. Equal ones follow by Series Instance
    UID, so that no page repeats or misses one. `total` is what `count_volumes` answered with these
    `sets`, where that is known.
    """
    sets = sets or EntrySets()
    if total is None:
        total = count_volumes(session, wanted, sets)
    order = entry_search.order_by(VOLUMES, SORTABLE, sort) if sort else BEST_FIRST
    found = entry_search.find_keys(session, _search(wanted), order, limit, offset, total, sets)
    # Apart: PostgreSQL would take the wide tables into one plan, and read them whole.
    rows = session.execute(summaries().add_columns(Series.id).where(Series.id.in_(found)))
    by_id = {row.id: summary_of(row) for row in rows}
    return [by_id[series_id] for series_id in found if series_id in by_id]


def _search(wanted: VolumeFilter) -> Search:
    conditions = entry_search.conditions_of(VOLUMES, wanted)
    if wanted.modalities:
        keys = [exact_key(modality) for modality in wanted.modalities]
        modality = VolumeEntry.modality
        # Of one modality the default order is an index.
        conditions.append(modality == keys[0] if len(keys) == 1 else modality.in_(keys))
    if wanted.study_instance_uid is not None:
        study = select(Study.id).where(Study.study_instance_uid == wanted.study_instance_uid)
        conditions.append(VolumeEntry.study_id == study.scalar_subquery())
    terms = entry_search.words_begin(wanted.words)
    return Search(VOLUMES, tuple(conditions), terms, said=replace(wanted, words=()))
