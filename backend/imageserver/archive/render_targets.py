"""The instances of a study or a series in the order in which they are shown, for answers that render them all."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from imageserver.archive.addresses import INSTANCES, SERIES, FileQuestion, InstanceAddress, located
from imageserver.archive.models import Study, StudyEntry
from imageserver.archive.volumes import InstanceFile
from imageserver.dicom.arrangement import Arrangement


class RenderTarget(NamedTuple):
    """One instance; `number_of_frames` is 0 for an object without pixel data."""

    address: InstanceAddress
    file: InstanceFile
    sop_class_uid: str | None
    number_of_frames: int


_TARGETS = FileQuestion(
    INSTANCES.sop_class_uid,
    INSTANCES.frames,
    order_by=(
        SERIES.series_number.is_(None),
        SERIES.series_number,
        SERIES.series_instance_uid,
        INSTANCES.id,
    ),
)


def find_targets(
    connection: Connection | Session,
    study_instance_uid: str,
    series_instance_uid: str | None = None,
    sop_instance_uid: str | None = None,
) -> list[RenderTarget]:
    """Return the instances of a study, of one of its series, or one: by series number, then as slices are ordered."""
    rows = _TARGETS.ask(connection, study_instance_uid, series_instance_uid, sop_instance_uid)
    return [RenderTarget(*located(study_instance_uid, row), row[8], len(row[9])) for row in rows]


def in_order(targets: Sequence[RenderTarget], arrangement: Arrangement) -> list[RenderTarget]:
    """Sort the instances of one series: as the slices of its stacks lie, those of no stack last."""
    places: dict[str, int] = {}
    for uid in _uids(arrangement):
        places.setdefault(uid, len(places))
    return sorted(targets, key=lambda one: places.get(one.address.sop_instance_uid, len(places)))


def _uids(arrangement: Arrangement) -> Iterator[str]:
    if arrangement.middle is not None and arrangement.middle.stack is None:
        yield from (frame.sop_instance_uid for frame in arrangement.frames)
    for stack in arrangement.stacks:
        yield from (frame.sop_instance_uid for frame in stack.frames)


def find_standing_series(session: Session, study_instance_uid: str) -> str | None:
    """Return the series that stands for a study; empty where it has no pictures, None where there is no such study."""
    statement = (
        select(StudyEntry.series_instance_uid)
        .join(Study, StudyEntry.study_id == Study.id)
        .where(Study.study_instance_uid == study_instance_uid)
    )
    return session.scalar(statement)
