"""Pictures of axial, coronal and sagittal planes that are cut from the slices of a stack."""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

from imageserver.archive.catalogue import Catalogue
from imageserver.archive.files import DataDirectory
from imageserver.archive.located_planes import RESLICING_VERSION, LocatedPlane, PlaneCatalogue
from imageserver.archive.pictures import PictureMemory
from imageserver.archive.scratch import Scratch
from imageserver.archive.volume_reading import BYTES_PER_VOXEL, OpenVolume, VolumeReader
from imageserver.dicom.decoding import Decoders
from imageserver.dicom.picture_format import PictureFormat, encode
from imageserver.dicom.plane_rendering import render_plane
from imageserver.dicom.planes import PlaneName
from imageserver.dicom.reslicing import Projection, reslice
from imageserver.dicom.voi_lut import Window


class ResliceKey(NamedTuple):
    """All that a picture of a plane depends on; `slab` are the first and the last plane that it shows."""

    digest: str
    plane: PlaneName
    slab: tuple[int, int]
    projection: Projection
    window: tuple[float, float] | None
    format: PictureFormat

    @property
    def etag(self) -> str:
        """A strong entity tag, known before anything is read."""
        return f'"{hashlib.sha256(repr((RESLICING_VERSION, *self)).encode()).hexdigest()[:32]}"'


@dataclass(frozen=True)
class PlanePicture:
    """An encoded picture and the window that it was drawn with."""

    content: bytes
    window: Window | None
    is_window_guessed: bool


class Reslices:
    """Describes and cuts planes; may be used by any number of threads."""

    def __init__(
        self,
        directory: DataDirectory,
        catalogue: Catalogue,
        decoders: Decoders,
        scratch: Scratch,
    ) -> None:
        self._directory = directory
        self._reader = VolumeReader(directory, decoders, scratch)
        self._pictures: PictureMemory[ResliceKey, PlanePicture] = PictureMemory()
        self.planes = PlaneCatalogue(directory, catalogue, scratch.most_bytes // BYTES_PER_VOXEL)

    def start(self) -> None:
        """Remove what former processes left."""
        self._reader.start()

    def stop(self) -> None:
        """Give up what is being read, and remove what was."""
        self._reader.stop()

    def check(self, located: LocatedPlane) -> None:
        """Make sure that the first, the middle and the last slice are still there, unchanged.

        All are compared when they are read, and the index notices when another changes.

        Raises
        ------
        FileGone, FileReplaced, DataDirectoryUnavailable
        """
        for source in {located.sources[0], located.middle, located.sources[-1]}:
            self._directory.check(source.file.path, source.file.identity)

    def open(self, located: LocatedPlane) -> OpenVolume:
        """Return the voxels of a stack and how they are drawn; raises as `VolumeReader.open`."""
        return self._reader.open(located)

    def picture(self, located: LocatedPlane, key: ResliceKey) -> PlanePicture:
        """Return the picture of a plane; raises as `VolumeReader.open`, and Busy if too many are being made."""
        volume = self._reader.open(located)
        return self._pictures.get(key, lambda: _draw(volume, located, key))


def _draw(volume: OpenVolume, located: LocatedPlane, key: ResliceKey) -> PlanePicture:
    presentation = volume.presentation
    values = reslice(volume.voxels, located.grid, located.plane, key.slab, key.projection)
    asked = presentation.window(*key.window) if key.window else None
    display_values, window = render_plane(values, presentation, asked)
    return PlanePicture(encode(display_values, key.format), window, asked is None and presentation.is_guessed)
