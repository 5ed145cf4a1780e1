"""Instances by the three UIDs of their address, as DICOMweb has it."""

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from imageserver.archive.files import FileIdentity
from imageserver.archive.models import File, Instance, Series, Study
from imageserver.archive.volumes import InstanceFile


class InstanceAddress(NamedTuple):
    """Where an instance stands in the hierarchy of DICOM."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str

    @property
    def path(self) -> str:
        """The path of the instance beneath the root of DICOMweb (PS3.18 10.1.1)."""
        return (
            f"studies/{self.study_instance_uid}/series/{self.series_instance_uid}"
            f"/instances/{self.sop_instance_uid}"
        )


class FoundInstance(NamedTuple):
    """An instance with its file.

    Attributes
    ----------
    file : InstanceFile
    transfer_syntax_uid : str
        As declared or found; empty where neither is known.
    number_of_frames : int
        0 for an object without pixel data.
    """

    file: InstanceFile
    transfer_syntax_uid: str
    number_of_frames: int


def find_instance(session: Session, address: InstanceAddress) -> FoundInstance | None:
    """Return an instance; None where the three UIDs do not belong together."""
    columns = (
        File.path, File.size, File.mtime_ns, File.inode,
        Instance.refused_code, Instance.refused_reason, Instance.transfer_syntax_uid, Instance.frames,
    )  # fmt: skip
    statement = (
        select(*columns)
        .join(Instance, File.instance_id == Instance.id)
        .join(Series, Instance.series_id == Series.id)
        .join(Study, Series.study_id == Study.id)
        .where(
            Instance.sop_instance_uid == address.sop_instance_uid,
            Series.series_instance_uid == address.series_instance_uid,
            Study.study_instance_uid == address.study_instance_uid,
        )
    )
    row = session.execute(statement).first()
    if row is None:
        return None
    file = InstanceFile(address.sop_instance_uid, row[0], FileIdentity(*row[1:4]), row[4], row[5])
    return FoundInstance(file, row[6] or "", len(row[7]))
