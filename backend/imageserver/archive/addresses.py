"""Instances by the three UIDs of their address, as DICOMweb has it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.orm import Session

from imageserver.archive.files import FileIdentity
from imageserver.archive.models import File, Instance, Series, Study
from imageserver.archive.volumes import InstanceFile

FILES, INSTANCES = File.__table__.c, Instance.__table__.c
SERIES, STUDIES = Series.__table__.c, Study.__table__.c


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


class FileQuestion:
    """A question for the files of a study, of one of its series, or of one instance, with their addresses.

    Made once and asked often: of plain columns, with the UIDs as parameters, it costs a seventh of what it costs to be
    put together from classes each time.

    Parameters
    ----------
    columns : columns
        What else is asked for, behind the eight columns that `located` reads.
    order_by : sequence of columns
        In which order they come; none by default.
    """

    def __init__(self, *columns: Any, order_by: Sequence[Any] = ()) -> None:
        files, instances, series, studies = FILES, INSTANCES, SERIES, STUDIES
        of_study = (
            select(
                series.series_instance_uid, instances.sop_instance_uid, files.path, files.size, files.mtime_ns,
                files.inode, instances.refused_code, instances.refused_reason, *columns,
            )
            .select_from(
                File.__table__.join(Instance.__table__, files.instance_id == instances.id)
                .join(Series.__table__, instances.series_id == series.id)
                .join(Study.__table__, series.study_id == studies.id)
            )
            .where(studies.study_instance_uid == bindparam("study"))
            .order_by(*order_by)
        )  # fmt: skip
        of_series = of_study.where(series.series_instance_uid == bindparam("series"))
        of_instance = of_series.where(instances.sop_instance_uid == bindparam("instance"))
        self._statements = of_study, of_series, of_instance

    def ask(
        self,
        connection: Connection | Session,
        study_instance_uid: str,
        series_instance_uid: str | None = None,
        sop_instance_uid: str | None = None,
    ) -> Sequence[Sequence[Any]]:
        """Return the rows; an instance is asked for together with its series."""
        uids = {"study": study_instance_uid}
        if series_instance_uid is not None:
            uids["series"] = series_instance_uid
            if sop_instance_uid is not None:
                uids["instance"] = sop_instance_uid
        return connection.execute(self._statements[len(uids) - 1], uids).all()


def located(study_instance_uid: str, row: Sequence[Any]) -> tuple[InstanceAddress, InstanceFile]:
    """Read the address and the file of a row of a `FileQuestion`."""
    address = InstanceAddress(study_instance_uid, row[0], row[1])
    return address, InstanceFile(row[1], row[2], FileIdentity(*row[3:6]), row[6], row[7])


_FOUND = FileQuestion(INSTANCES.transfer_syntax_uid, INSTANCES.frames)


def find_instance(connection: Connection | Session, address: InstanceAddress) -> FoundInstance | None:
    """Return an instance; None where the three UIDs do not belong together."""
    for row in _FOUND.ask(connection, *address):
        _, file = located(address.study_instance_uid, row)
        return FoundInstance(file, row[8] or "", len(row[9]))
    return None
