"""Instances in another transfer syntax than they are stored in, as files of PS3.10, in pieces.

Everything that the new encoding changes is told in the data set: file meta information, Photometric Interpretation,
Planar Configuration, bits. Pixel values are the same, because nothing is encoded with loss here.
"""

import itertools
import zlib
from collections.abc import Callable, Iterator

from imageserver.dicom.attributes import instance_address
from imageserver.dicom.bulk_data import WHOLE_LIMITS, pixel_place, swap
from imageserver.dicom.data_set_writing import NotWritable, element_bytes, element_head, write_data_set
from imageserver.dicom.decoding import Decoders, undecodable
from imageserver.dicom.file_meta import write_file_meta
from imageserver.dicom.frame_encoding import encodable_syntaxes
from imageserver.dicom.reading import Header, read_header
from imageserver.dicom.tags import PIXEL_DATA_TAGS
from imageserver.dicom.text_values import text
from imageserver.dicom.transcoded_frames import OpenFile, TranscodedFrames
from imageserver.dicom.transfer_syntax import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    find_transfer_syntax,
    is_supported,
)

PIECE = 1 << 20


def targets_of(stored_syntax: str, *, has_pixel_data: bool) -> tuple[str, ...]:
    """Return the transfer syntaxes that an instance can be had in, the one that it is stored in first.

    Without pixel data there is nothing to compress, and with pixel data that no decoder reads nothing to write anew.
    """
    plain = (EXPLICIT_VR_LITTLE_ENDIAN, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)
    is_encapsulated = find_transfer_syntax(stored_syntax).is_encapsulated
    if not has_pixel_data:
        others: tuple[str, ...] = plain
    elif is_encapsulated and not is_supported(stored_syntax):
        others = ()
    else:
        others = (*plain, *encodable_syntaxes())
    return tuple(dict.fromkeys((stored_syntax, *others)))


def transcode(open_file: OpenFile, target: str, decoders: Decoders) -> Iterator[bytes]:
    """Yield an instance as a file in another transfer syntax.

    Parameters
    ----------
    open_file : function
        Opens the file, and makes sure that it is the one that was indexed. Called for each frame or piece anew: no
        file stays open while the receiver takes its time.
    target : str
        One of `targets_of`.
    decoders : Decoders
        For compressed pixel data.

    Raises
    ------
    FileRefused
        If the file cannot be read.
    UndecodableFrame, UnsupportedTransferSyntax, Busy
        If a frame cannot be decoded. What is wrong with the first frame is raised before anything is yielded.
    NotAcceptable
        If the target has no form for such pixel values.

    References
    ----------
    DICOM PS3.18 8.7.3.5; PS3.5 8, A; PS3.3 C.7.6.3
    """
    with open_file() as stream:
        header = read_header(stream, WHOLE_LIMITS, with_private=True)
    pieces = _data_set(header, open_file, target, decoders)
    first = next(pieces)
    address = instance_address(header.dataset, header.file_meta)
    sop_class_uid = text(header.dataset, "SOPClassUID") or text(header.file_meta, "MediaStorageSOPClassUID")
    head = write_file_meta(sop_class_uid or "", address.sop_instance_uid, target, header.file_meta)
    if target == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN:
        yield head
        yield from _deflated(first, pieces)
    else:
        yield head + first
        yield from pieces


def _deflated(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Deflate a data set (PS3.5 A.5), of even length."""
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    length = 0
    for piece in itertools.chain((first,), pieces):
        compressed = deflate.compress(piece)
        length += len(compressed)
        yield compressed
    last = deflate.flush()
    yield last + b"\0" * ((length + len(last)) % 2)


def _data_set(header: Header, open_file: OpenFile, target: str, decoders: Decoders) -> Iterator[bytes]:
    changes = _address_changes(header)
    image, pixel_data = header.image, header.pixel_data
    if image is None or pixel_data is None:
        yield _written(header, changes, None)
        return
    is_native = target in (EXPLICIT_VR_LITTLE_ENDIAN, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)
    pixel_tag = next(tag for tag, name in PIXEL_DATA_TAGS.items() if name == pixel_data.keyword)
    if is_native and not pixel_data.is_encapsulated:
        pieces = _native_pixels(header, open_file)
    else:
        frames = TranscodedFrames(header, image, open_file, decoders)
        changes |= frames.changes()
        pieces = frames.native() if is_native else frames.encapsulated(target)
    first = next(pieces)
    yield _written(header, changes, lambda tag: tag < pixel_tag) + first
    yield from pieces
    yield _written(header, {}, lambda tag: tag > pixel_tag)


def _written(
    header: Header, changes: dict[int, bytes | None], is_wanted: Callable[[int], bool] | None
) -> bytes:
    is_signed = header.image is not None and header.image.is_signed
    try:
        return write_data_set(header.dataset, is_signed=is_signed, changes=changes, is_wanted=is_wanted)
    except NotWritable as error:
        raise undecodable(header, 0, f"it cannot be written in another transfer syntax: {error}") from error


def _address_changes(header: Header) -> dict[int, bytes | None]:
    """Give the UIDs under which the instance is known to a file that has them not, or malformed."""
    address = instance_address(header.dataset, header.file_meta)
    known = {
        "StudyInstanceUID": (0x0020000D, address.study_instance_uid),
        "SeriesInstanceUID": (0x0020000E, address.series_instance_uid),
        "SOPInstanceUID": (0x00080018, address.sop_instance_uid),
    }
    return {
        tag: element_bytes(tag, "UI", uid.encode("ascii"))
        for keyword, (tag, uid) in known.items()
        if text(header.dataset, keyword) != uid
    }


def _native_pixels(header: Header, open_file: OpenFile) -> Iterator[bytes]:
    """Yield the element of native pixel data: the same bytes, turned round where they are big endian."""
    assert header.pixel_data is not None
    assert header.image is not None
    place = pixel_place(header, header.pixel_data.keyword)
    assert place is not None
    tag = next(tag for tag, name in PIXEL_DATA_TAGS.items() if name == header.pixel_data.keyword)
    usual = {8: "OB", 1: "OB"}.get(header.image.bits_allocated, "OW")
    vr = {0x7FE00008: "OF", 0x7FE00009: "OD"}.get(tag)
    declared = header.pixel_data.vr
    # In implicit VR it is OW whatever the bits are (PS3.5 A.1), which explicit VR allows too (A.2).
    vr = vr or (declared if declared in ("OB", "OW") else "OW" if declared is None else usual)
    yield element_head(tag, vr, place.length + place.length % 2)
    for start in range(0, place.length, PIECE):
        with open_file() as stream:
            source = header.pixel_stream(stream)
            source.seek(place.offset + start)
            data = source.read(min(PIECE, place.length - start))
        yield swap(data, place.swapped_size)
    yield b"\0" * (place.length % 2)
