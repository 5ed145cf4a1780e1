"""Which of the forms that there are the client accepts (PS3.18 8.3.3, 8.7; RFC 9110, section 12.5.1)."""

import re
from collections.abc import Iterator
from typing import Annotated, NamedTuple

from fastapi import Depends, Query, Request

from imageserver.api.parameters import Absent
from imageserver.errors import NotAcceptable

DICOM = "application/dicom"
DICOM_JSON = "application/dicom+json"
DICOM_XML = "application/dicom+xml"
MULTIPART = "multipart/related"

# A text in quotes; one that is never closed goes to the end, so that no header has to be searched more than once.
_QUOTED = r'"(?:[^"\\]|\\.?)*"?'
_PART = re.compile(rf'(?:[^,"]|{_QUOTED})+')
_PARAMETER = re.compile(rf";\s*([A-Za-z0-9-]+)\s*=\s*({_QUOTED}|[^;]*)")
# A plus sign that was not escaped in an address is a blank by now.
_LOST_PLUS = re.compile(r"(application/dicom) (json|xml)", re.IGNORECASE)
# As the standard had them before they were registered.
_FORMER_NAMES = {"image/x-jls": "image/jls", "image/x-dicom-rle": "image/dicom-rle"}
_UTF_8 = frozenset({"utf-8", "utf8"})


class MediaRange(NamedTuple):
    """One media range of ``Accept``; parameters without ``q``, names in lower case.

    Attributes
    ----------
    media_type : str
    parameters : dict
    quality : float
        Above 0.
    excluded : frozenset of str
        Media types that the client does not want, though a wildcard would take them in.
    """

    media_type: str
    parameters: dict[str, str]
    quality: float
    excluded: frozenset[str] = frozenset()

    def takes(self, media_type: str) -> bool:
        """Tell whether a media type is in this range."""
        group = media_type.partition("/")[0]
        if self.media_type in ("*/*", f"{group}/*"):
            return media_type not in self.excluded
        return self.media_type == media_type

    def takes_parts_of(self, media_type: str) -> bool:
        """Tell whether parts of a media type are in this range; where it names none, they are."""
        wanted = self.parameters.get("type", "*/*").lower()
        return self.takes(MULTIPART) and wanted in (media_type, "*/*", f"{media_type.partition('/')[0]}/*")


def media_ranges(header: str) -> list[MediaRange]:
    """Read a header ``Accept``; the best comes first, among equals the first. Nothing accepted means all.

    Parameters
    ----------
    header : str
        Empty where there is none.
    """
    if not header.strip():
        return [MediaRange("*/*", {}, 1.0)]
    found = [_media_range(part) for part in _PART.findall(header)]
    excluded = frozenset(one.media_type for one in found if one.quality <= 0 and not one.parameters)
    wanted = [one._replace(excluded=excluded) for one in found if one.quality > 0 and _is_utf_8(one)]
    return sorted(wanted, key=lambda one: -one.quality)


def _media_range(text: str) -> MediaRange:
    media_type = text.partition(";")[0].strip().lower()
    parameters = {name.lower(): value.strip().strip('"') for name, value in _PARAMETER.findall(text)}
    if parameters.get("type", "").lower() in _FORMER_NAMES:
        parameters["type"] = _FORMER_NAMES[parameters["type"].lower()]
    try:
        quality = float(parameters.pop("q", "1"))
    except ValueError:
        quality = 0.0
    return MediaRange(_FORMER_NAMES.get(media_type, media_type), parameters, quality)


def _is_utf_8(one: MediaRange) -> bool:
    # All texts leave in UTF-8; another charset is another thing than there is (PS3.18 8.8.5).
    return one.parameters.get("charset", "utf-8").lower() in _UTF_8


def accepted(request: Request) -> list[MediaRange]:
    """Return what a request accepts: first what its query names, then what its header does (PS3.18 8.7.8.1).

    Without a header the query alone holds: a page that links to an address cannot choose the header, but it has one.
    """
    given = request.query_params.getlist("accept") if "query_string" in request.scope else []
    header = request.headers.getlist("accept")
    if not given:
        return media_ranges(",".join(header))
    return media_ranges(_LOST_PLUS.sub(r"\1+\2", ",".join(given))) + (
        media_ranges(",".join(header)) if header else []
    )


async def _document(
    _accept: Annotated[
        str | Absent,
        Query(alias="accept", description="As the header `Accept`, and before it.", max_length=2000),
    ] = None,
) -> None:
    """Have the parameter in the document of the API; `accepted` reads it."""


ACCEPT_QUERY = [Depends(_document)]


class TextAnswer(NamedTuple):
    """How metadata are sent: which media type, and whether as parts."""

    media_type: str
    is_multipart: bool = False


def choose_text_answer(request: Request) -> TextAnswer:
    """Choose between the forms of metadata.

    Raises
    ------
    NotAcceptable
        Names what there is.

    References
    ----------
    DICOM PS3.18 8.7.3.2, 10.4.4
    """
    return next(_text_answers(accepted(request)), None) or _no_text()


def _text_answers(ranges: list[MediaRange]) -> Iterator[TextAnswer]:
    for wanted in ranges:
        if wanted.takes(DICOM_JSON):
            yield TextAnswer(DICOM_JSON)
        elif wanted.media_type == "application/json":
            yield TextAnswer("application/json")
        elif wanted.media_type == DICOM_XML or (wanted.takes_parts_of(DICOM_XML)):
            yield TextAnswer(DICOM_XML, is_multipart=True)


def _no_text() -> TextAnswer:
    raise NotAcceptable(f'There is {DICOM_JSON}, and {MULTIPART}; type="{DICOM_XML}".')
