"""``GET /dicomweb/wado``: one instance by query parameters, as a file or as a picture (PS3.18 9, WADO-URI)."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import REVALIDATED, matches_etag, not_modified
from imageserver.api.costly_requests import COSTLY
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.dicomweb.accept import DICOM, accepted, media_ranges
from imageserver.api.dicomweb.rendering_parameters import not_acceptable
from imageserver.api.dicomweb.retrieve import send_alone
from imageserver.api.dicomweb.wado_parameters import WadoDep, WadoParameters
from imageserver.api.one_thread import OneThread
from imageserver.api.problems import problem_responses
from imageserver.archive.archive import Archive
from imageserver.archive.render_targets import RenderTarget
from imageserver.archive.rendered_pictures import RenderedKey
from imageserver.archive.retrieve import etag_of, plan
from imageserver.audit.models import Kind, Outcome
from imageserver.dicom.rendered_format import RenderedFormat
from imageserver.dicom.transfer_syntax import EXPLICIT_VR_LITTLE_ENDIAN
from imageserver.errors import AppError, NotAcceptable

router = APIRouter(tags=["dicomweb"], dependencies=COSTLY, route_class=OneThread)

_BINARY = {"schema": {"type": "string", "format": "binary"}}


@router.get(
    "/dicomweb/wado",
    response_class=Response,
    responses={
        200: {
            "description": "The file, or the picture of a frame.",
            "content": dict.fromkeys((DICOM, *RenderedFormat), _BINARY),
        },
        304: {"description": "The client's copy is good."},
        **problem_responses(400, 401, 404, 406, 410, 429, 503, 507),
    },
)
def get_wado(request: Request, archive: ArchiveDep, audit: AccessAuditDep, parameters: WadoDep) -> Response:
    """Give one instance: a picture of a single frame, else the file, unless `contentType` says otherwise."""
    address = parameters.address
    [target] = archive.rendered.targets(*address)
    study, series = address.study_instance_uid, address.series_instance_uid
    kind = Kind.RETRIEVED
    try:
        content_type = _choose(request, parameters, target)
        if content_type == DICOM:
            response = _file(request, archive, parameters)
        else:
            kind = Kind.SLICE
            response = _picture(request, archive, parameters, target, RenderedFormat(content_type))
    except AppError:
        audit.record(kind, study_instance_uid=study, series_instance_uid=series, outcome=Outcome.FAILURE)
        raise
    audit.record(kind, study_instance_uid=study, series_instance_uid=series)
    return response


def _choose(request: Request, parameters: WadoParameters, target: RenderTarget) -> str:
    """Choose the media type; without a wish it is JPEG for one frame, and the file for anything else (9.3)."""
    has_picture = target.number_of_frames > 0
    is_one = target.number_of_frames == 1 or (has_picture and parameters.frame_number is not None)
    offers = [RenderedFormat.JPEG.value, DICOM] if is_one else [DICOM, RenderedFormat.JPEG.value]
    offers += [kind.value for kind in RenderedFormat if kind is not RenderedFormat.JPEG]
    offers = [kind for kind in offers if kind == DICOM or has_picture]
    given = parameters.content_type
    for wanted in accepted(request) if given is None else media_ranges(given):
        for offer in offers:
            if wanted.takes(offer):
                return offer
    raise NotAcceptable(f"There is {', '.join(offers)}.")


def _file(request: Request, archive: Archive, parameters: WadoParameters) -> Response:
    if parameters.window is not None:
        raise not_acceptable("windowCenter, windowWidth", "a file has no window (9.5.1.2.6)")
    [found] = archive.stored_instances(*parameters.address)
    retrieval = plan(found, (parameters.transfer_syntax or EXPLICIT_VR_LITTLE_ENDIAN,))
    tag = f"W/{etag_of([retrieval], 'wado')}"
    headers = {"ETag": tag, **REVALIDATED, "Vary": "Authorization, Accept"}
    if matches_etag(request, tag.removeprefix("W/")):
        return not_modified(tag, headers)
    return send_alone(request, archive, [retrieval], [], headers)


def _picture(
    request: Request,
    archive: Archive,
    parameters: WadoParameters,
    target: RenderTarget,
    rendered_format: RenderedFormat,
) -> Response:
    number = parameters.frame_number or 1
    if number > target.number_of_frames:
        # Not 404: the instance is what is asked for, the frame a parameter (9.5.2.1).
        raise not_acceptable("frameNumber", f"the instance has {target.number_of_frames}, counted from 1")
    size = archive.frames.image_size(target.file) if parameters.has_viewport else (0, 0)
    key = RenderedKey(target.file, number, parameters.rendering(size).options(rendered_format))
    headers = {"ETag": key.etag, **REVALIDATED, "Vary": "Authorization, Accept"}
    archive.rendered.check(key)
    if matches_etag(request, key.etag):
        return not_modified(key.etag, headers)
    return Response(archive.rendered.picture(key), media_type=rendered_format, headers=headers)
