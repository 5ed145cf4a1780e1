"""Frames as they leave the server: read from an unchanged file, at once where they stand there plainly."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from imageserver.archive.files import DataDirectory
from imageserver.archive.slice_lists import FRAMES_VERSION, refusal_of
from imageserver.archive.volumes import InstanceFile
from imageserver.dicom.decoding import Decoders
from imageserver.dicom.frame_forms import EncodedFrame, Form, encode_frame, read_plain_frame
from imageserver.dicom.native_layout import NativeLayout, native_layout
from imageserver.dicom.reading import FileRefused, Header, read_header
from imageserver.errors import UndecodableFrame

MAX_REMEMBERED = 20_000  # layouts, of about 400 bytes

_Key = tuple[InstanceFile, bool]


class FrameReader:
    """Reads frames; remembers where the plain frames of a file stand. May be used by any number of threads."""

    def __init__(self, directory: DataDirectory, decoders: Decoders) -> None:
        self._directory = directory
        self._decoders = decoders
        self._lock = threading.Lock()
        self._layouts: OrderedDict[_Key, NativeLayout] = OrderedDict()

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
        layout = self._recall(file, form)
        if layout is None and may_read:
            with self._open(file) as (_, header):
                layout = self._layout_of(file, header, form)
        return None if layout is None else layout.frame_length

    def image_size(self, file: InstanceFile) -> tuple[int, int]:
        """Return Rows and Columns; zeros for an object without pixel data. Raises as `FrameRun.read`."""
        with self._open(file) as (_, header):
            return (0, 0) if header.image is None else (header.image.rows, header.image.columns)

    def decoded_bytes(self, file: InstanceFile) -> int:
        """Return how many bytes one frame takes when a browser has decoded it; raises as `FrameRun.read`."""
        with self._open(file) as (_, header):
            image = header.image
            if image is None:
                return 0
            self._layout_of(file, header, Form.BROWSER)
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

    def _recall(self, file: InstanceFile, form: Form) -> NativeLayout | None:
        key = (file, form is Form.BROWSER)
        with self._lock:
            if (layout := self._layouts.get(key)) is not None:
                self._layouts.move_to_end(key)
            return layout

    def _layout_of(self, file: InstanceFile, header: Header, form: Form) -> NativeLayout | None:
        is_for_browsers = form is Form.BROWSER
        layout = native_layout(header, is_for_browsers=is_for_browsers)
        if layout is not None:
            with self._lock:
                self._layouts[(file, is_for_browsers)] = layout
                while len(self._layouts) > MAX_REMEMBERED:
                    self._layouts.popitem(last=False)
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
        layout = None if form.is_encoded else reader._recall(file, form)
        if layout is not None:
            with reader._directory.open(file.path, file.identity) as stream:
                return _read_plain(stream, layout, file, frame_number)
        if self._header is None or self._header[0] != file:
            self._header = None  # an inflated data set is let go before the next is read
            with reader._open(file) as (stream, header):
                self._header = (file, header)
                reader._layout_of(file, header, form)
                return encode_frame(stream, header, frame_number - 1, form, reader._decoders)
        with reader._directory.open(file.path, file.identity) as stream:
            return encode_frame(stream, self._header[1], frame_number - 1, form, reader._decoders)


def _read_plain(
    stream: BinaryIO, layout: NativeLayout, file: InstanceFile, frame_number: int
) -> EncodedFrame:
    try:
        return read_plain_frame(stream, layout, frame_number - 1)
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
