"""What the server does with a file: read it, describe its frames, arrange them, keep rows, make a picture."""

import io
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fuzz.campaign import Fault
from imageserver.archive.files import DataDirectory, FileIdentity, FoundFile
from imageserver.archive.pictures import PictureKey, PictureMaker
from imageserver.archive.reading import ReadFile, ReadInstance, read_file
from imageserver.archive.volumes import InstanceFile
from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.frames import FrameDescription, describe_frames
from imageserver.dicom.picture_format import PictureFormat
from imageserver.dicom.reading import FileRefused, Header, read_header
from imageserver.dicom.stacks import Arrangement, arrange
from imageserver.errors import AppError


def read(data: bytes) -> Header | str:
    """Read a file; its header, or the code it was refused with. Any other exception is a fault and leaves."""
    try:
        header = read_header(io.BytesIO(data))
    except FileRefused as error:
        if error.header is not None:
            describe_frames(error.header)
        return f"refused {error.code}"
    describe_frames(header)
    return header


class Pipeline:
    """The way of one file through the server, without the web and the database.

    Parameters
    ----------
    folder : pathlib.Path
        An empty folder, for one file at a time.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "file"
        self._directory = DataDirectory(folder)
        self._decoders = DecoderPool()
        self._maker = PictureMaker(self._directory, self._decoders)

    def close(self) -> None:
        """End the decoder processes."""
        self._decoders.close()

    def process(self, data: bytes) -> str:
        """Take one file all the way; the outcome. A warning of numpy counts as a fault: nobody foresaw it."""
        with _warnings_are_faults():
            file = self.read(data)
            if file.instance is None:
                return f"{file.state} {file.code}"
            check_rows(file.instance)
            check_arrangement(file.instance.frames)
            if file.code is not None:
                return f"{file.state} {file.code}, has a place"
            return self._show(file, file.instance)

    def read(self, data: bytes) -> ReadFile:
        """Put the file into the folder and read it as the index does."""
        self._path.write_bytes(data)
        status = self._path.stat()
        return read_file(
            self._directory,
            FoundFile(b"file", FileIdentity(status.st_size, status.st_mtime_ns, status.st_ino)),
        )

    def _show(self, file: ReadFile, instance: ReadInstance) -> str:
        if not instance.frames:
            return "accepted without a picture"
        located = InstanceFile(instance.sop_instance_uid, file.path, file.identity, None, None)
        frame = instance.frames[len(instance.frames) // 2]
        key = PictureKey(located, frame.frame_number, None, PictureFormat.PNG)
        try:
            self._maker.windows(key)
            picture = self._maker.make(key)
        except AppError as error:
            return f"no picture: {type(error).__name__}"
        size = int.from_bytes(picture.content[16:20], "big"), int.from_bytes(picture.content[20:24], "big")
        if size != (frame.columns, frame.rows):
            raise Fault(f"a picture of {size} for {frame.columns} x {frame.rows}")
        return "accepted, shown"


def check_rows(instance: ReadInstance) -> None:
    """Make sure that both databases take what the index keeps of an instance, and that an answer can be made of it."""
    columns = [instance.study, instance.series, instance.sop_instance_uid, instance.sop_class_uid]
    texts = [instance.transfer_syntax_uid, instance.patient, instance.warnings, *columns]
    frames = [frame.as_dict() for frame in instance.frames]
    for frame, description in zip(frames, instance.frames, strict=True):
        if FrameDescription.from_dict(json.loads(json.dumps(frame))) != description:
            raise Fault("a frame is another one after JSON")
    check_storable([texts, frames])


def check_arrangement(frames: list[FrameDescription]) -> None:
    """Arrange the frames of one file alone."""
    arrangement = arrange(frames)
    stored = json.loads(check_storable(arrangement.as_dict()))
    if Arrangement.from_dict(stored).as_dict() != arrangement.as_dict():
        raise Fault("an arrangement is another one after JSON")


def check_storable(value: Any) -> str:
    """Return a value as JSON; PostgreSQL takes no NaN, no NUL and no lone surrogate, and neither do browsers."""
    written = json.dumps(value, allow_nan=False, ensure_ascii=False)
    written.encode()
    if "\\u0000" in written:
        raise Fault("a text with NUL would be stored")
    return written


@contextmanager
def _warnings_are_faults() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=UserWarning, module="pydicom")  # as the server does
        yield
