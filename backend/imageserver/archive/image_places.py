"""Whether an image is in the archive, asked by all its identifiers."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from imageserver.archive.models import Instance, Series, Study
from imageserver.errors import InstanceNotFound, SeriesNotFound, SliceNotFound, StudyNotFound


def require_frame(
    session: Session,
    study_instance_uid: str,
    series_instance_uid: str,
    sop_instance_uid: str,
    frame_number: int,
) -> None:
    """Make sure that a frame is indexed in this series of this study.

    Raises
    ------
    StudyNotFound, SeriesNotFound, InstanceNotFound, SliceNotFound
        What is missing, from the study downwards; `frame_number` counts from 1.
    """
    study_id = session.scalar(select(Study.id).where(Study.study_instance_uid == study_instance_uid))
    if study_id is None:
        raise StudyNotFound("No study in the data directory has this Study Instance UID.")
    in_study = (Series.study_id == study_id, Series.series_instance_uid == series_instance_uid)
    series_id = session.scalar(select(Series.id).where(*in_study))
    if series_id is None:
        raise SeriesNotFound("No series of the study has this Series Instance UID.")
    in_series = (Instance.series_id == series_id, Instance.sop_instance_uid == sop_instance_uid)
    frames = session.scalar(select(Instance.frames).where(*in_series))
    if frames is None:
        raise InstanceNotFound("No instance of the series has this SOP Instance UID.")
    if frame_number > len(frames):
        raise SliceNotFound(
            f"Frame {frame_number} was named; the instance has {len(frames)}, counted from 1."
        )
