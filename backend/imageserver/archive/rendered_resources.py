"""What a study, a series or an instance looks like: which pictures it has, and the one that stands for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby

from imageserver.archive.bulk_data import bulk_value
from imageserver.archive.catalogue import Catalogue
from imageserver.archive.files import DataDirectory
from imageserver.archive.render_targets import RenderTarget, find_standing_series, find_targets, in_order
from imageserver.archive.rendered_pictures import RenderedKey, RenderedPictures
from imageserver.archive.thumbnails import Thumbnails
from imageserver.dicom.decoding import Decoders
from imageserver.errors import Gone, InstanceNotFound, SeriesNotFound, SliceNotFound, StudyNotFound

_ENCAPSULATED_DOCUMENT = "00420011"


class RenderedResources:
    """Finds pictures by address and renders them; may be used by any number of threads.

    `look_soon` is called where a file is not the one that was indexed.
    """

    def __init__(
        self,
        directory: DataDirectory,
        catalogue: Catalogue,
        decoders: Decoders,
        thumbnails: Thumbnails,
        look_soon: Callable[[], None],
    ) -> None:
        self._directory = directory
        self._catalogue = catalogue
        self._thumbnails = thumbnails
        self._look_soon = look_soon
        self._pictures = RenderedPictures(directory, decoders)

    def targets(
        self,
        study_instance_uid: str,
        series_instance_uid: str | None = None,
        sop_instance_uid: str | None = None,
    ) -> list[RenderTarget]:
        """Return the instances of a study, of a series of it, or one, in the order in which they are shown.

        Raises
        ------
        StudyNotFound, SeriesNotFound, InstanceNotFound
            If there are none.
        DataDirectoryUnavailable
        """
        self._catalogue.require_directory()
        uids = (study_instance_uid, series_instance_uid, sop_instance_uid)
        found = self._catalogue.ask_plainly(
            ("targets", *uids), lambda connection: find_targets(connection, *uids)
        )
        if not found:
            raise _not_found(series_instance_uid, sop_instance_uid)
        if sop_instance_uid is not None:
            return found
        return self._catalogue.remember(("targets in order", *uids), lambda: self._in_order(found))

    def representative(
        self,
        study_instance_uid: str,
        series_instance_uid: str | None = None,
        sop_instance_uid: str | None = None,
    ) -> tuple[RenderTarget, int]:
        """Return the instance and the frame, from 1, that stand for a study, a series or an instance: the middle one.

        Raises
        ------
        StudyNotFound, SeriesNotFound, InstanceNotFound
            As `targets`.
        SliceNotFound
            If there are no pictures.
        DataDirectoryUnavailable
        """
        if sop_instance_uid is not None:
            [found] = self.targets(study_instance_uid, series_instance_uid, sop_instance_uid)
            if not found.number_of_frames:
                raise SliceNotFound("The instance has no images.")
            return found, found.number_of_frames // 2 + 1
        if series_instance_uid is None:
            series_instance_uid = self.standing_series(study_instance_uid)
        else:
            self.targets(study_instance_uid, series_instance_uid)  # the series has to be of this study
        middle = self._thumbnails.find(series_instance_uid)
        uid = middle.file.sop_instance_uid
        [found] = self.targets(study_instance_uid, series_instance_uid, uid)
        return found, middle.frame_number

    def standing_series(self, study_instance_uid: str) -> str:
        """Return the series that stands for a study.

        Raises
        ------
        StudyNotFound, SliceNotFound
            If there is no such study, or it has no pictures.
        DataDirectoryUnavailable
        """
        self._catalogue.require_directory()
        found = self._catalogue.ask_once(
            ("standing series", study_instance_uid),
            lambda session: find_standing_series(session, study_instance_uid),
        )
        if found is None:
            raise _not_found(None, None)
        if not found:
            raise SliceNotFound("The study has no images.")
        return found

    def check(self, key: RenderedKey) -> None:
        """Make sure that a picture is still of the file that was indexed; raises as `RenderedPictures.check`."""
        with self._noticing():
            self._pictures.check(key)

    def picture(self, key: RenderedKey) -> bytes:
        """Return an encoded picture; raises as `RenderedPictures.get`."""
        with self._noticing():
            return self._pictures.get(key)

    def document(self, target: RenderTarget) -> bytes:
        """Return the document that an instance encapsulates, without padding; raises as `bulk_data.bulk_value`."""
        with self._noticing():
            return (bulk_value(self._directory, target.file, _ENCAPSULATED_DOCUMENT) or b"").rstrip(b"\0")

    def _in_order(self, targets: list[RenderTarget]) -> list[RenderTarget]:
        ordered: list[RenderTarget] = []
        for uid, group in groupby(targets, key=lambda one: one.address.series_instance_uid):
            ordered += in_order(list(group), self._catalogue.volume(uid).arrangement)
        return ordered

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        try:
            yield
        except Gone:
            self._look_soon()
            raise


def _not_found(
    series_instance_uid: str | None, sop_instance_uid: str | None
) -> StudyNotFound | SeriesNotFound | InstanceNotFound:
    if sop_instance_uid is not None:
        return InstanceNotFound("No file in the data directory has this SOP Instance UID in this series.")
    if series_instance_uid is not None:
        return SeriesNotFound("The study has no series with this Series Instance UID.")
    return StudyNotFound("No study in the data directory has this Study Instance UID.")
