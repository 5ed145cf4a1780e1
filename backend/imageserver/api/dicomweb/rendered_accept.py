"""Which rendered media type a client accepts (PS3.18 8.3.3.1, 8.7.4, 8.7.5)."""

from typing import NamedTuple

from fastapi import Request

from imageserver.api.dicomweb.accept import MediaRange, accepted, media_ranges
from imageserver.dicom.rendered_format import RenderedFormat
from imageserver.errors import NotAcceptable

PDF = "application/pdf"
_MULTIPART = ("multipart/related", "multipart/*")
_ANY_PICTURE = ("*/*", "image/*")


class RenderedAnswer(NamedTuple):
    """How pictures are to be sent; a single one alone, unless the client names several parts."""

    rendered_format: RenderedFormat
    is_multipart: bool


def wanted_ranges(request: Request) -> list[MediaRange]:
    """Return what is accepted, the best first: what the query parameter ``accept`` names goes before the header."""
    query = ",".join(request.query_params.getlist("accept"))
    return [*(media_ranges(query) if query.strip() else []), *accepted(request)]


def choose_rendered(request: Request) -> RenderedAnswer:
    """Choose the format of pictures.

    A media type of a picture also means several of them, each in a part of its own: the standard has no other names for
    the pictures of a series.

    Raises
    ------
    NotAcceptable
        Names what there is.
    """
    for wanted in wanted_ranges(request):
        is_multipart = wanted.media_type in _MULTIPART
        name = wanted.parameters.get("type", "image/*") if is_multipart else wanted.media_type
        if name in _ANY_PICTURE:
            return RenderedAnswer(RenderedFormat.JPEG, is_multipart)
        if name in list(RenderedFormat):
            return RenderedAnswer(RenderedFormat(name), is_multipart)
    raise NotAcceptable(
        f"There is {', '.join(RenderedFormat)}, for several pictures in multipart/related with such a type."
    )


def accepts_pdf(request: Request) -> bool:
    """Tell whether a document is accepted as PDF."""
    return any(
        one.media_type in ("*/*", "application/*", PDF)
        or (one.media_type in _MULTIPART and one.parameters.get("type", PDF) == PDF)
        for one in wanted_ranges(request)
    )
