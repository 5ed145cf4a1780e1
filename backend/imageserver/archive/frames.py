"""Frames as they leave the server: read from an unchanged file, at once where they stand there plainly."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from imageserver.archive.files import DataDirectory
from imageserver.archive.frame_layouts import FrameLayouts, Layout
from imageserver.archive.slice_lists import FRAMES_VERSION, refusal_of
from imageserver.archive.volumes import InstanceFile
from imageserver.dicom.decoding import Decoders
from imageserver.dicom.fragment_layout import fragment_layout
from imageserver.dicom.frame_forms import (
    EncodedFrame,
    Form,
    encode_frame,
    read_plain_frame,
    read_stored_frame,
)
from imageserver.dicom.native_layout import NativeLayout, native_layout
from imageserver.dicom.reading import FileRefused, Header, read_header
from imageserver.errors import UndecodableFrame


class FrameReader:
    """Reads frames; remembers where those stand that need no decoding. May be used by any number of threads."""

    def __init__(self, directory: DataDirectory, decoders: Decoders) -> None:
        self._directory = directory
        self._decoders = decoders
        self._layouts = FrameLayouts()

    def run(self) -> "FrameRun":
        """Begin to read frames one after the other, so that the header of a file is read once for all of them."""
        return FrameRun(self)

    def plain_length(self, file: InstanceFile, form: Form, *, may_read: bool) -> int | None:
        """Return the length of the frames of a file where they are plain, in bytes.

        Parameters
        ----------
        file : InstanceFile
            Where they are kept.
        form : Form
            In which they are to be sent.
        may_read : bool
            Whether the header may be read for it; else only what is remembered counts.

        Returns
        -------
        int or None
            None where that is not known beforehand.

        Raises
        ------
        FileGone, FileReplaced, DataDirectoryUnavailable, IntegrityMismatch, UndecodableFrame
            As `FrameRun.read`.
        """
        if form.is_encoded:
            return None
        layout = self._layouts.recall(file, form)
        if layout is None and may_read:
            with self._open(file) as (stream, header):
                layout = self._layout_of(file, stream, header, form)
        return layout.frame_length if isinstance(layout, NativeLayout) else None

    def image_size(self, file: InstanceFile) -> tuple[int, int]:
        """Return Rows and Columns; zeros for an object without pixel data. Raises as `FrameRun.read`."""
        with self._open(file) as (_, header):
            return (0, 0) if header.image is None else (header.image.rows, header.image.columns)

    def decoded_bytes(self, file: InstanceFile) -> int:
        """Return how many bytes one frame takes when a browser has decoded it; raises as `FrameRun.read`."""
        with self._open(file) as (stream, header):
            image = header.image
            if image is None:
                return 0
            self._layout_of(file, stream, header, Form.BROWSER)
            is_colour = image.samples_per_pixel > 1 or image.photometric_interpretation == "PALETTE COLOR"
            return image.rows * image.columns * (3 if is_colour else image.stored_type.itemsize)

    @contextmanager
    def _open(self, file: InstanceFile) -> Iterator[tuple[BinaryIO, Header]]:
        if file.refused_code:
            raise refusal_of(file)
        with self._directory.open(file.path, file.identity) as stream:
            try:
                header = read_header(stream)
            except FileRefused as error:  # indexed by a version that read it otherwise
                raise UndecodableFrame(error.message, reason=error.code) from error
            yield stream, header

    def _layout_of(self, file: InstanceFile, stream: BinaryIO, header: Header, form: Form) -> Layout | None:
        if form.is_encoded:
            return None
        layout: Layout | None = native_layout(header, is_for_browsers=form is Form.BROWSER)
        if layout is None and form is not Form.NATIVE:
            layout = fragment_layout(stream, header)
        if layout is not None:
            self._layouts.keep(file, form, layout)
        return layout


class FrameRun:
    """Frames that are read one after the other, by one thread at a time.

    No file stays open between two frames: who asked may go away at any time.
    """

    def __init__(self, reader: FrameReader) -> None:
        self._reader = reader
        self._header: tuple[InstanceFile, Header] | None = None

    def read(self, file: InstanceFile, frame_number: int, form: Form) -> EncodedFrame:
        """Read one frame in the form that is wanted.

        Parameters
        ----------
        file : InstanceFile
            Where it is kept.
        frame_number : int
            From 1.
        form : Form
            In which it is to be sent.

        Raises
        ------
        FileGone, FileReplaced, DataDirectoryUnavailable
            If the file is not the one that was indexed.
        IntegrityMismatch, UndecodableFrame, UnsupportedTransferSyntax
            If the frame cannot be given.
        Busy
            If all decoders are.
        """
        if file.refused_code:
            raise refusal_of(file)
        reader = self._reader
        layout = None if form.is_encoded else reader._layouts.recall(file, form)
        if layout is not None:
            with reader._directory.open(file.path, file.identity) as stream:
                found = _read_at_place(stream, layout, file, frame_number, form)
            if found is not None:
                return found
        if self._header is None or self._header[0] != file:
            self._header = None  # an inflated data set is let go before the next is read
            with reader._open(file) as (stream, header):
                self._header = (file, header)
                reader._layout_of(file, stream, header, form)
                return encode_frame(stream, header, frame_number - 1, form, reader._decoders)
        with reader._directory.open(file.path, file.identity) as stream:
            return encode_frame(stream, self._header[1], frame_number - 1, form, reader._decoders)


def _read_at_place(
    stream: BinaryIO, layout: Layout, file: InstanceFile, frame_number: int, form: Form
) -> EncodedFrame | None:
    try:
        if isinstance(layout, NativeLayout):
            return read_plain_frame(stream, layout, frame_number - 1)
        return read_stored_frame(stream, layout, frame_number - 1, form)
    except ValueError as error:
        uid = file.sop_instance_uid
        raise UndecodableFrame(
            f"Frame {frame_number} of instance {uid} cannot be read: {error}.",
            sop_instance_uid=uid,
            frame_number=frame_number,
        ) from error


def etag_of_frames(file: InstanceFile, numbers: Sequence[int], form: Form, is_single_part: bool) -> str:
    """Return an entity tag of frames of one file, known before any of them is read."""
    parts = (FRAMES_VERSION, file.sop_instance_uid, *file.identity, *numbers, form.value, is_single_part)
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'
