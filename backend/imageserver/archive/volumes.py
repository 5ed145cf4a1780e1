"""Questions to the index: how far it is, which volume is the default, whose it is, where a slice is kept."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, select
from sqlalchemy.orm import Session

from imageserver.archive.files import FileIdentity
from imageserver.archive.models import INDEX_STATE_ID, File, IndexState, Instance, Series, Study, VolumeEntry
from imageserver.dicom.stacks import Arrangement

# Order of docs/decisions/0016 (True: descending): volumes, other pictures, segmentations and dose; most slices; newest
# study; UID.
BEST_FIRST: tuple[tuple[Any, bool], ...] = (
    (VolumeEntry.rank, False),
    (VolumeEntry.slice_count, True),
    (VolumeEntry.study_moment, True),
    (VolumeEntry.series_instance_uid, False),
)


class IndexStatus(NamedTuple):
    """How far the index is. `generation` is another number whenever the index is."""

    state: str = "building"
    seen: int = 0
    indexed: int = 0
    refused: int = 0
    pending: int = 0
    remaining_seconds: float | None = None
    generation: int = -1


class VolumeSummary(NamedTuple):
    """One line of the list of volumes."""

    series_instance_uid: str
    study_instance_uid: str
    modality: str | None
    description: str | None
    study_date: str | None
    slice_count: int
    verdict: str
    name: str | None
    patient_id: str | None


@dataclass(frozen=True)
class Volume:
    """Everything that the index knows about one series."""

    summary: VolumeSummary
    patient: dict[str, Any]
    arrangement: Arrangement
    warnings: tuple[dict[str, Any], ...]


class InstanceFile(NamedTuple):
    """Where an instance is kept, and why it cannot be shown, if so."""

    sop_instance_uid: str
    path: bytes
    identity: FileIdentity
    refused_code: str | None
    refused_reason: str | None


_STATE = IndexState.__table__
# Of a table, and made once: it is asked after each change.
_STATUS = select(*(_STATE.c[name] for name in IndexStatus._fields)).where(_STATE.c.id == INDEX_STATE_ID)


def get_index_status(session: Session | Connection) -> IndexStatus:
    """Return how far the index is; `building` before the first look."""
    row = session.execute(_STATUS).one_or_none()
    return IndexStatus() if row is None else IndexStatus(*row)


def find_default_series(session: Session) -> str | None:
    """Return the series that is shown when none is asked for; None when no series has pictures."""
    order = [column.desc() if is_descending else column.asc() for column, is_descending in BEST_FIRST]
    return session.scalar(select(VolumeEntry.series_instance_uid).order_by(*order).limit(1))


def find_newest_series(session: Session) -> str | None:
    """Return the newest series, be it of pictures or not; None when the index is empty."""
    newest = (Series.study_moment.desc(), Series.series_instance_uid)
    return session.scalar(select(Series.series_instance_uid).order_by(*newest).limit(1))


def get_volume(session: Session, series_instance_uid: str) -> Volume | None:
    """Return one series, or None."""
    columns = summaries().add_columns(Series.arrangement, Series.patient, Series.warnings)
    row = session.execute(columns.where(Series.series_instance_uid == series_instance_uid)).one_or_none()
    if row is None:
        return None
    return Volume(
        summary_of(row), dict(row.patient), Arrangement.from_dict(row.arrangement), tuple(row.warnings)
    )


def find_instance_file(session: Session, sop_instance_uid: str) -> InstanceFile | None:
    """Return where an instance is kept, or None."""
    statement = (
        select(
            File.path, File.size, File.mtime_ns, File.inode, Instance.refused_code, Instance.refused_reason
        )
        .join(Instance, File.instance_id == Instance.id)
        .where(Instance.sop_instance_uid == sop_instance_uid)
    )
    row = session.execute(statement).first()
    if row is None:
        return None
    return InstanceFile(sop_instance_uid, row[0], FileIdentity(*row[1:4]), *row[4:])


def summaries() -> Select[Any]:
    """Select what `summary_of` reads."""
    return select(
        Series.series_instance_uid,
        Study.study_instance_uid,
        Series.modality,
        Series.series_description,
        Study.study_date,
        Series.slice_count,
        Series.verdict,
        Series.patient["name"].as_string().label("name"),
        Series.patient["patient_id"].as_string().label("patient_id"),
    ).join(Study, Series.study_id == Study.id)


def summary_of(row: Row[Any]) -> VolumeSummary:
    """Read a row of `summaries`."""
    return VolumeSummary(*row[: len(VolumeSummary._fields)])
