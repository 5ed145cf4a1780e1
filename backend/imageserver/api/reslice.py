"""``GET /reslice``: an axial, coronal or sagittal plane, cut from the slices of a stack, as a picture."""

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
from imageserver.archive.located_planes import LocatedPlane
from imageserver.archive.reslices import PlanePicture, ResliceKey
from imageserver.archive.volumes import Volume
from imageserver.audit.models import Kind, Outcome
from imageserver.dicom.picture_format import PictureFormat
from imageserver.dicom.planes import PlaneName
from imageserver.dicom.reslicing import Projection, slab_range
from imageserver.errors import Gone, InvalidParameter, Undecodable

router = APIRouter(tags=["slice"])

MOST_SLAB_MM = 500

_HEADERS = {
    "ETag": "Changes with the slices, the plane, the slab, the window and the format.",
    "X-Slice-Index": "Place of the plane, from 0, along rows × columns of the picture.",
    "X-Slice-Count": "Planes of that direction.",
    "X-Slice-Stack": "The stack that the plane is cut from.",
    "X-Slice-Position": "Where it lies along the normal of the picture, in mm.",
    "X-Slab-Planes": "How many planes are projected onto the picture: 1 without a slab.",
    "X-Pixel-Spacing": "Distance of rows and of columns in mm, with a comma between.",
    "X-Orientation": "Directions in the patient at the left, right, top and bottom edge, with commas between.",
    **window_texts(
        "tables, masks and constant images", "`file` (of the middle slice), `request` or `guessed`"
    ),
}
_DOCUMENTED_HEADERS = documented(_HEADERS)


@router.get(
    "/reslice",
    response_class=Response,
    responses={
        200: {
            "description": "The picture; its size is that of the plane in `GET /volumes/{series_instance_uid}`.",
            "content": PICTURES,
            "headers": _DOCUMENTED_HEADERS,
        },
        304: {"description": "The client's copy is good.", "headers": _DOCUMENTED_HEADERS},
        **problem_responses(401, 404, 410, 422, 503, 507),
    },
)
def get_reslice(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    plane: Annotated[PlaneName, Query(description="Which plane.")],
    series: SeriesQuery = None,
    stack: Annotated[
        int | Absent, Query(ge=0, description="Stack to cut. Without it: that of the middle slice.")
    ] = None,
    index: Annotated[
        int | Absent, Query(ge=0, description="Plane, from 0. Without it: the middle one.")
    ] = None,
    position_mm: Annotated[
        FiniteFloat | Absent,
        Query(ge=-1e7, le=1e7, description="Instead of `index`: the plane nearest to this."),
    ] = None,
    slab_mm: Annotated[
        FiniteFloat, Query(ge=0, le=MOST_SLAB_MM, description="Thickness. 0: the plane alone.")
    ] = 0,
    projection: Annotated[
        Projection, Query(description="What is shown of the voxels behind each other in a slab.")
    ] = Projection.AVERAGE,
    center: Annotated[FiniteFloat | Absent, Query(description="Window Center (0028,1050).")] = None,
    width: Annotated[FiniteFloat | Absent, Query(gt=0, description="Window Width (0028,1051).")] = None,
    format: Annotated[PictureFormat, Query(description="Encoding of the picture.")] = PictureFormat.PNG,
) -> Response:
    """Show one plane of a volume. The first time its slices are read: 503 `busy` with `done` of `count`, meanwhile."""
    if (center is None) != (width is None):
        raise InvalidParameter("Not acceptable: center and width are given together or not at all.")
    if index is not None and position_mm is not None:
        raise InvalidParameter("Not acceptable: index or position_mm is given, not both.")
    window = None if center is None or width is None else (center, width)
    volume = archive.catalogue.volume(series)
    located = archive.reslices.planes.locate(volume, stack, plane, index, position_mm)
    slab = slab_range(located.plane, located.index, slab_mm)
    key = ResliceKey(located.digest, plane, slab, projection, window, format)
    try:
        archive.check_slices(located)
        picture = None if matches_etag(request, key.etag) else archive.plane_picture(located, key)
    except (Gone, Undecodable):
        _record(audit, volume, Outcome.FAILURE)
        raise
    _record(audit, volume, Outcome.SUCCESS)
    headers = _headers(located, key)
    if picture is None:
        return not_modified(key.etag, headers)
    headers |= _window_headers(picture, key)
    return Response(picture.content, media_type=format.media_type, headers=headers)


def _record(audit: AccessAuditDep, volume: Volume, outcome: Outcome) -> None:
    summary = volume.summary
    audit.record(
        Kind.RESLICE,
        study_instance_uid=summary.study_instance_uid,
        series_instance_uid=summary.series_instance_uid,
        outcome=outcome,
    )


def _headers(located: LocatedPlane, key: ResliceKey) -> dict[str, str]:
    plane, (first, last) = located.plane, key.slab
    spacing = f"{plane.pixel_spacing_mm:.6g}"
    return {
        "ETag": key.etag,
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization",
        "X-Slice-Index": str(located.index),
        "X-Slice-Count": str(plane.count),
        "X-Slice-Stack": str(located.stack.stack),
        "X-Slice-Position": f"{plane.position_mm(located.index):g}",
        "X-Slab-Planes": str(last - first + 1),
        "X-Pixel-Spacing": f"{spacing},{spacing}",
        "X-Orientation": ",".join(plane.orientation_labels),
    }


def _window_headers(picture: PlanePicture, key: ResliceKey) -> dict[str, str]:
    return window_headers(
        picture.window, is_asked_for=key.window is not None, is_guessed=picture.is_window_guessed
    )
