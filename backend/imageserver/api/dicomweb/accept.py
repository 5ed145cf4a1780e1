"""Which of the forms that there are the client accepts (PS3.18 8.3.3, 8.7; RFC 9110, section 12.5.1)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from fastapi import Request

from imageserver.api.multipart import OCTETS
from imageserver.dicom.frame_forms import Form
from imageserver.dicom.transfer_syntax import EXPLICIT_VR_LITTLE_ENDIAN
from imageserver.errors import NotAcceptable

DICOM_JSON = "application/dicom+json"

_MULTIPART = "multipart/related"
# A text in quotes; one that is never closed goes to the end, so that no header has to be searched more than once.
_QUOTED = r'"(?:[^"\\]|\\.?)*"?'
_PART = re.compile(rf'(?:[^,"]|{_QUOTED})+')
_PARAMETER = re.compile(rf";\s*([A-Za-z0-9-]+)\s*=\s*({_QUOTED}|[^;]*)")


class MediaRange(NamedTuple):
    """One media range of ``Accept``; parameters without ``q``, names in lower case."""

    media_type: str
    parameters: dict[str, str]
    quality: float


class FrameAnswer(NamedTuple):
    """How frames are to be sent."""

    form: Form
    is_single_part: bool


def media_ranges(header: str) -> list[MediaRange]:
    """Read a header ``Accept``; the best comes first, among equals the first. Nothing accepted means all.

    Parameters
    ----------
    header : str
        Empty where there is none.
    """
    found = [one for one in map(_media_range, _PART.findall(header)) if one.quality > 0]
    if not header.strip():
        return [MediaRange("*/*", {}, 1.0)]
    return sorted(found, key=lambda one: -one.quality)


def _media_range(text: str) -> MediaRange:
    media_type = text.partition(";")[0].strip().lower()
    parameters = {name.lower(): value.strip().strip('"') for name, value in _PARAMETER.findall(text)}
    try:
        quality = float(parameters.pop("q", "1"))
    except ValueError:
        quality = 0.0
    return MediaRange(media_type, parameters, quality)


def accepted(request: Request) -> list[MediaRange]:
    """Return what a request accepts."""
    return media_ranges(",".join(request.headers.getlist("accept")))


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
        for form in _forms(wanted, stored_syntax):
            is_multipart = wanted.media_type in ("*/*", "multipart/*", _MULTIPART)
            if is_multipart and wanted.parameters.get("type", OCTETS) in (OCTETS, "*/*", "application/*"):
                return FrameAnswer(form, is_single_part=False)
            if wanted.media_type in (OCTETS, "application/*") and count == 1:
                return FrameAnswer(form, is_single_part=True)
    several = "" if count == 1 else f"; {OCTETS} alone for a single frame only"
    raise NotAcceptable(
        f'There is {_MULTIPART}; type="{OCTETS}", or {OCTETS}{several}. As transfer-syntax there is '
        f"{EXPLICIT_VR_LITTLE_ENDIAN}, and {stored_syntax} as stored (or *)."
    )


def _forms(wanted: MediaRange, stored_syntax: str) -> Iterator[Form]:
    syntax = wanted.parameters.get("transfer-syntax")
    if syntax in (None, EXPLICIT_VR_LITTLE_ENDIAN):
        yield Form.NATIVE
    elif syntax in ("*", stored_syntax):
        yield Form.STORED


def require_dicom_json(request: Request) -> str:
    """Return the media type for metadata.

    Raises
    ------
    NotAcceptable
        If the client accepts no JSON.
    """
    for wanted in accepted(request):
        if wanted.media_type in ("*/*", "application/*", DICOM_JSON):
            return DICOM_JSON
        if wanted.media_type == "application/json":
            return "application/json"
    raise NotAcceptable(f"There is {DICOM_JSON}.")
