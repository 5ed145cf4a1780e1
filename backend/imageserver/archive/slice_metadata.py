"""The metadata of slices that follow each other: of a few files of a series, whatever their number."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from imageserver.archive.models import Instance, Series
from imageserver.archive.reading_rules import metadata_stamp
from imageserver.archive.series_metadata import MetadataList
from imageserver.archive.slice_lists import ListedSlice
from imageserver.archive.volumes import Volume

CHUNK = 500  # values in one IN (…)


def list_slice_metadata(session: Session, volume: Volume, slices: Sequence[ListedSlice]) -> MetadataList:
    """List the instances of slices for `series_metadata.write_metadata`, each once.

    Parameters
    ----------
    session : Session
        Of the index.
    volume : Volume
        The series.
    slices : sequence of ListedSlice
        Of that series.
    """
    uids = list(dict.fromkeys(one.frame.sop_instance_uid for one in slices))
    numbers: list[int] = []
    for start in range(0, len(uids), CHUNK):
        statement = (
            select(Instance.id)
            .join(Series, Instance.series_id == Series.id)
            .where(Series.series_instance_uid == volume.summary.series_instance_uid)
            .where(Instance.sop_instance_uid.in_(uids[start : start + CHUNK]))
        )
        numbers += session.scalars(statement)
    files = [one.file for one in slices]
    digest = hashlib.sha256(repr((metadata_stamp(), uids, files)).encode()).hexdigest()
    summary = volume.summary
    return MetadataList(
        summary.study_instance_uid, summary.series_instance_uid, f'"{digest[:32]}"', tuple(sorted(numbers))
    )
