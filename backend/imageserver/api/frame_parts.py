"""The frames of an answer, part by part: a frame that cannot be given is a part that says why."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from imageserver.api.multipart import (
    OCTETS,
    PART_END,
    closing,
    content_type,
    part_head,
    problem_part,
)
from imageserver.archive.addresses import InstanceAddress
from imageserver.archive.archive import Archive
from imageserver.archive.volumes import InstanceFile
from imageserver.dicom.frame_forms import EncodedFrame, Form
from imageserver.dicom.transfer_syntax import EXPLICIT_VR_LITTLE_ENDIAN
from imageserver.errors import AppError, FileGone

ROOT = "/dicomweb/"
# Of so many frames the headers may be read before the answer begins, so that its length can be told.
MEASURED_AT_MOST = 64
# A shorter frame leaves no room for a problem in its place.
SHORTEST_MEASURED = 4096


class WantedFrame(NamedTuple):
    """A frame that was asked for; `file` is None where it is known to be gone."""

    address: InstanceAddress
    frame_number: int
    file: InstanceFile | None

    @property
    def location(self) -> str:
        """Where the frame is to be had alone."""
        return f"{ROOT}{self.address.path}/frames/{self.frame_number}"


def frame_type(frame: EncodedFrame, media_type: str = OCTETS) -> str:
    """Return the media type of a frame with its parameters."""
    return content_type(media_type, {"transfer-syntax": frame.transfer_syntax_uid, **frame.parameters})


_PLAIN_TYPE = content_type(OCTETS, {"transfer-syntax": EXPLICIT_VR_LITTLE_ENDIAN})


def measure(archive: Archive, wanted: Sequence[WantedFrame], form: Form, boundary: str) -> list[int] | None:
    """Return the size of each part; None where that is not known before the frames are read."""
    may_read = len(wanted) <= MEASURED_AT_MOST
    sizes = []
    for one in wanted:
        length = None if one.file is None else _plain_length(archive, one.file, form, may_read=may_read)
        if length is None or length < SHORTEST_MEASURED:
            return None
        sizes.append(len(part_head(boundary, _PLAIN_TYPE, one.location, length)) + length + len(PART_END))
    return sizes


def _plain_length(archive: Archive, file: InstanceFile, form: Form, *, may_read: bool) -> int | None:
    try:
        return archive.frames.plain_length(file, form, may_read=may_read)
    except AppError:  # the part itself will say so
        return None


def frame_parts(
    archive: Archive,
    wanted: Sequence[WantedFrame],
    form: Form,
    boundary: str,
    sizes: Sequence[int] | None,
    media_type: str = OCTETS,
    *,
    is_last: bool = True,
) -> Iterator[bytes]:
    """Yield heads and contents of the parts; with `sizes`, each part has exactly the size that was told for it."""
    read = archive.frame_reading()
    for index, one in enumerate(wanted):
        size = None if sizes is None else sizes[index]
        try:
            if one.file is None:
                raise FileGone("The file of this instance is not in the data directory any more.")
            frame = read(one.file, one.frame_number, form)
            head = part_head(boundary, frame_type(frame, media_type), one.location, len(frame.content))
            if size is not None and len(head) + len(frame.content) + len(PART_END) != size:
                raise ValueError("a frame has another length than its layout")
        except Exception as error:
            yield problem_part(boundary, one.location, error, size)
            continue
        yield head
        yield frame.content
        yield PART_END
    if is_last:
        yield closing(boundary)
