"""The archive of one server process: folder, index, memory of pictures, and the thread that keeps the index."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from imageserver.archive.addresses import FoundInstance, InstanceAddress, find_instance
from imageserver.archive.alerts import OnAlert, tell_nobody
from imageserver.archive.bulk_data import BulkValue, bulk_value, native_pixels
from imageserver.archive.catalogue import Catalogue
from imageserver.archive.files import DataDirectory
from imageserver.archive.frames import FrameReader
from imageserver.archive.located_planes import LocatedPlane
from imageserver.archive.made_metadata import Metadata
from imageserver.archive.managed_store import Store
from imageserver.archive.metadata import metadata_of
from imageserver.archive.metadata_answers import MetadataAnswers
from imageserver.archive.pictures import Picture, PictureKey, PictureMaker, PictureMemory
from imageserver.archive.rendered_planes import RenderedPlane, RenderedPlaneKey, RenderedPlanes
from imageserver.archive.rendered_resources import RenderedResources
from imageserver.archive.reslices import PlanePicture, ResliceKey, Reslices
from imageserver.archive.retrieve import Retrieval, Retriever, StoredInstance, find_instances
from imageserver.archive.scratch import Scratch
from imageserver.archive.scrubbing import Scrubber
from imageserver.archive.series_metadata import MetadataList, list_metadata, list_study_metadata
from imageserver.archive.slice_lists import ListedSlice, SliceList, list_slices, refusal_of
from imageserver.archive.slice_metadata import list_slice_metadata
from imageserver.archive.slices import LocatedSlice, locate_slice, neighbours_of
from imageserver.archive.thumbnails import MiddleSlice, Thumbnails
from imageserver.archive.trash import RecordDeleted
from imageserver.archive.volume_arrays import ArrayPlan, Units, VolumeArrays
from imageserver.archive.volumes import InstanceFile, Volume
from imageserver.archive.watching import STOP_SECONDS, IndexKeeper
from imageserver.database import Database
from imageserver.dicom.bulk_data import find_bulk_paths
from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.frame_forms import EncodedFrame, Form
from imageserver.dicom.overlays import OverlayPlane
from imageserver.dicom.picture_format import PictureFormat
from imageserver.dicom.reading import Finding
from imageserver.dicom.views import View
from imageserver.dicom.voi_lut import Window
from imageserver.errors import (
    AppError,
    DataDirectoryUnavailable,
    Gone,
    InstanceNotFound,
    SeriesNotFound,
    SliceNotFound,
    StudyNotFound,
    Undecodable,
)
from imageserver.settings import Settings

SECONDS_PER_DAY = 86_400
MEBIBYTE = 1024 * 1024

logger = logging.getLogger(__name__)

ReadFrame = Callable[[InstanceFile, int, Form], EncodedFrame]


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
        on_purge: RecordDeleted = lambda _session, _deleted: None,
    ) -> None:
        self.database = database
        self.directory = DataDirectory(settings.data_dir, settings.store_dir)
        self.catalogue = Catalogue(database)
        self.keeper = IndexKeeper(
            database, self.directory, self.catalogue, on_alert, readers=settings.index_readers
        )
        self.decoders = DecoderPool()
        self.store = Store(settings, database, self.directory, on_alert, self.catalogue.forget)
        self.keeper.on_looked = lambda: self.store.sweep_if_due(on_purge)
        self._maker = PictureMaker(self.directory, self.decoders)
        self.frames = FrameReader(self.directory, self.decoders)
        self.retriever = Retriever(self.directory, self.decoders)
        self.metadata_answers = MetadataAnswers(database, self.directory)
        self._pictures: PictureMemory[PictureKey, Picture] = PictureMemory()
        scratch = Scratch(settings.state_dir / "volumes", settings.scratch_mib * MEBIBYTE)
        self.reslices = Reslices(self.directory, self.catalogue, self.decoders, scratch)
        self.thumbnails = Thumbnails(self.catalogue, self._maker)
        self._rendered_planes = RenderedPlanes(self.directory, self.reslices)
        self._arrays = VolumeArrays(self.directory, self.catalogue, self.decoders)
        self.rendered = RenderedResources(
            self.directory, self.catalogue, self.decoders, self.thumbnails, self.keeper.look_soon
        )
        self._is_scrubbing = settings.scrub_days > 0
        self._scrubber = Scrubber(
            database,
            self.directory,
            self.keeper.lease,
            interval=settings.scrub_days * SECONDS_PER_DAY,
            on_alert=on_alert,
            on_change=self.catalogue.forget,
            is_busy=lambda: self._pictures.is_busy() or self.store.is_busy(),
        )

    def start(self) -> None:
        """Begin to keep the index; returns at once."""
        self.reslices.start()
        self._open_store()
        self.keeper.start()
        if self._is_scrubbing:
            self._scrubber.start()

    def stop(self) -> None:
        """Stop keeping the index."""
        self._scrubber.stop(STOP_SECONDS)
        self.keeper.stop()
        self.store.close()
        self.reslices.stop()
        self.decoders.close()

    def _open_store(self) -> None:
        try:
            self.store.open()
        except AppError as error:  # what is there can be read; who stores is told
            logger.warning("store not opened", extra={"code": error.code})

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
        with self._noticing():
            return self._pictures.get(key, lambda: self._maker.make(key))

    def slice_list(self, volume: Volume, stack: int | None) -> SliceList:
        """List the slices of a stack with their files and version; raises as `list_slices`."""
        key = ("slices", volume.summary.series_instance_uid, stack)
        return self.catalogue.ask_once(key, lambda session: list_slices(session, volume, stack), of=volume)

    def frame_bytes(self, volume: Volume, found: SliceList) -> int:
        """Return how many bytes a decoded frame of a stack takes: the largest of the first, middle and last."""
        slices = found.slices
        chosen = dict.fromkeys((slices[0].file, slices[len(slices) // 2].file, slices[-1].file))
        key = ("frame bytes", volume.summary.series_instance_uid, found.version)
        return self.catalogue.remember(key, lambda: max(map(self._decoded_bytes, chosen)))

    def _decoded_bytes(self, file: InstanceFile | None) -> int:
        try:
            return 0 if file is None else self.frames.decoded_bytes(file)
        except (Gone, Undecodable):
            return 0

    def frame_reading(self) -> ReadFrame:
        """Return a function that reads frames one after the other, as `FrameRun.read`, which says what it raises."""
        run = self.frames.run()

        def read(file: InstanceFile, frame_number: int, form: Form) -> EncodedFrame:
            with self._noticing():
                return run.read(file, frame_number, form)

        return read

    def instance(self, address: InstanceAddress) -> FoundInstance:
        """Return an instance by its three UIDs.

        Raises
        ------
        InstanceNotFound
            If they do not belong together.
        DataDirectoryUnavailable
        """
        self.catalogue.require_directory()
        found = self.catalogue.ask_plainly(address, lambda connection: find_instance(connection, address))
        if found is None:
            raise InstanceNotFound("No file in the data directory has this SOP Instance UID in this series.")
        return found

    def stored_instances(
        self,
        study_instance_uid: str,
        series_instance_uid: str | None = None,
        sop_instance_uid: str | None = None,
    ) -> list[StoredInstance]:
        """List the instances of a study, of one of its series, or one.

        Raises
        ------
        StudyNotFound, SeriesNotFound, InstanceNotFound
            If there are none under these UIDs.
        DataDirectoryUnavailable
        """
        self.catalogue.require_directory()
        uids = (study_instance_uid, series_instance_uid, sop_instance_uid)
        found = self.catalogue.ask_plainly(
            ("stored", *uids), lambda connection: find_instances(connection, *uids)
        )
        if found:
            return found
        if series_instance_uid is None:
            raise StudyNotFound("No study has this Study Instance UID.")
        if sop_instance_uid is None:
            raise SeriesNotFound("The study has no series with this Series Instance UID.")
        raise InstanceNotFound("The series has no instance with this SOP Instance UID.")

    def retrieved_lengths(self, retrievals: Sequence[Retrieval]) -> list[int | Gone | None]:
        """Return how many bytes of each instance will be sent, or why it is not there; as `Retriever.lengths`."""
        found = self.retriever.lengths(retrievals)
        if any(isinstance(one, Gone) for one in found):
            self.keeper.look_soon()
        return found

    def retrieve_together(self, retrievals: Sequence[Retrieval]) -> list[bytes | Exception]:
        """Return small instances as they are stored, or why one is not there; as `Retriever.together`."""
        found = self.retriever.together(retrievals)
        if any(isinstance(one, Gone) for one in found):
            self.keeper.look_soon()
        return found

    def retrieve(self, retrieval: Retrieval) -> Iterator[bytes]:
        """Yield an instance as a file of PS3.10; raises as `Retriever.pieces`."""
        with self._noticing():
            yield from self.retriever.pieces(retrieval)

    def bulk_value(self, file: InstanceFile, path: str) -> bytes | None:
        """Return a long value that the metadata of an instance refer to; raises as `bulk_data.bulk_value`."""
        with self._noticing():
            return bulk_value(self.directory, file, path)

    def bulk_paths(self, address: InstanceAddress) -> list[str]:
        """Return the paths of all values that the metadata of an instance refer to; raises as `metadata`."""
        return find_bulk_paths(self.metadata(address.sop_instance_uid).dataset)

    def native_pixels(self, file: InstanceFile, keyword: str) -> BulkValue | None:
        """Return native pixel data, as `bulk_data.native_pixels` does."""
        with self._noticing():
            return native_pixels(self.directory, file, keyword)

    def metadata_list(
        self, study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str | None = None
    ) -> MetadataList:
        """List the instances of a series, or one, for `write_metadata`.

        Raises
        ------
        SeriesNotFound, InstanceNotFound
            If the study has no such series or instance.
        DataDirectoryUnavailable
        """
        self.catalogue.require_directory()
        uids = (study_instance_uid, series_instance_uid, sop_instance_uid)
        found = self.catalogue.ask_once(("metadata", *uids), lambda session: list_metadata(session, *uids))
        if found is not None:
            return found
        if sop_instance_uid is None:
            raise SeriesNotFound("The study has no series with this Series Instance UID.")
        raise InstanceNotFound("The series has no instance with this SOP Instance UID.")

    def are_unchanged(self, files: Iterable[InstanceFile | None]) -> bool:
        """Tell whether all of these files are there, as they were indexed; if not the folder is looked at soon."""
        try:
            with self._noticing():
                for file in files:
                    if file is None:
                        return False
                    self.directory.check(file.path, file.identity)
        except (Gone, DataDirectoryUnavailable):
            return False
        return True

    def slice_metadata_list(self, volume: Volume, slices: Sequence[ListedSlice]) -> MetadataList:
        """List the instances of slices, for `write_metadata`."""
        with self.database.reading() as session:
            return list_slice_metadata(session, volume, slices)

    def study_metadata_lists(self, study_instance_uid: str) -> list[MetadataList]:
        """List the instances of all series of a study, for `write_metadata`.

        Raises
        ------
        StudyNotFound
            If there is no such study.
        DataDirectoryUnavailable
        """
        self.catalogue.require_directory()
        key = ("metadata", study_instance_uid)
        found = self.catalogue.ask_once(key, lambda session: list_study_metadata(session, study_instance_uid))
        if not found:
            raise StudyNotFound("No study has this Study Instance UID.")
        return found

    def check_slices(self, located: LocatedPlane) -> None:
        """Make sure that the slices of a plane are still there; raises as `Reslices.check`."""
        with self._noticing():
            self.reslices.check(located)

    def plane_picture(self, located: LocatedPlane, key: ResliceKey) -> PlanePicture:
        """Return the picture of a plane; raises as `Reslices.picture`."""
        with self._noticing():
            return self.reslices.picture(located, key)

    def rendered_plane(self, located: LocatedPlane, view: View, key: RenderedPlaneKey) -> RenderedPlane:
        """Return the picture of a view of a volume; raises as `RenderedPlanes.get`."""
        with self._noticing():
            return self._rendered_planes.get(located, view, key)

    def array_plan(self, volume: Volume, stack: int | str | None) -> ArrayPlan:
        """Describe the array of a stack; raises as `VolumeArrays.plan`."""
        with self._noticing():
            return self._arrays.plan(volume, stack)

    def array_slices(self, plan: ArrayPlan, units: Units) -> Iterator[bytes]:
        """Yield the slices of an array; raises as `VolumeArrays.read`."""
        with self._noticing():
            yield from self._arrays.read(plan, units)

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        """Have the folder looked at soon where a file is not the one that was indexed."""
        try:
            yield
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
        with self._noticing():
            found = metadata_of(self.database, self.directory, sop_instance_uid)
        if found is None:
            raise InstanceNotFound("No file in the data directory has this SOP Instance UID.")
        return found

    def thumbnail(self, middle: MiddleSlice, digest: str) -> Picture:
        """Return the thumbnail at an address; raises as `Thumbnails.get`."""
        try:
            return self.thumbnails.get(middle, digest)
        except Gone:
            self.keeper.look_soon()
            raise

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
        with self._noticing():
            self.directory.check(file.path, file.identity)
        if file.refused_code:
            raise refusal_of(file)
        return file
