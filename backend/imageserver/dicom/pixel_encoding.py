"""How pixel data is really encoded, where its transfer syntax does not say so: the streams tell it themselves."""

from dataclasses import replace
from typing import BinaryIO, NamedTuple

from imageserver.dicom.codestream import StreamHeader, read_stream_header
from imageserver.dicom.image_pixel import ImagePixel
from imageserver.dicom.limits import DEFAULT_LIMITS, FileRefused, Finding
from imageserver.dicom.pixel_data import Fragment, PixelData, filled_fragments, read_fragments, stream_starts
from imageserver.dicom.transfer_syntax import (
    ENCAPSULATED_UNCOMPRESSED,
    EXPLICIT_VR_LITTLE_ENDIAN,
    SUPPORTED,
    TransferSyntax,
    is_supported,
    syntax_of_stream,
)

MISLABELLED = "mislabelled_pixel_data"
SURPLUS_FRAMES = "surplus_frames"

_KNOWN_HEAD = 64  # enough for RLE and JPEG XL
# More is read of what begins like JPEG or JPEG 2000; profiles and thumbnails may stand before the frame header.
_LONGER_HEADS = (2048, 65536)
_LONGER_STARTS = (b"\xff\xd8", b"\xff\x4f", b"\0\0\0\x0cjP")
_MOST_ITEMS = DEFAULT_LIMITS.fragments
_ITEM = b"\xfe\xff\x00\xe0"


class PixelEncoding(NamedTuple):
    """The transfer syntax that the pixel data follows, where it stands, and what was found on the way."""

    syntax: TransferSyntax
    pixel_data: PixelData
    findings: tuple[Finding, ...] = ()


def find_pixel_encoding(
    stream: BinaryIO, image: ImagePixel, pixel_data: PixelData, syntax: TransferSyntax
) -> PixelEncoding:
    """Compare the declared transfer syntax with the pixel data itself.

    Parameters
    ----------
    stream : binary file object
        What `pixel_data` points into.
    image : ImagePixel
        Of the object.
    pixel_data : PixelData
        As the elements of the data set show it.
    syntax : TransferSyntax
        As declared.

    Returns
    -------
    PixelEncoding
        As given, unless the start of the streams or the length of native data leaves no doubt that it is another
        one; then with a finding.

    Raises
    ------
    FileRefused
        ``wrong_transfer_syntax`` where native data stands in for fragments and its length does not fit.

    References
    ----------
    DICOM PS3.5 8.2, A.4
    """
    given = PixelEncoding(syntax, pixel_data)
    if not is_supported(syntax.uid):
        return given
    if pixel_data.is_encapsulated:
        found = _in_fragments(stream, image, given)
        return found._replace(findings=(*found.findings, *_surplus(stream, image, pixel_data)))
    if syntax.is_encapsulated or _is_short(image, pixel_data):
        return _without_fragments(stream, image, given)
    return given


def _in_fragments(stream: BinaryIO, image: ImagePixel, given: PixelEncoding) -> PixelEncoding:
    syntax, fragments = given.syntax, filled_fragments(given.pixel_data)
    fits = _fit_native(image, fragments)
    if not fragments or (fits and syntax.uid == ENCAPSULATED_UNCOMPRESSED):
        return given
    header = _header_of(stream, fragments)
    if header is not None and header.kind not in syntax.kinds:
        return _relabelled(given, header)
    if header is None and fits and not syntax.is_frame_native:
        return _as(SUPPORTED[ENCAPSULATED_UNCOMPRESSED], given, "is not compressed")
    return given


def _without_fragments(stream: BinaryIO, image: ImagePixel, given: PixelEncoding) -> PixelEncoding:
    """Judge pixel data of defined length that is too short to be native, or that is declared to be compressed."""
    syntax, pixel_data = given.syntax, given.pixel_data
    if syntax.is_encapsulated and pixel_data.length - image.native_length in (0, image.native_length % 2):
        return _as(SUPPORTED[EXPLICIT_VR_LITTLE_ENDIAN], given, "is not compressed")
    fragments = _items(stream, pixel_data) or [(pixel_data.offset, 0), (pixel_data.offset, pixel_data.length)]
    inside = replace(given.pixel_data, is_encapsulated=True, fragments=fragments)
    header = _header_of(stream, filled_fragments(inside))
    if header is not None and header.size in (None, (image.rows, image.columns)):
        found = syntax if header.kind in syntax.kinds else syntax_of_stream(header)
        if found is not None:
            return _as(found, given._replace(pixel_data=inside), f"is {header.kind.value} without fragments")
    if syntax.is_encapsulated:
        raise FileRefused(
            "wrong_transfer_syntax", f"The pixel data is not in fragments, unlike {syntax.name}."
        )
    return given


def _relabelled(given: PixelEncoding, header: StreamHeader) -> PixelEncoding:
    found = syntax_of_stream(header)
    if found is None:  # known, and no decoder for it: each frame is refused by the name of its kind
        return given
    return _as(found, given, f"is {header.kind.value}")


def _as(found: TransferSyntax, given: PixelEncoding, what: str) -> PixelEncoding:
    declared = given.syntax
    kept = replace(found, is_implicit_vr=declared.is_implicit_vr, is_little_endian=declared.is_little_endian)
    finding = Finding(
        MISLABELLED, f"The pixel data {what}, although the transfer syntax says {declared.name}."
    )
    return given._replace(syntax=kept, findings=(*given.findings, finding))


def _header_of(stream: BinaryIO, fragments: list[Fragment]) -> StreamHeader | None:
    """Read the start of the first stream, no more of it than its kind makes necessary."""
    head = read_fragments(stream, _beginning(fragments, _KNOWN_HEAD))
    if not head.startswith(_LONGER_STARTS):
        return read_stream_header(head)
    for size in _LONGER_HEADS:
        header = read_stream_header(read_fragments(stream, _beginning(fragments, size)))
        if header is not None:
            return header
    return None


def _beginning(fragments: list[Fragment], size: int) -> list[Fragment]:
    taken = []
    for offset, length in fragments:
        if size <= 0:
            break
        taken.append((offset, min(length, size)))
        size -= length
    return taken


def _fit_native(image: ImagePixel, fragments: list[Fragment]) -> bool:
    """Tell whether each fragment holds exactly one native frame, or all of them the only one."""
    length = (image.native_frame_bits + 7) // 8
    allowed = (length, length + length % 2)
    if image.number_of_frames == 1:
        return sum(size for _, size in fragments) in allowed
    return len(fragments) == image.number_of_frames and all(size in allowed for _, size in fragments)


def _is_short(image: ImagePixel, pixel_data: PixelData) -> bool:
    return pixel_data.length < image.native_length and pixel_data.keyword == "PixelData"


def _items(stream: BinaryIO, pixel_data: PixelData) -> list[Fragment]:
    """Read fragments inside pixel data of defined length, against PS3.5 A.4; none where they do not fill it."""
    fragments: list[Fragment] = []
    at, end = pixel_data.offset, pixel_data.offset + pixel_data.length
    while at + 8 <= end and len(fragments) <= _MOST_ITEMS:
        stream.seek(at)
        head = stream.read(8)
        length = int.from_bytes(head[4:], "little")
        if head[:4] != _ITEM or at + 8 + length > end:
            break
        fragments.append((at + 8, length))
        at += 8 + length
    has_delimiter = at + 8 == end
    return fragments if fragments and (at == end or has_delimiter) else []


def _surplus(stream: BinaryIO, image: ImagePixel, pixel_data: PixelData) -> list[Finding]:
    """Tell of streams beyond the Number of Frames; several fragments may well be one stream."""
    fragments = filled_fragments(pixel_data)
    if len(fragments) <= image.number_of_frames:
        return []
    count = len(stream_starts(stream, fragments))
    if count <= image.number_of_frames:
        return []
    message = f"The pixel data holds {count} frames; Number of Frames says {image.number_of_frames}."
    return [Finding(SURPLUS_FRAMES, message)]
