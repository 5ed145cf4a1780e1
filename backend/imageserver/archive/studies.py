"""Questions to the index about studies: what a list says of each, and one study with its series."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from imageserver.archive.files import FileIdentity
from imageserver.archive.models import File, Instance, Series, Study, StudyEntry
from imageserver.archive.study_entries import RANK_WITHOUT_PIXELS
from imageserver.archive.thumbnail_keys import ThumbnailKey


class StudySummary(NamedTuple):
    """One line of the list of studies.

    Attributes
    ----------
    series_count, slice_count : int
        Of the series with pictures.
    series_without_pictures : int
        Reports, presentation states and the like.
    series_instance_uid : str or None
        The series that stands for the study; None where none has pictures.
    patient : dict
        `study_entries.summarise_study_patient`.
    thumbnail : ThumbnailKey or None
        Of the middle slice of that series.
    """

    study_instance_uid: str
    study_date: str | None
    study_time: str | None
    description: str | None
    accession_number: str | None
    modalities: tuple[str, ...]
    series_count: int
    slice_count: int
    series_without_pictures: int
    verdict: str
    series_instance_uid: str | None
    patient: dict[str, Any]
    thumbnail: ThumbnailKey | None


class SeriesSummary(NamedTuple):
    """One series of a study."""

    series_instance_uid: str
    series_number: int | None
    series_date: str | None
    series_time: str | None
    modality: str | None
    description: str | None
    slice_count: int
    verdict: str
    has_pictures: bool
    thumbnail: ThumbnailKey | None


@dataclass(frozen=True)
class StudyDetail:
    """A study and its series."""

    study_id: int
    summary: StudySummary
    series: tuple[SeriesSummary, ...]


_MIDDLE = (
    Series.middle_sop_instance_uid,
    Series.middle_frame_number,
    File.size,
    File.mtime_ns,
    File.inode,
)


_OF_SERIES: tuple[Any, ...] = (
    Series.series_instance_uid,
    Series.series_number,
    Series.series_date,
    Series.series_time,
    Series.modality,
    Series.series_description,
    Series.slice_count,
    Series.verdict,
    Series.rank,
)


def read_studies(session: Session, study_ids: Sequence[int]) -> list[StudySummary]:
    """Return what the list says of studies, in this order."""
    columns = (
        StudyEntry.study_id,
        Study.study_instance_uid,
        Study.study_date,
        Study.study_time,
        Study.study_description,
        Study.accession_number,
        Study.modalities,
        StudyEntry.series_count,
        StudyEntry.slice_count,
        StudyEntry.series_without_pictures,
        StudyEntry.verdict,
        StudyEntry.series_instance_uid,
        Study.patient,
    )
    statement = select(*columns).join(Study, StudyEntry.study_id == Study.id)
    rows = session.execute(statement.where(StudyEntry.study_id.in_(study_ids))).all()
    thumbnails = _read_thumbnails(session, [row.series_instance_uid for row in rows])
    by_id = {row.study_id: _summary(row, thumbnails.get(row.series_instance_uid)) for row in rows}
    return [by_id[study_id] for study_id in study_ids if study_id in by_id]


def _read_thumbnails(session: Session, series_uids: Sequence[str]) -> dict[str, ThumbnailKey | None]:
    # Apart: the two UIDs are compared by different rules (`models.KEY`), so that PostgreSQL could use no index.
    uid = Series.series_instance_uid
    rows = session.execute(_with_middle(select(uid)).where(uid.in_(series_uids)))
    return {row.series_instance_uid: _thumbnail(row, row.series_instance_uid) for row in rows}


def _with_middle(statement: Select[Any]) -> Select[Any]:
    middle = Instance.sop_instance_uid == Series.middle_sop_instance_uid
    return (
        statement.add_columns(*_MIDDLE)
        .outerjoin(Instance, middle)
        .outerjoin(File, File.instance_id == Instance.id)
    )


def _summary(row: Row[Any], thumbnail: ThumbnailKey | None) -> StudySummary:
    return StudySummary(
        row.study_instance_uid,
        row.study_date,
        row.study_time,
        row.study_description,
        row.accession_number,
        tuple(row.modalities),
        row.series_count,
        row.slice_count,
        row.series_without_pictures,
        row.verdict,
        row.series_instance_uid or None,
        dict(row.patient),
        thumbnail,
    )


def _thumbnail(row: Row[Any], series_instance_uid: str) -> ThumbnailKey | None:
    if row.middle_sop_instance_uid is None or row.size is None:
        return None
    identity = FileIdentity(row.size, row.mtime_ns, row.inode)
    return ThumbnailKey(series_instance_uid, row.middle_sop_instance_uid, row.middle_frame_number, identity)


def get_study(session: Session, study_instance_uid: str) -> StudyDetail | None:
    """Return a study with its series, sorted by Series Number, then date and time; None where there is none."""
    study_id = session.scalar(
        select(StudyEntry.study_id).where(StudyEntry.study_instance_uid == study_instance_uid)
    )
    found = [] if study_id is None else read_studies(session, [study_id])
    if study_id is None or not found:
        return None
    return StudyDetail(study_id, found[0], tuple(_read_series(session, study_id)))


def _read_series(session: Session, study_id: int) -> list[SeriesSummary]:
    statement = _with_middle(select(*_OF_SERIES)).where(Series.study_id == study_id)
    series = []
    for row in session.execute(statement):
        values = dict(zip(SeriesSummary._fields, row, strict=False))
        values["has_pictures"] = row.rank < RANK_WITHOUT_PIXELS
        values["thumbnail"] = _thumbnail(row, row.series_instance_uid)
        series.append(SeriesSummary(**values))
    return sorted(series, key=_place_of_series)


def _place_of_series(series: SeriesSummary) -> tuple[Any, ...]:
    """What a file does not say comes last."""
    moment = (series.series_date or "~", series.series_time or "~")
    return series.series_number is None, series.series_number or 0, *moment, series.series_instance_uid
