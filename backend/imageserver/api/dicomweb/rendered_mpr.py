"""``GET /dicomweb/…/renderedmpr``: planes through a volume as pictures (PS3.18 10.4.1.1.7, 8.3.5.3, annex K)."""

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import NO_STORE, REVALIDATED, matches_etag, not_modified
from imageserver.api.costly_requests import COSTLY
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.dicomweb.accept import ACCEPT_QUERY, DICOM_JSON, accepted
from imageserver.api.dicomweb.rendered_accept import choose_rendered
from imageserver.api.dicomweb.rendered_mpr_parameters import MprDep, MprParameters
from imageserver.api.dicomweb.rendering_parameters import RenderingDep, RenderingParameters, not_acceptable
from imageserver.api.one_thread import OneThread
from imageserver.api.parameters import InstancePath, SeriesPath, StudyPath
from imageserver.api.problems import problem_responses
from imageserver.archive.archive import Archive
from imageserver.archive.rendered_planes import RenderedPlane, RenderedPlaneKey
from imageserver.archive.volumes import Volume
from imageserver.audit.models import Kind, Outcome
from imageserver.dicom.planes import PlaneName
from imageserver.dicom.rendered_format import RenderedFormat
from imageserver.dicom.reslicing import Projection
from imageserver.dicom.views import camera_of, middle_of, view_of
from imageserver.errors import Gone, InstanceNotFound, NotAcceptable, NotAVolume, Undecodable

router = APIRouter(tags=["dicomweb"], dependencies=[*COSTLY, *ACCEPT_QUERY], route_class=OneThread)

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture; or the parameters that were applied, where they are asked for.",
        "content": {**dict.fromkeys(RenderedFormat, _BINARY), DICOM_JSON: {"schema": {"type": "object"}}},
    },
    304: {"description": "The client's copy is good."},
    **problem_responses(400, 401, 404, 406, 410, 429, 503, 507),
}
_STUDY = "/dicomweb/studies/{study_instance_uid}"
_SERIES = f"{_STUDY}/series/{{series_instance_uid}}"
_METHODS = {
    Projection.AVERAGE: "AVERAGE_IP",
    Projection.MAXIMUM: "MAXIMUM_IP",
    Projection.MINIMUM: "MINIMUM_IP",
}


@router.get(f"{_STUDY}/renderedmpr", response_class=Response, responses=_ANSWERS)
def get_study_mpr(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    parameters: RenderingDep,
    mpr: MprDep,
    study_instance_uid: StudyPath,
) -> Response:
    """Show a plane of the volume that `volumeinputreference` names; else of the series that stands for the study."""
    if mpr.reference is None:
        series = archive.rendered.standing_series(study_instance_uid)
    else:
        targets = archive.rendered.targets(study_instance_uid)
        found = [one.address for one in targets if one.address.sop_instance_uid == mpr.reference]
        if not found:
            raise InstanceNotFound("The study has no instance with the UID of volumeinputreference.")
        series = found[0].series_instance_uid
    return _answer(request, archive, audit, parameters, mpr, archive.catalogue.volume(series))


@router.get(f"{_SERIES}/renderedmpr", response_class=Response, responses=_ANSWERS)
def get_series_mpr(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    parameters: RenderingDep,
    mpr: MprDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
) -> Response:
    """Show a plane of a series: of the stack that `volumeinputreference` names a slice of, else of the middle one."""
    archive.rendered.targets(study_instance_uid, series_instance_uid)  # the series has to be of this study
    volume = archive.catalogue.volume(series_instance_uid)
    return _answer(request, archive, audit, parameters, mpr, volume)


@router.get(
    f"{_SERIES}/instances/{{sop_instance_uid}}/renderedmpr",
    response_class=Response,
    responses=_ANSWERS,
)
def get_instance_mpr(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    parameters: RenderingDep,
    mpr: MprDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
    sop_instance_uid: InstancePath,
) -> Response:
    """Show a plane of the frames of one instance."""
    archive.rendered.targets(study_instance_uid, series_instance_uid, sop_instance_uid)
    volume = archive.catalogue.volume(series_instance_uid)
    if mpr.reference not in (None, sop_instance_uid):
        raise InstanceNotFound("volumeinputreference names another instance.")
    return _answer(request, archive, audit, parameters, mpr, volume, sop_instance_uid)


def _answer(
    request: Request,
    archive: Archive,
    audit: AccessAuditDep,
    parameters: RenderingParameters,
    mpr: MprParameters,
    volume: Volume,
    sop_instance_uid: str | None = None,
) -> Response:
    media_type = _require_json(request) if mpr.is_metadata else choose_rendered(request).rendered_format.value
    options = parameters.options(RenderedFormat.PNG if mpr.is_metadata else RenderedFormat(media_type))
    stack = _stack_of(volume, mpr, sop_instance_uid)
    located = archive.reslices.planes.locate(volume, stack, PlaneName.AXIAL, None, None)
    camera = mpr.camera or camera_of(mpr.orientation or "", middle_of(located.stack))
    try:
        view = view_of(camera, located.stack, mpr.slab_mm)
    except ValueError:
        raise not_acceptable("viewpointup", "the camera needs a direction, and a way up beside it") from None
    if view is None:
        raise not_acceptable("viewpointlookat", "the plane that is looked at does not meet the volume")
    key = RenderedPlaneKey(located.digest, camera, mpr.slab_mm, mpr.projection, options)
    headers = {"ETag": key.etag, **REVALIDATED, "Vary": "Authorization, Accept"}
    is_known = matches_etag(request, key.etag) and not mpr.is_metadata
    try:
        archive.check_slices(located)
        picture = None if is_known else archive.rendered_plane(located, view, key)
    except (Gone, Undecodable):
        _record(audit, volume, Outcome.FAILURE)
        raise
    _record(audit, volume, Outcome.SUCCESS)
    if picture is None:
        return not_modified(key.etag, headers)
    if mpr.is_metadata:
        return Response(json.dumps(_applied(key, picture)), media_type=media_type, headers=NO_STORE)
    return Response(picture.content, media_type=media_type, headers=headers)


def _stack_of(volume: Volume, mpr: MprParameters, sop_instance_uid: str | None) -> int | None:
    """Return the stack that is meant; None: that of the middle slice.

    Raises
    ------
    InstanceNotFound
        If no stack has the slice that was named.
    NotAVolume
        If the slices of the stack of an instance are those of others as well.
    """
    uid = mpr.reference or sop_instance_uid
    if uid is None:
        if mpr.frame_number is not None:
            raise not_acceptable(
                "volumeinputreference", "a frame is one of an instance, which the address names"
            )
        return None
    for stack in volume.arrangement.stacks:
        frames = [frame for frame in stack.frames if frame.sop_instance_uid == uid]
        if not frames or mpr.frame_number not in (None, *(frame.frame_number for frame in frames)):
            continue
        if sop_instance_uid is not None and len(frames) < len(stack.frames):
            raise NotAVolume(
                "The instance is one of the slices of a volume; ask for the series.", reason="one_slice"
            )
        return stack.stack
    raise InstanceNotFound(
        "No volume of the series has the slice that volumeinputreference or the address names."
    )


def _require_json(request: Request) -> str:
    if not any(wanted.takes(DICOM_JSON) for wanted in accepted(request)):
        raise NotAcceptable(f"There is {DICOM_JSON}.")
    return DICOM_JSON


def _applied(key: RenderedPlaneKey, picture: RenderedPlane) -> dict[str, Any]:
    """Tell the parameters that were applied: the Rendered Volume Response Module (annex K)."""
    elements: list[tuple[str, str, list[Any]]] = [
        ("00720510", "CS", ["MPR"]),
        ("0070120D", "CS", [_METHODS[key.projection]]),
        ("00701603", "FD", list(key.camera.position)),
        ("00701604", "FD", list(key.camera.look_at)),
        ("00701605", "FD", list(key.camera.up)),
    ]
    if key.slab_mm:
        elements.append(("00701503", "FD", [key.slab_mm]))
    if picture.window is not None:
        elements += [
            ("00281056", "CS", [picture.window.function.value]),
            ("00281051", "DS", [picture.window.width]),
            ("00281050", "DS", [picture.window.center]),
        ]
    return {tag: {"vr": vr, "Value": value} for tag, vr, value in sorted(elements)}


def _record(audit: AccessAuditDep, volume: Volume, outcome: Outcome) -> None:
    audit.record(
        Kind.RESLICE,
        study_instance_uid=volume.summary.study_instance_uid,
        series_instance_uid=volume.summary.series_instance_uid,
        outcome=outcome,
    )
