"""Pictures of frames as DICOMweb and WADO-URI ask for them: rendered once, remembered for a while."""

import hashlib
from typing import NamedTuple

from imageserver.archive.files import DataDirectory
from imageserver.archive.pictures import RENDERING_VERSION, PictureMemory
from imageserver.archive.slice_lists import refusal_of
from imageserver.archive.volumes import InstanceFile
from imageserver.dicom.decoding import Decoders, decode_frame
from imageserver.dicom.frames import pixel_aspect_ratio
from imageserver.dicom.reading import FileRefused, read_header
from imageserver.dicom.rendering import render_frame
from imageserver.dicom.rendering_options import RenderingOptions, finish_picture
from imageserver.errors import UndecodableFrame


class RenderedKey(NamedTuple):
    """All that a rendered picture depends on; `frame_number` counts from 1."""

    file: InstanceFile
    frame_number: int
    options: RenderingOptions

    @property
    def etag(self) -> str:
        """A strong entity tag, known before anything is rendered."""
        parts = (
            RENDERING_VERSION,
            self.file.sop_instance_uid,
            *self.file.identity,
            self.frame_number,
            self.options.key(),
        )
        return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'


class RenderedPicture(NamedTuple):
    """An encoded picture."""

    content: bytes


class RenderedPictures:
    """Renders frames; may be used by any number of threads."""

    def __init__(self, directory: DataDirectory, decoders: Decoders) -> None:
        self._directory = directory
        self._decoders = decoders
        self._pictures: PictureMemory[RenderedKey, RenderedPicture] = PictureMemory()

    def check(self, key: RenderedKey) -> None:
        """Make sure that a picture is of the file that was indexed, and that this was not found damaged.

        Raises
        ------
        FileGone, FileReplaced, DataDirectoryUnavailable, IntegrityMismatch, UndecodableFrame
        """
        self._directory.check(key.file.path, key.file.identity)
        if key.file.refused_code:
            raise refusal_of(key.file)

    def get(self, key: RenderedKey) -> bytes:
        """Return an encoded picture.

        Raises
        ------
        FileGone, FileReplaced, DataDirectoryUnavailable, IntegrityMismatch
            If the file is not the one that was indexed.
        UnsupportedTransferSyntax, UndecodableFrame
            If the picture cannot be made.
        InvalidParameter
            If the image has no such region, no room for the annotation, or a colour profile that is of no use.
        Busy
            If too many pictures are being made.
        """
        made: list[RenderedPicture] = []
        picture = self._pictures.get(key, lambda: self._make(key, made))
        if not made:  # remembered, or made for another request: this one has to find the file as well
            self.check(key)
        return picture.content

    def _make(self, key: RenderedKey, made: list[RenderedPicture]) -> RenderedPicture:
        index, options = key.frame_number - 1, key.options
        with self._directory.open(key.file.path, key.file.identity) as stream:
            if key.file.refused_code:
                raise refusal_of(key.file)
            try:
                header = read_header(stream)
            except FileRefused as error:  # indexed by a version that read it otherwise
                raise UndecodableFrame(error.message, reason=error.code) from error
            frame = decode_frame(stream, header, index, self._decoders)
        rendered = render_frame(frame, header, index, options.window)
        ratio = pixel_aspect_ratio(header, index) if options.viewport else 1.0
        content = finish_picture(rendered.display_values, options, header, index, rendered.window, ratio)
        made.append(RenderedPicture(content))
        return made[0]
