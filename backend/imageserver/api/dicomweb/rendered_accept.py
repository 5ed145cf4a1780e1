"""Which rendered media type a client accepts (PS3.18 8.3.3.1, 8.7.4, 8.7.5)."""

from typing import NamedTuple

from fastapi import Request

from imageserver.api.dicomweb.accept import accepted
from imageserver.dicom.rendered_format import RenderedFormat
from imageserver.errors import NotAcceptable

PDF = "application/pdf"


class RenderedAnswer(NamedTuple):
    """How pictures are to be sent; a single one alone, unless the client names several parts."""

    rendered_format: RenderedFormat
    is_multipart: bool


def choose_rendered(request: Request) -> RenderedAnswer:
    """Choose the format of pictures.

    A media type of a picture also means several of them, each in a part of its own: the standard has no other names for
    the pictures of a series.

    Raises
    ------
    NotAcceptable
        Names what there is.
    """
    for wanted in accepted(request):
        alone = next((one for one in RenderedFormat if wanted.takes(one)), None)
        in_parts = next((one for one in RenderedFormat if wanted.takes_parts_of(one)), None)
        if found := alone or in_parts:
            return RenderedAnswer(found, is_multipart=alone is None)
    raise NotAcceptable(
        f"There is {', '.join(RenderedFormat)}, for several pictures in multipart/related with such a type."
    )


def accepts_pdf(request: Request) -> bool:
    """Tell whether a document is accepted as PDF."""
    return any(one.takes(PDF) or one.takes_parts_of(PDF) for one in accepted(request))
