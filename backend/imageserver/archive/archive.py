"""The archive of one server process: folder, index, memory of pictures, and the thread that keeps the index."""

from imageserver.archive.catalogue import Catalogue
from imageserver.archive.files import DataDirectory
from imageserver.archive.pictures import Picture, PictureKey, PictureMaker, PictureMemory
from imageserver.archive.slices import LocatedSlice, locate_slice, neighbours_of
from imageserver.archive.volumes import InstanceFile, Volume
from imageserver.archive.watching import IndexKeeper
from imageserver.database import Database
from imageserver.dicom.picture_format import PictureFormat
from imageserver.dicom.reading import Finding
from imageserver.dicom.voi_lut import Window
from imageserver.errors import AppError, Gone, SliceNotFound, Undecodable, UndecodableFrame
from imageserver.settings import Settings


class Archive:
    """What the API asks. Nothing runs before `start`."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.directory = DataDirectory(settings.data_dir)
        self.catalogue = Catalogue(database)
        self.keeper = IndexKeeper(database, self.directory, self.catalogue)
        self._maker = PictureMaker(self.directory)
        self._pictures = PictureMemory()

    def start(self) -> None:
        """Begin to keep the index; returns at once."""
        self.keeper.start()

    def stop(self) -> None:
        """Stop keeping the index."""
        self.keeper.stop()
        self._maker.close()

    def locate(
        self, series_instance_uid: str | None, stack: int | None, index: int | None
    ) -> tuple[Volume, LocatedSlice]:
        """Find a slice of a series, or of the default one; raises as `Catalogue.volume` and `locate_slice`."""
        volume = self.catalogue.volume(series_instance_uid)
        return volume, locate_slice(volume, stack, index)

    def identify(
        self, located: LocatedSlice, window: tuple[float, float] | None, picture_format: PictureFormat
    ) -> PictureKey:
        """Find the file of a slice and make sure that it is the one that was indexed.

        Raises
        ------
        FileGone, FileReplaced
            If it was removed or changed; the folder is looked at again soon.
        UndecodableFrame
            If the file was found damaged when it was indexed.
        DataDirectoryUnavailable
        """
        file = self._file_of(located)
        return PictureKey(file, located.frame.frame_number, window, picture_format)

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

    def middle_windows(self, volume: Volume) -> tuple[list[Window], tuple[Finding, ...]]:
        """Return the windows that the file of the middle slice offers, and what was noticed when it was drawn.

        Nothing where the slice cannot be shown: `picture` says why.
        """
        try:
            key = self.identify(locate_slice(volume, None, None), None, PictureFormat.PNG)
            windows = self.catalogue.remember(("windows", key), lambda: self._maker.windows(key))
            return windows, self.picture(key).warnings
        except (SliceNotFound, Gone, Undecodable):
            return [], ()

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
        if file.refused_code:
            raise UndecodableFrame(file.refused_reason or "The file is damaged.", reason=file.refused_code)
        return file
