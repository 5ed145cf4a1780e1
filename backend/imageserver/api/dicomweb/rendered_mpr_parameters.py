"""The query parameters of rendered MPR volumes (PS3.18 8.3.5.3); what is not supported is refused, never ignored."""

import re
from collections.abc import Sequence
from typing import Annotated, NamedTuple

from fastapi import Depends, Query, Request

from imageserver.api.dicomweb.rendering_parameters import not_acceptable, read_decimal
from imageserver.api.parameters import Absent
from imageserver.api.reslice import MOST_SLAB_MM
from imageserver.dicom.identifiers import is_address
from imageserver.dicom.reslicing import Projection
from imageserver.dicom.views import ORIENTATIONS, Camera, Point

DEFAULT_ORIENTATION = "f"
_METHODS = {
    "average_ip": Projection.AVERAGE,
    "maximum_ip": Projection.MAXIMUM,
    "minimum_ip": Projection.MINIMUM,
}
_ANIMATION = ("swivelrange", "volumetriccurvepoint", "animationstepsize", "animationrate")
# Attribute matching (8.3.4.1), as a keyword or a tag: another volume than that which was meant is the wrong answer.
_ATTRIBUTE = re.compile(r"match|[0-9A-Fa-f]{8}(\..*)?|[A-Z][A-Za-z0-9]+(\..*)?")

MprText = Annotated[str | Absent, Query(max_length=200)]


class MprParameters(NamedTuple):
    """The parameters of a request, checked.

    Attributes
    ----------
    reference : str or None
        SOP Instance UID of one slice of the volume.
    frame_number : int or None
        One frame of it, from 1.
    orientation : str or None
        The side of the patient that the camera sees; None where `camera` says it.
    camera : Camera or None
    projection : Projection
    slab_mm : float
        0: thin.
    is_metadata : bool
        Whether the parameters that were applied are wanted instead of the picture.
    """

    reference: str | None
    frame_number: int | None
    orientation: str | None
    camera: Camera | None
    projection: Projection
    slab_mm: float
    is_metadata: bool


def mpr_parameters(
    request: Request,
    volumeinputreference: Annotated[
        str | Absent, Query(description="SOP Instance UID of a slice, or a frame.", max_length=64)
    ] = None,
    renderingmethod: Annotated[
        str | Absent, Query(description="`average_ip`, `maximum_ip` or `minimum_ip`.", max_length=100)
    ] = None,
    orientation: Annotated[
        str | Absent, Query(description="`a`, `p`, `r`, `l`, `h` or `f`.", max_length=20)
    ] = None,
    viewpointposition: MprText = None,
    viewpointlookat: MprText = None,
    viewpointup: MprText = None,
    mprslab: Annotated[str | Absent, Query(description="Thickness in mm.", max_length=50)] = None,
    renderedvolumetricmetadata: Annotated[str | Absent, Query(description="`yes`.", max_length=20)] = None,
) -> MprParameters:
    """Read and check the parameters of a request.

    Raises
    ------
    InvalidParameter
        If one is malformed, contradicts another, or is not supported.
    """
    for name in request.query_params:
        if name in _ANIMATION:
            raise not_acceptable(name, "pictures are not animated")
        if _ATTRIBUTE.fullmatch(name):
            raise not_acceptable(name[:64], "the volume is named by volumeinputreference, not by attributes")
    if renderingmethod is not None and renderingmethod not in _METHODS:
        raise not_acceptable("renderingmethod", f"there is one of {', '.join(_METHODS)}")
    if renderedvolumetricmetadata not in (None, "yes"):
        raise not_acceptable("renderedvolumetricmetadata", "it is yes")
    points = (viewpointposition, viewpointlookat, viewpointup)
    camera = _read_camera(points)
    if orientation is not None and camera is not None:
        raise not_acceptable("orientation", "it is given, or viewpointposition, -lookat and -up are")
    if orientation is not None and orientation not in ORIENTATIONS:
        raise not_acceptable("orientation", f"it is one of {', '.join(ORIENTATIONS)}")
    reference, frame_number = _read_reference(volumeinputreference)
    return MprParameters(
        reference,
        frame_number,
        None if camera else orientation or DEFAULT_ORIENTATION,
        camera,
        _METHODS[renderingmethod or "average_ip"],
        _read_slab(mprslab),
        renderedvolumetricmetadata == "yes",
    )


def _read_camera(values: Sequence[str | None]) -> Camera | None:
    if all(value is None for value in values):
        return None
    names = ("viewpointposition", "viewpointlookat", "viewpointup")
    read = [_read_point(name, value) for name, value in zip(names, values, strict=True)]
    return Camera(*read)


def _read_point(name: str, value: str | None) -> Point:
    parts = (value or "").split(",")
    if len(parts) != 3:
        raise not_acceptable(name, "it is x,y,z, and the three viewpoint parameters are given together")
    x, y, z = (read_decimal(part, name) for part in parts)
    return x, y, z


def _read_reference(value: str | None) -> tuple[str | None, int | None]:
    if value is None:
        return None, None
    if re.fullmatch(r"[1-9][0-9]{0,8}", value):
        return None, int(value)
    if not is_address(value) or "." not in value:
        raise not_acceptable("volumeinputreference", "it is one SOP Instance UID, or a frame from 1")
    return value, None


def _read_slab(value: str | None) -> float:
    if value is None:
        return 0.0
    thickness = read_decimal(value, "mprslab")
    if not 0 < thickness <= MOST_SLAB_MM:
        raise not_acceptable("mprslab", f"it is more than 0 and at most {MOST_SLAB_MM} mm")
    return thickness


MprDep = Annotated[MprParameters, Depends(mpr_parameters)]
