"""``GET /dicomweb/…/thumbnail``: one small picture that stands for the whole (PS3.18 10.4.1.1.4)."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import REVALIDATED, matches_etag, not_modified
from imageserver.api.costly_requests import COSTLY
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.dicomweb.accept import ACCEPT_QUERY
from imageserver.api.dicomweb.frames import FrameList, frame_numbers
from imageserver.api.dicomweb.rendered_accept import choose_rendered
from imageserver.api.dicomweb.rendering_parameters import read_viewport
from imageserver.api.one_thread import OneThread
from imageserver.api.parameters import Absent, InstancePath, SeriesPath, StudyPath
from imageserver.api.problems import problem_responses
from imageserver.archive.archive import Archive
from imageserver.archive.render_targets import RenderTarget
from imageserver.archive.rendered_pictures import RenderedKey
from imageserver.archive.thumbnails import LONGEST_SIDE
from imageserver.audit.models import Kind, Outcome
from imageserver.dicom.rendered_format import RenderedFormat
from imageserver.dicom.rendering_options import RenderingOptions
from imageserver.dicom.viewport import Viewport

router = APIRouter(tags=["dicomweb"], dependencies=[*COSTLY, *ACCEPT_QUERY], route_class=OneThread)

_DEFAULT = Viewport(LONGEST_SIDE, LONGEST_SIDE, may_enlarge=False)
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": f"The picture, at most as large as the viewport, or {LONGEST_SIDE} pixels without one.",
        "content": {name: {"schema": {"type": "string", "format": "binary"}} for name in RenderedFormat},
    },
    304: {"description": "The client's copy is good."},
    **problem_responses(400, 401, 404, 406, 410, 429, 503, 507),
}
_STUDY = "/dicomweb/studies/{study_instance_uid}"
_SERIES = f"{_STUDY}/series/{{series_instance_uid}}"
_INSTANCE = f"{_SERIES}/instances/{{sop_instance_uid}}"

ViewportQuery = Annotated[
    str | Absent, Query(alias="viewport", description="`vw,vh` in pixels (8.3.5.2.1).", max_length=200)
]


@router.get(f"{_STUDY}/thumbnail", response_class=Response, responses=_ANSWERS)
def get_study_thumbnail(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    study_instance_uid: StudyPath,
    viewport: ViewportQuery = None,
) -> Response:
    """Show the middle slice of the series that stands for the study."""
    return _answer(request, archive, audit, viewport, *archive.rendered.representative(study_instance_uid))


@router.get(f"{_SERIES}/thumbnail", response_class=Response, responses=_ANSWERS)
def get_series_thumbnail(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
    viewport: ViewportQuery = None,
) -> Response:
    """Show the middle slice of a series."""
    found = archive.rendered.representative(study_instance_uid, series_instance_uid)
    return _answer(request, archive, audit, viewport, *found)


@router.get(f"{_INSTANCE}/thumbnail", response_class=Response, responses=_ANSWERS)
def get_instance_thumbnail(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
    sop_instance_uid: InstancePath,
    viewport: ViewportQuery = None,
) -> Response:
    """Show an instance; of several frames the middle one."""
    found = archive.rendered.representative(study_instance_uid, series_instance_uid, sop_instance_uid)
    return _answer(request, archive, audit, viewport, *found)


@router.get(
    f"{_INSTANCE}/frames/{{frame_list}}/thumbnail",
    response_class=Response,
    responses=_ANSWERS,
)
def get_frames_thumbnail(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
    sop_instance_uid: InstancePath,
    frame_list: FrameList,
    viewport: ViewportQuery = None,
) -> Response:
    """Show a frame; of a list the one in its middle."""
    [target] = archive.rendered.targets(study_instance_uid, series_instance_uid, sop_instance_uid)
    numbers = frame_numbers(frame_list, target.number_of_frames)
    return _answer(request, archive, audit, viewport, target, numbers[len(numbers) // 2])


def _answer(
    request: Request,
    archive: Archive,
    audit: AccessAuditDep,
    viewport: str | None,
    target: RenderTarget,
    frame_number: int,
) -> Response:
    chosen = read_viewport(viewport, with_region=False) or _DEFAULT
    rendered_format = choose_rendered(request).rendered_format
    key = RenderedKey(target.file, frame_number, RenderingOptions(rendered_format, viewport=chosen))
    headers = {"ETag": key.etag, **REVALIDATED, "Vary": "Authorization, Accept"}
    outcome = Outcome.FAILURE
    try:
        archive.rendered.check(key)
        content = None if matches_etag(request, key.etag) else archive.rendered.picture(key)
        outcome = Outcome.SUCCESS
    finally:
        audit.record(
            Kind.THUMBNAIL,
            study_instance_uid=target.address.study_instance_uid,
            series_instance_uid=target.address.series_instance_uid,
            outcome=outcome,
        )
    if content is None:
        return not_modified(key.etag, headers)
    return Response(content, media_type=rendered_format, headers=headers)
