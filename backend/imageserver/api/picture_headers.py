"""What the headers of `/slice` and `/reslice` have in common: how they are documented, and which window was used."""

from collections.abc import Mapping
from typing import Any

from imageserver.dicom.picture_format import PictureFormat
from imageserver.dicom.voi_lut import Window

PICTURES = {one.media_type: {"schema": {"type": "string", "format": "binary"}} for one in PictureFormat}


def documented(headers: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Describe headers for a route's OpenAPI entry."""
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()}


def window_texts(without: str, source: str) -> dict[str, str]:
    """Say what the headers of the window are.

    Parameters
    ----------
    without : str
        Of what there is no window.
    source : str
        What `X-Window-Source` can be.
    """
    return {
        "X-Window-Center": f"Of the window in use; absent for {without}, and on 304.",
        "X-Window-Width": "As X-Window-Center.",
        "X-Window-Source": f"{source}; absent as X-Window-Center.",
    }


def window_headers(window: Window | None, *, is_asked_for: bool, is_guessed: bool) -> dict[str, str]:
    """Tell the window that a picture was drawn with, and where it comes from; nothing where there is none."""
    if window is None:
        return {}
    return {
        "X-Window-Center": f"{window.center:.10g}",
        "X-Window-Width": f"{window.width:.10g}",
        "X-Window-Source": "request" if is_asked_for else "guessed" if is_guessed else "file",
    }
