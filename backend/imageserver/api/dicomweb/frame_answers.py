"""How frames are sent: alone or as parts, native or compressed (PS3.18 8.7.3, table 8.7.3-5)."""

from collections.abc import Iterator
from typing import NamedTuple

from fastapi import Request

from imageserver.api.dicomweb.accept import MULTIPART, MediaRange, accepted
from imageserver.api.multipart import OCTETS
from imageserver.dicom.frame_encoding import encodable_syntaxes
from imageserver.dicom.frame_forms import ENCODED_FORMS, Form
from imageserver.dicom.transfer_syntax import EXPLICIT_VR_LITTLE_ENDIAN, RLE_LOSSLESS, is_supported
from imageserver.errors import NotAcceptable


def _jpeg(*numbers: int) -> tuple[str, ...]:
    return tuple(f"1.2.840.10008.1.2.4.{number}" for number in numbers)


# Media types of compressed frames with their transfer syntaxes, the default first.
COMPRESSED: dict[str, tuple[str, ...]] = {
    "image/jpeg": _jpeg(70, 50, 51, 57),
    "image/jls": _jpeg(80, 81),
    "image/jp2": _jpeg(90, 91),
    "image/jpx": _jpeg(92, 93),
    "image/jphc": _jpeg(201, 202, 203),
    "image/jxl": _jpeg(110, 111, 112),
    "image/dicom-rle": (RLE_LOSSLESS,),
}


class FrameAnswer(NamedTuple):
    """How frames are to be sent."""

    form: Form
    is_single_part: bool
    media_type: str = OCTETS


def choose_frame_answer(request: Request, stored_syntax: str, count: int) -> FrameAnswer:
    """Choose how frames are sent.

    Parameters
    ----------
    request : Request
        With its headers.
    stored_syntax : str
        Transfer syntax of the instance.
    count : int
        Of the frames; several need several parts.

    Raises
    ------
    NotAcceptable
        Names what there is.

    References
    ----------
    DICOM PS3.18 8.7.3.5.2: without a transfer syntax uncompressed values are explicit VR little endian.
    """
    for wanted in accepted(request):
        for form, media_type in _offers(wanted, stored_syntax):
            if wanted.takes_parts_of(media_type):
                return FrameAnswer(form, is_single_part=False, media_type=media_type)
            if wanted.takes(media_type) and count == 1:
                return FrameAnswer(form, is_single_part=True, media_type=media_type)
    several = "" if count == 1 else "; without multipart for a single frame only"
    compressed = ", ".join(f"{kind} ({syntax})" for kind, syntax in _compressed(stored_syntax))
    raise NotAcceptable(
        f'There is {MULTIPART}; type="{OCTETS}", or {OCTETS}{several}. As transfer-syntax there is '
        f"{EXPLICIT_VR_LITTLE_ENDIAN}, and {stored_syntax} as stored (or *). Compressed there is {compressed}."
    )


def _offers(wanted: MediaRange, stored_syntax: str) -> Iterator[tuple[Form, str]]:
    """Yield the forms with the media types that a range may mean."""
    syntax = wanted.parameters.get("transfer-syntax")
    named = wanted.parameters.get("type", wanted.media_type).lower()
    if named in COMPRESSED:
        yield from _offers_of(named, syntax, stored_syntax)
    elif syntax in (None, EXPLICIT_VR_LITTLE_ENDIAN):
        yield Form.NATIVE, OCTETS
    elif syntax in ("*", stored_syntax):
        yield Form.STORED, OCTETS


def _offers_of(media_type: str, syntax: str | None, stored_syntax: str) -> Iterator[tuple[Form, str]]:
    of_type = COMPRESSED[media_type]
    if stored_syntax in of_type and syntax in (None, "*", stored_syntax):
        yield Form.STORED, media_type
    target = of_type[0] if syntax in (None, "*") else syntax
    if target in of_type and target in encodable_syntaxes() and is_supported(stored_syntax):
        yield ENCODED_FORMS[target], media_type


def _compressed(stored_syntax: str) -> Iterator[tuple[str, str]]:
    for media_type, syntaxes in COMPRESSED.items():
        for syntax in syntaxes:
            is_made = syntax in encodable_syntaxes() and is_supported(stored_syntax)
            if syntax == stored_syntax or is_made:
                yield media_type, syntax
