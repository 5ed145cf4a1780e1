"""``GET /slice``: one slice as a picture; without parameters the middle of the default volume."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import FiniteFloat

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import matches_etag, not_modified
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.parameters import Absent, SeriesQuery
from imageserver.api.picture_headers import PICTURES, documented, window_headers, window_texts
from imageserver.api.problems import problem_responses
from imageserver.archive.pictures import Picture, PictureKey
from imageserver.archive.slices import LocatedSlice, place_of
from imageserver.archive.volumes import Volume
from imageserver.audit.models import Kind, Outcome
from imageserver.dicom.picture_format import PictureFormat
from imageserver.dicom.voi_choice import WINDOW_GUESSED
from imageserver.errors import AppError, InvalidParameter

router = APIRouter(tags=["slice"])

_HEADERS = {
    "ETag": "Changes with the file, the window and the format.",
    "X-Slice-Index": "Place of the slice in its order, from 0.",
    "X-Slice-Count": "Slices of that order.",
    "X-Study-Instance-UID": "The study of the series.",
    "X-Series-Instance-UID": "The series that is shown, also where the request left the choice to the server.",
    "X-SOP-Instance-UID": "The instance that is shown.",
    "X-Frame-Number": "The frame that is shown, from 1.",
    "X-Slice-Stack": "The stack that the slice belongs to; absent where it belongs to none.",
    "X-Slice-Position": "Where it lies along the normal of that stack, in mm; absent without a position.",
    "X-Overlays": "How many overlay planes the slice has that can be drawn; absent where it has none, and on 304.",
    **window_texts("tables, colour, masks and constant images", "`file`, `request` or `guessed`"),
}
_DOCUMENTED_HEADERS = documented(_HEADERS)


@router.get(
    "/slice",
    response_class=Response,
    responses={
        200: {
            "description": "The picture, Rows × Columns.",
            "content": PICTURES,
            "headers": _DOCUMENTED_HEADERS,
        },
        304: {"description": "The client's copy is good.", "headers": _DOCUMENTED_HEADERS},
        **problem_responses(401, 404, 410, 422, 503, 507),
    },
)
def get_slice(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    series: SeriesQuery = None,
    stack: Annotated[int | Absent, Query(ge=0, description="Stack in which `index` counts.")] = None,
    index: Annotated[
        int | Absent, Query(ge=0, description="Slice, from 0. Without it: the middle one.")
    ] = None,
    center: Annotated[FiniteFloat | Absent, Query(description="Window Center (0028,1050).")] = None,
    width: Annotated[FiniteFloat | Absent, Query(gt=0, description="Window Width (0028,1051).")] = None,
    overlays: Annotated[
        bool, Query(description="Whether to draw the overlays of the file (PS3.3 C.9), white.")
    ] = False,
    format: Annotated[PictureFormat, Query(description="Encoding of the picture.")] = PictureFormat.PNG,
) -> Response:
    """Show one slice, always with the size of the image itself: Rows × Columns."""
    if (center is None) != (width is None):
        raise InvalidParameter("Not acceptable: center and width are given together or not at all.")
    window = None if center is None or width is None else (center, width)
    volume, located = archive.locate(series, stack, index)
    try:
        key = archive.identify(located, window, format, with_overlays=overlays)
        picture = None if matches_etag(request, key.etag) else archive.picture(key)
    except AppError as error:
        _record(audit, volume, Outcome.FAILURE)
        raise archive.explain(error, volume, located) from error
    _record(audit, volume, Outcome.SUCCESS)
    if picture is None:
        return not_modified(key.etag, _headers(volume, located, key))
    headers = {**_headers(volume, located, key), **_window_headers(picture, key), **_overlay_headers(picture)}
    return Response(picture.content, media_type=format.media_type, headers=headers)


def _record(audit: AccessAuditDep, volume: Volume, outcome: Outcome) -> None:
    summary = volume.summary
    audit.record(
        Kind.SLICE,
        study_instance_uid=summary.study_instance_uid,
        series_instance_uid=summary.series_instance_uid,
        outcome=outcome,
    )


def _headers(volume: Volume, located: LocatedSlice, key: PictureKey) -> dict[str, str]:
    stack, position_mm = place_of(volume, located)
    return {
        "ETag": key.etag,
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization",
        "X-Slice-Index": str(located.index),
        "X-Slice-Count": str(located.count),
        "X-Study-Instance-UID": volume.summary.study_instance_uid,
        "X-Series-Instance-UID": volume.summary.series_instance_uid,
        "X-SOP-Instance-UID": located.frame.sop_instance_uid,
        "X-Frame-Number": str(located.frame.frame_number),
        **({} if stack is None else {"X-Slice-Stack": str(stack)}),
        **({} if position_mm is None else {"X-Slice-Position": f"{position_mm:g}"}),
    }


def _window_headers(picture: Picture, key: PictureKey) -> dict[str, str]:
    is_guessed = any(finding.code == WINDOW_GUESSED for finding in picture.warnings)
    return window_headers(picture.window, is_asked_for=key.window is not None, is_guessed=is_guessed)


def _overlay_headers(picture: Picture) -> dict[str, str]:
    return {"X-Overlays": str(len(picture.overlays))} if picture.overlays else {}
