"""The query parameters of WADO-URI (PS3.18 9.1.2, 9.4, 9.5), and what they mean in the words of rendered resources."""

import re
from typing import Annotated, NamedTuple

from fastapi import Depends, Query

from imageserver.api.dicomweb.rendering_parameters import (
    RenderingParameters,
    read_annotations,
    read_quality,
)
from imageserver.api.parameters import Absent, InstanceUid, SeriesUid, StudyUid
from imageserver.archive.addresses import InstanceAddress
from imageserver.dicom.colour_profiles import ColourProfile
from imageserver.dicom.identifiers import is_address
from imageserver.dicom.viewport import LONGEST_SIDE, Viewport
from imageserver.dicom.voi_lut import VoiFunction, Window
from imageserver.errors import InvalidParameter

_DECIMAL = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,3})?", re.ASCII)
_LARGEST = 1e9
_GRID = 1024  # parts of a pixel, so that edges add up exactly


class WadoParameters(NamedTuple):
    """A request of WADO-URI, checked as far as it can be without the image.

    Attributes
    ----------
    address : InstanceAddress
    content_type : str or None
        Media types, as in a header ``Accept``.
    transfer_syntax : str or None
        Of ``application/dicom``.
    frame_number : int or None
        From 1.
    window : Window or None
    rows, columns : int or None
        The most that the picture may have.
    region : tuple of float or None
        Left, top, right and bottom edge, as parts of the image's width and height.
    quality : int
    annotation : str or None
    """

    address: InstanceAddress
    content_type: str | None
    transfer_syntax: str | None
    frame_number: int | None
    window: Window | None
    rows: int | None
    columns: int | None
    region: tuple[float, float, float, float] | None
    quality: int
    annotation: str | None

    @property
    def has_viewport(self) -> bool:
        """Whether the picture is not simply one pixel for each of the image."""
        return self.region is not None or self.rows is not None or self.columns is not None

    def rendering(self, size: tuple[int, int]) -> RenderingParameters:
        """Return how an image is to be drawn.

        Parameters
        ----------
        size : (int, int)
            Its Rows and Columns; they matter only where there is a viewport.
        """
        viewport = self._viewport(*size) if self.has_viewport else None
        annotations = read_annotations(self.annotation)
        return RenderingParameters(self.window, viewport, self.quality, annotations, ColourProfile.NO)

    def _viewport(self, rows: int, columns: int) -> Viewport:
        edges = zip(self.region or (0.0, 0.0, 1.0, 1.0), (columns, rows, columns, rows), strict=True)
        left, top, right, bottom = (round(edge * side * _GRID) / _GRID for edge, side in edges)
        width, height = right - left, bottom - top
        is_scaled = self.rows is not None or self.columns is not None
        # Without the other side it follows from the shape (9.5.2.5); without both nothing is scaled.
        most_width = self.columns or (LONGEST_SIDE if is_scaled else max(1, round(width)))
        most_height = self.rows or (LONGEST_SIDE if is_scaled else max(1, round(height)))
        return Viewport(most_width, most_height, left, top, width, height)


def wado_parameters(
    requestType: Annotated[str, Query(description="`WADO`.", max_length=20)],  # noqa: N803
    studyUID: Annotated[StudyUid, Query(description="Study Instance UID.")],  # noqa: N803
    seriesUID: Annotated[SeriesUid, Query(description="Series Instance UID.")],  # noqa: N803
    objectUID: Annotated[InstanceUid, Query(description="SOP Instance UID.")],  # noqa: N803
    contentType: Annotated[  # noqa: N803
        str | Absent, Query(description="Media types, as in `Accept`.", max_length=500)
    ] = None,
    transferSyntax: Annotated[  # noqa: N803
        str | Absent, Query(description="Of `application/dicom`; `*` for as stored.", max_length=64)
    ] = None,
    frameNumber: Annotated[str | Absent, Query(description="From 1.", max_length=20)] = None,  # noqa: N803
    windowCenter: Annotated[str | Absent, Query(max_length=40)] = None,  # noqa: N803
    windowWidth: Annotated[str | Absent, Query(max_length=40)] = None,  # noqa: N803
    rows: Annotated[str | Absent, Query(description="Most rows of the picture.", max_length=20)] = None,
    columns: Annotated[str | Absent, Query(description="Most columns of the picture.", max_length=20)] = None,
    region: Annotated[
        str | Absent, Query(description="`xmin,ymin,xmax,ymax`, each from 0 to 1.", max_length=200)
    ] = None,
    imageQuality: Annotated[str | Absent, Query(description="1 to 100.", max_length=20)] = None,  # noqa: N803
    annotation: Annotated[
        str | Absent, Query(description="`patient` and/or `technique`.", max_length=100)
    ] = None,
    anonymize: Annotated[str | Absent, Query(description="Not done here.", max_length=20)] = None,
    presentationSeriesUID: Annotated[  # noqa: N803
        str | Absent, Query(description="Not done here.", max_length=64)
    ] = None,
    presentationUID: Annotated[  # noqa: N803
        str | Absent, Query(description="Not done here.", max_length=64)
    ] = None,
) -> WadoParameters:
    """Read and check the parameters of a request."""
    if requestType != "WADO":
        raise _not_acceptable("requestType", "it must be WADO")
    not_done = {
        "anonymize": anonymize,
        "presentationSeriesUID": presentationSeriesUID,
        "presentationUID": presentationUID,
    }
    for name, value in not_done.items():
        # To pass over it would show what was to be hidden, or hide what was to be shown.
        if value is not None:
            raise _not_acceptable(name, "this is not done here")
    read_annotations(annotation)
    _check_content_type(contentType)
    if transferSyntax is not None and transferSyntax != "*" and not is_address(transferSyntax):
        raise _not_acceptable("transferSyntax", "it is a UID, or *")
    return WadoParameters(
        InstanceAddress(studyUID, seriesUID, objectUID),
        contentType,
        transferSyntax,
        _integer("frameNumber", frameNumber, 10**9),
        _window(windowCenter, windowWidth),
        _integer("rows", rows, LONGEST_SIDE),
        _integer("columns", columns, LONGEST_SIDE),
        _region(region),
        read_quality(imageQuality),
        annotation,
    )


def _check_content_type(value: str | None) -> None:
    """Refuse parameters that WADO-URI has parameters of its own for (9.1.2.2.1)."""
    text = (value or "").lower().replace(" ", "")
    if ";transfer-syntax=" in text or ";charset=" in text:
        raise _not_acceptable("contentType", "it has neither transfer-syntax nor charset")


def _integer(name: str, value: str | None, most: int) -> int | None:
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()) or not 1 <= int(value) <= most:
        raise _not_acceptable(name, f"it is a whole number from 1 to {most}")
    return int(value)


def _window(center: str | None, width: str | None) -> Window | None:
    if center is None and width is None:
        return None
    if center is None or width is None:
        raise _not_acceptable("windowCenter, windowWidth", "each needs the other")
    found = Window(_decimal("windowCenter", center), _decimal("windowWidth", width), VoiFunction.LINEAR)
    if found.width < 1:
        raise _not_acceptable("windowWidth", "it must be at least 1")
    return found


def _region(value: str | None) -> tuple[float, float, float, float] | None:
    if value is None:
        return None
    edges = [_decimal("region", part) for part in value.split(",")]
    if len(edges) != 4 or not all(0 <= edge <= 1 for edge in edges):
        raise _not_acceptable("region", "it is xmin,ymin,xmax,ymax, each from 0 to 1")
    left, top, right, bottom = edges
    if left >= right or top >= bottom:
        raise _not_acceptable("region", "it has no width or no height")
    return left, top, right, bottom


def _decimal(name: str, value: str) -> float:
    number = float(value) if _DECIMAL.fullmatch(value.strip()) else float("nan")
    if not abs(number) <= _LARGEST:
        raise _not_acceptable(name, "it is no number between -1e9 and 1e9")
    return number


def _not_acceptable(name: str, reason: str) -> InvalidParameter:
    return InvalidParameter(f"Not acceptable: {name}; {reason}.")


WadoDep = Annotated[WadoParameters, Depends(wado_parameters)]
