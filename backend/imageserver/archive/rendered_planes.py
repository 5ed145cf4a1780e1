"""Pictures of planes through a volume, from any direction, as DICOMweb asks for them."""

import hashlib
from typing import NamedTuple

import numpy as np

from imageserver.archive.files import DataDirectory
from imageserver.archive.located_planes import RESLICING_VERSION, LocatedPlane
from imageserver.archive.pictures import PictureMemory
from imageserver.archive.reslices import Reslices
from imageserver.archive.volume_reading import OpenVolume
from imageserver.dicom.plane_rendering import render_plane
from imageserver.dicom.reading import FileRefused, read_header
from imageserver.dicom.rendering_options import RenderingOptions, finish_picture
from imageserver.dicom.reslicing import Projection
from imageserver.dicom.views import Camera, View, sample_view
from imageserver.dicom.voi_lut import Window
from imageserver.errors import UndecodableFrame


class RenderedPlaneKey(NamedTuple):
    """All that a picture of a plane depends on."""

    digest: str
    camera: Camera
    slab_mm: float
    projection: Projection
    options: RenderingOptions

    @property
    def etag(self) -> str:
        """A strong entity tag, known before anything is read."""
        parts = (RESLICING_VERSION, *self[:-1], self.options.key())
        return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'


class RenderedPlane(NamedTuple):
    """An encoded picture and the window that it was drawn with."""

    content: bytes
    window: Window | None


class RenderedPlanes:
    """Renders planes; may be used by any number of threads."""

    def __init__(self, directory: DataDirectory, reslices: Reslices) -> None:
        self._directory = directory
        self._reslices = reslices
        self._pictures: PictureMemory[RenderedPlaneKey, RenderedPlane] = PictureMemory()

    def get(self, located: LocatedPlane, view: View, key: RenderedPlaneKey) -> RenderedPlane:
        """Return the picture of a view.

        Raises
        ------
        Busy, StorageFull, UnsupportedTransferSyntax, UndecodableFrame, NotAVolume, Gone
            As `VolumeReader.open`; Busy also if too many pictures are being made.
        InvalidParameter
            If the picture has no such region, or no room for the annotation.
        """
        self._reslices.check(located)
        volume = self._reslices.open(located)
        return self._pictures.get(key, lambda: self._draw(volume, located, view, key))

    def _draw(
        self, volume: OpenVolume, located: LocatedPlane, view: View, key: RenderedPlaneKey
    ) -> RenderedPlane:
        values = sample_view(volume.voxels, located.stack, view, key.slab_mm, key.projection)
        display_values, window = render_plane(values, volume.presentation, key.options.window)
        file, frame_number = located.middle
        with self._directory.open(file.path, file.identity) as stream:
            try:
                header = read_header(stream)
            except FileRefused as error:  # indexed by a version that read it otherwise
                raise UndecodableFrame(error.message, reason=error.code) from error
        content = finish_picture(
            np.ascontiguousarray(display_values), key.options, header, frame_number - 1, window, 1.0
        )
        return RenderedPlane(content, window)
