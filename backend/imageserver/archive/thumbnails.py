"""Thumbnails: small pictures of the middle slices of series, at addresses that change with what they show."""

import os
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from imageserver.archive.catalogue import Catalogue
from imageserver.archive.files import FileIdentity
from imageserver.archive.models import File, Instance, Series, Study
from imageserver.archive.pictures import Picture, PictureKey, PictureMaker, PictureMemory
from imageserver.archive.slice_lists import refusal_of
from imageserver.archive.thumbnail_keys import ThumbnailKey
from imageserver.archive.volumes import InstanceFile
from imageserver.dicom.picture_format import PictureFormat
from imageserver.errors import FileReplaced, SeriesNotFound, SliceNotFound

LONGEST_SIDE = 128
MAX_REMEMBERED_BYTES = 16 * 1024 * 1024  # some 5,000 thumbnails
FORMAT = PictureFormat.WEBP


class MiddleSlice(NamedTuple):
    """The middle slice of a series: where it is kept, and what shape its pixels have."""

    study_instance_uid: str
    series_instance_uid: str
    file: InstanceFile
    frame_number: int
    pixel_aspect_ratio: float

    @property
    def key(self) -> ThumbnailKey:
        """What its thumbnail depends on."""
        return ThumbnailKey(
            self.series_instance_uid, self.file.sop_instance_uid, self.frame_number, self.file.identity
        )


class Thumbnails:
    """Makes thumbnails when they are asked for and keeps those of late in memory.

    Fewer are made at once than there are processors, so that a picture that somebody opened does not wait for a page
    of small ones.
    """

    def __init__(self, catalogue: Catalogue, maker: PictureMaker) -> None:
        self._catalogue = catalogue
        self._maker = maker
        self._pictures: PictureMemory[PictureKey, Picture] = PictureMemory(
            MAX_REMEMBERED_BYTES, max(1, (os.cpu_count() or 1) - 1)
        )

    def find(self, series_instance_uid: str) -> MiddleSlice:
        """Return the middle slice of a series.

        Raises
        ------
        SeriesNotFound, SliceNotFound
            If there is no such series, or it has no pictures.
        DataDirectoryUnavailable
        """
        self._catalogue.require_directory()
        found = self._catalogue.ask_once(
            ("middle slice", series_instance_uid), lambda session: find_middle(session, series_instance_uid)
        )
        if found is None:
            raise SeriesNotFound("No series in the data directory has this Series Instance UID.")
        if isinstance(found, str):
            raise SliceNotFound("The series has no images.")
        return found

    def get(self, middle: MiddleSlice, digest: str) -> Picture:
        """Return the thumbnail of a slice.

        Raises
        ------
        FileReplaced
            If the address is of another picture, which is not there any more.
        FileGone, IntegrityMismatch, DataDirectoryUnavailable
            If the file is not the one that was indexed.
        UnsupportedTransferSyntax, UndecodableFrame
            If the picture cannot be made.
        Busy
            If too many are being made.
        """
        if middle.key.digest != digest:
            raise FileReplaced("This address is of a picture that has changed; ask for the list again.")
        file = middle.file
        if file.refused_code:
            raise refusal_of(file)
        key = PictureKey(file, middle.frame_number, None, FORMAT)
        return self._pictures.get(
            key, lambda: self._maker.make_small(key, LONGEST_SIDE, middle.pixel_aspect_ratio)
        )


def find_middle(session: Session, series_instance_uid: str) -> MiddleSlice | str | None:
    """Return the middle slice of a series, a text where it has no pictures, None where there is no such series."""
    statement = (
        select(
            Study.study_instance_uid,
            Series.middle_frame_number,
            Instance.sop_instance_uid,
            Instance.frames,
            Instance.refused_code,
            Instance.refused_reason,
            File.path,
            File.size,
            File.mtime_ns,
            File.inode,
        )
        .select_from(Series)
        .join(Study, Series.study_id == Study.id)
        .outerjoin(Instance, Instance.sop_instance_uid == Series.middle_sop_instance_uid)
        .outerjoin(File, File.instance_id == Instance.id)
        .where(Series.series_instance_uid == series_instance_uid)
    )
    row = session.execute(statement).first()
    if row is None:
        return None
    if row.path is None:
        return "no pictures"
    frame: dict[str, Any] = next(
        (one for one in row.frames if one["frame_number"] == row.middle_frame_number), {}
    )
    identity = FileIdentity(row.size, row.mtime_ns, row.inode)
    return MiddleSlice(
        row.study_instance_uid,
        series_instance_uid,
        InstanceFile(row.sop_instance_uid, row.path, identity, row.refused_code, row.refused_reason),
        row.middle_frame_number,
        frame.get("pixel_aspect_ratio", 1.0),
    )
