"""Instances by the three UIDs of their address, as DICOMweb has it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, select
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


def select_files(
    *columns: Any,
    study_instance_uid: str,
    series_instance_uid: str | None = None,
    sop_instance_uid: str | None = None,
) -> Select[Any]:
    """Select the files of a study, of one of its series, or one instance, in no order yet.

    The eight columns that `located` reads come first, `columns` behind them.
    """
    statement = (
        select(
            Series.series_instance_uid, Instance.sop_instance_uid, File.path, File.size, File.mtime_ns, File.inode,
            Instance.refused_code, Instance.refused_reason, *columns,
        )
        .join(Instance, File.instance_id == Instance.id)
        .join(Series, Instance.series_id == Series.id)
        .join(Study, Series.study_id == Study.id)
        .where(Study.study_instance_uid == study_instance_uid)
    )  # fmt: skip
    if series_instance_uid is not None:
        statement = statement.where(Series.series_instance_uid == series_instance_uid)
    if sop_instance_uid is not None:
        statement = statement.where(Instance.sop_instance_uid == sop_instance_uid)
    return statement


def located(study_instance_uid: str, row: Sequence[Any]) -> tuple[InstanceAddress, InstanceFile]:
    """Read the address and the file of a row of `select_files`."""
    address = InstanceAddress(study_instance_uid, row[0], row[1])
    return address, InstanceFile(row[1], row[2], FileIdentity(*row[3:6]), row[6], row[7])


def find_instance(session: Session, address: InstanceAddress) -> FoundInstance | None:
    """Return an instance; None where the three UIDs do not belong together."""
    columns = Instance.transfer_syntax_uid, Instance.frames
    row = session.execute(select_files(*columns, **address._asdict())).first()
    if row is None:
        return None
    _, file = located(address.study_instance_uid, row)
    return FoundInstance(file, row[8] or "", len(row[9]))
