"""The slices of a stack in order, with the files that hold them, under a version that changes with any of them."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from imageserver.archive.checksums import INTEGRITY_MISMATCH, MISMATCH_REASON
from imageserver.archive.files import FileIdentity
from imageserver.archive.models import File, Instance, Series
from imageserver.archive.slices import frames_of, positions_of
from imageserver.archive.volumes import InstanceFile, Volume
from imageserver.dicom.arrangement import FrameReference
from imageserver.errors import IntegrityMismatch, SliceNotFound, UndecodableFrame

FRAMES_VERSION = "1"  # to be raised whenever the same file gives other bytes


class ListedSlice(NamedTuple):
    """One slice of the list.

    Attributes
    ----------
    frame : FrameReference
    position_mm : float or None
        Along the normal of its stack.
    file : InstanceFile or None
        None where the file was removed since the series was arranged.
    """

    frame: FrameReference
    position_mm: float | None
    file: InstanceFile | None

    @property
    def refused(self) -> IntegrityMismatch | UndecodableFrame | None:
        """Why the slice cannot be shown, where that is known beforehand."""
        if self.file is None or not self.file.refused_code:
            return None
        return refusal_of(self.file)


class SliceList(NamedTuple):
    """The slices of one stack, or of the default order.

    Attributes
    ----------
    stack : int or None
        As it was asked for.
    version : str
        A digest of content and order.
    slices : tuple of ListedSlice
    """

    stack: int | None
    version: str
    slices: tuple[ListedSlice, ...]


def refusal_of(file: InstanceFile) -> IntegrityMismatch | UndecodableFrame:
    """Make the error of a file that was found damaged."""
    if file.refused_code == INTEGRITY_MISMATCH:
        return IntegrityMismatch(MISMATCH_REASON)
    return UndecodableFrame(file.refused_reason or "The file is damaged.", reason=file.refused_code)


def list_slices(session: Session, volume: Volume, stack: int | None) -> SliceList:
    """List the slices of a stack; without `stack` those of the order in which the default slice was chosen.

    Raises
    ------
    SliceNotFound
        If the series has no such stack, or no images.
    """
    frames = frames_of(volume, stack)
    if not frames:
        raise SliceNotFound("The series has no images.")
    files = files_of_series(session, volume.summary.series_instance_uid)
    positions = positions_of(volume, stack)
    slices = tuple(
        ListedSlice(frame, position, files.get(frame.sop_instance_uid))
        for frame, position in zip(frames, positions, strict=True)
    )
    return SliceList(stack, _version(slices), slices)


def files_of_series(session: Session, series_instance_uid: str) -> dict[str, InstanceFile]:
    """Return the files of a series by SOP Instance UID."""
    columns = (
        Instance.sop_instance_uid, File.path, File.size, File.mtime_ns, File.inode,
        Instance.refused_code, Instance.refused_reason,
    )  # fmt: skip
    statement = (
        select(*columns)
        .join(File, File.instance_id == Instance.id)
        .join(Series, Instance.series_id == Series.id)
        .where(Series.series_instance_uid == series_instance_uid)
    )
    return {
        row[0]: InstanceFile(row[0], row[1], FileIdentity(*row[2:5]), *row[5:])
        for row in session.execute(statement)
    }


def _version(slices: Iterable[ListedSlice]) -> str:
    digest = hashlib.sha256(FRAMES_VERSION.encode())
    for one in slices:
        state = None if one.file is None else (one.file.identity, one.file.refused_code)
        digest.update(repr((one.frame, state)).encode())
    return digest.hexdigest()[:32]
