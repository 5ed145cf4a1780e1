"""The archive of one server process: folder, index, memory of pictures, and the thread that keeps the index."""

from typing import NamedTuple

from imageserver.archive.alerts import OnAlert, tell_nobody
from imageserver.archive.catalogue import Catalogue
from imageserver.archive.checksums import INTEGRITY_MISMATCH, MISMATCH_REASON
from imageserver.archive.files import DataDirectory
from imageserver.archive.metadata import Metadata, metadata_of
from imageserver.archive.pictures import Picture, PictureKey, PictureMaker, PictureMemory
from imageserver.archive.scrubbing import Scrubber
from imageserver.archive.slices import LocatedSlice, locate_slice, neighbours_of
from imageserver.archive.volumes import InstanceFile, Volume
from imageserver.archive.watching import STOP_SECONDS, IndexKeeper
from imageserver.database import Database
from imageserver.dicom.overlays import OverlayPlane
from imageserver.dicom.picture_format import PictureFormat
from imageserver.dicom.reading import Finding
from imageserver.dicom.voi_lut import Window
from imageserver.errors import (
    AppError,
    Gone,
    InstanceNotFound,
    IntegrityMismatch,
    SliceNotFound,
    Undecodable,
    UndecodableFrame,
)
from imageserver.settings import Settings

SECONDS_PER_DAY = 86_400


class MiddlePicture(NamedTuple):
    """What there is to say about the picture of the middle slice of a volume."""

    windows: list[Window]
    overlays: tuple[OverlayPlane, ...]
    findings: tuple[Finding, ...]


class Archive:
    """What the API asks. Nothing runs before `start`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        on_alert: OnAlert = tell_nobody,
    ) -> None:
        self.database = database
        self.directory = DataDirectory(settings.data_dir)
        self.catalogue = Catalogue(database)
        self.keeper = IndexKeeper(
            database, self.directory, self.catalogue, on_alert, readers=settings.index_readers
        )
        self._maker = PictureMaker(self.directory)
        self._pictures = PictureMemory()
        self._is_scrubbing = settings.scrub_days > 0
        self._scrubber = Scrubber(
            database,
            self.directory,
            self.keeper.lease,
            interval=settings.scrub_days * SECONDS_PER_DAY,
            on_alert=on_alert,
            on_change=self.catalogue.forget,
            is_busy=self._pictures.is_busy,
        )

    def start(self) -> None:
        """Begin to keep the index; returns at once."""
        self.keeper.start()
        if self._is_scrubbing:
            self._scrubber.start()

    def stop(self) -> None:
        """Stop keeping the index."""
        self._scrubber.stop(STOP_SECONDS)
        self.keeper.stop()
        self._maker.close()

    def locate(
        self, series_instance_uid: str | None, stack: int | None, index: int | None
    ) -> tuple[Volume, LocatedSlice]:
        """Find a slice of a series, or of the default one; raises as `Catalogue.volume` and `locate_slice`."""
        volume = self.catalogue.volume(series_instance_uid)
        return volume, locate_slice(volume, stack, index)

    def identify(
        self,
        located: LocatedSlice,
        window: tuple[float, float] | None,
        picture_format: PictureFormat,
        *,
        with_overlays: bool = False,
    ) -> PictureKey:
        """Find the file of a slice and make sure that it is the one that was indexed.

        Raises
        ------
        FileGone, FileReplaced
            If it was removed or changed; the folder is looked at again soon.
        IntegrityMismatch
            If its content differs from its checksum.
        UndecodableFrame
            If the file was found damaged when it was indexed.
        DataDirectoryUnavailable
        """
        file = self._file_of(located)
        return PictureKey(file, located.frame.frame_number, window, picture_format, with_overlays)

    def picture(self, key: PictureKey) -> Picture:
        """Return the picture of a frame.

        Raises
        ------
        UnsupportedTransferSyntax, UndecodableFrame
            If the picture cannot be made.
        Busy
            If too many are being made.
        FileGone, FileReplaced, DataDirectoryUnavailable
            As `identify`.
        """
        try:
            return self._pictures.get(key, lambda: self._maker.make(key))
        except Gone:
            self.keeper.look_soon()
            raise

    def metadata(self, sop_instance_uid: str) -> Metadata:
        """Return the header of an instance in the DICOM JSON model.

        Raises
        ------
        InstanceNotFound
            If the index has no such instance.
        FileGone, FileReplaced, IntegrityMismatch, DataDirectoryUnavailable
            As `identify`.
        """
        self.catalogue.require_directory()
        try:
            found = metadata_of(self.database, self.directory, sop_instance_uid)
        except Gone:
            self.keeper.look_soon()
            raise
        if found is None:
            raise InstanceNotFound("No file in the data directory has this SOP Instance UID.")
        return found

    def middle_picture(self, volume: Volume) -> MiddlePicture:
        """Return what the file of the middle slice offers for showing it, and what was noticed when it was drawn.

        Nothing where the slice cannot be shown: `picture` says why.
        """
        try:
            key = self.identify(locate_slice(volume, None, None), None, PictureFormat.PNG)
            windows = self.catalogue.remember(("windows", key), lambda: self._maker.windows(key))
            picture = self.picture(key)
            return MiddlePicture(windows, picture.overlays, picture.warnings)
        except (SliceNotFound, Gone, Undecodable):
            return MiddlePicture([], (), ())

    def explain(self, error: AppError, volume: Volume, located: LocatedSlice) -> AppError:
        """Name the slice that cannot be shown and its neighbours, so that a page can offer them."""
        if not isinstance(error, Gone | Undecodable):
            return error
        members = {
            "series_instance_uid": volume.summary.series_instance_uid,
            "slice": located.as_dict(),
            "neighbours": [neighbour.as_dict() for neighbour in neighbours_of(volume, located)],
        }
        place = f"Slice {located.index + 1} of {located.count} cannot be shown"
        return type(error)(f"{place}: {error.detail}", **{**error.members, **members})

    def _file_of(self, located: LocatedSlice) -> InstanceFile:
        file = self.catalogue.instance(located.frame)
        try:
            self.directory.check(file.path, file.identity)
        except Gone:
            self.keeper.look_soon()
            raise
        if file.refused_code == INTEGRITY_MISMATCH:
            raise IntegrityMismatch(MISMATCH_REASON)
        if file.refused_code:
            raise UndecodableFrame(file.refused_reason or "The file is damaged.", reason=file.refused_code)
        return file
