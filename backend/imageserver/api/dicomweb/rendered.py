"""``GET /dicomweb/…/rendered``: studies, series, instances and frames as pictures (PS3.18 10.4.1.1.3)."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import Response

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import REVALIDATED, matches_etag, not_modified
from imageserver.api.costly_requests import COSTLY
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.dicomweb.accept import ACCEPT_QUERY
from imageserver.api.dicomweb.frames import FrameList, frame_numbers
from imageserver.api.dicomweb.rendered_accept import PDF, accepts_pdf, choose_rendered
from imageserver.api.dicomweb.rendering_parameters import RenderingDep, RenderingParameters
from imageserver.api.frame_parts import ROOT
from imageserver.api.multipart import PART_END, closing, media_type, new_boundary, part_head, problem_part
from imageserver.api.one_thread import OneThread
from imageserver.api.parameters import InstancePath, SeriesPath, StudyPath
from imageserver.api.problems import problem_responses
from imageserver.api.streaming import stream
from imageserver.archive.archive import Archive
from imageserver.archive.render_targets import RenderTarget
from imageserver.archive.rendered_pictures import RenderedKey
from imageserver.audit.models import Kind, Outcome
from imageserver.dicom.rendered_format import RenderedFormat
from imageserver.errors import AppError, NotAcceptable

router = APIRouter(tags=["dicomweb"], dependencies=[*COSTLY, *ACCEPT_QUERY], route_class=OneThread)

_PICTURE = {"schema": {"type": "string", "format": "binary"}}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture, or a part for each of several; a part that cannot be made says why.",
        "content": dict.fromkeys((*RenderedFormat, PDF, "multipart/related"), _PICTURE),
    },
    304: {"description": "The client's copy is good."},
    **problem_responses(400, 401, 404, 406, 410, 429, 503, 507),
}
_STUDY = "/dicomweb/studies/{study_instance_uid}"
_SERIES = f"{_STUDY}/series/{{series_instance_uid}}"
_INSTANCE = f"{_SERIES}/instances/{{sop_instance_uid}}"

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"


class _Wanted(NamedTuple):
    """One part of an answer: a frame, from 1, or the document of an instance where it is None."""

    target: RenderTarget
    frame_number: int | None

    @property
    def location(self) -> str:
        path = f"{ROOT}{self.target.address.path}"
        return (
            f"{path}/rendered" if self.frame_number is None else f"{path}/frames/{self.frame_number}/rendered"
        )


@router.get(f"{_STUDY}/rendered", response_class=Response, responses=ANSWERS)
def get_rendered_study(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    parameters: RenderingDep,
    study_instance_uid: StudyPath,
) -> Response:
    """Show all pictures of a study, series after series, one part for each frame."""
    targets = archive.rendered.targets(study_instance_uid)
    return _answer(request, archive, audit, parameters, _all_of(request, targets))


@router.get(f"{_SERIES}/rendered", response_class=Response, responses=ANSWERS)
def get_rendered_series(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    parameters: RenderingDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
) -> Response:
    """Show all pictures of a series in the order of its slices, one part for each frame."""
    targets = archive.rendered.targets(study_instance_uid, series_instance_uid)
    return _answer(request, archive, audit, parameters, _all_of(request, targets))


@router.get(f"{_INSTANCE}/rendered", response_class=Response, responses=ANSWERS)
def get_rendered_instance(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    parameters: RenderingDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
    sop_instance_uid: InstancePath,
) -> Response:
    """Show an instance: its picture, a part for each of several frames, or the PDF that it encapsulates."""
    targets = archive.rendered.targets(study_instance_uid, series_instance_uid, sop_instance_uid)
    return _answer(request, archive, audit, parameters, _all_of(request, targets))


@router.get(
    f"{_INSTANCE}/frames/{{frame_list}}/rendered",
    response_class=Response,
    responses=ANSWERS,
)
def get_rendered_frames(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    parameters: RenderingDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
    sop_instance_uid: InstancePath,
    frame_list: FrameList,
) -> Response:
    """Show frames of an instance, in the order of the list."""
    [target] = archive.rendered.targets(study_instance_uid, series_instance_uid, sop_instance_uid)
    numbers = frame_numbers(frame_list, target.number_of_frames)
    wanted = [_Wanted(target, number) for number in numbers]
    return _answer(request, archive, audit, parameters, wanted)


def _all_of(request: Request, targets: Sequence[RenderTarget]) -> list[_Wanted]:
    """List what there is to show: every frame, and documents where the client accepts them."""
    has_pdf = accepts_pdf(request)
    wanted = []
    for target in targets:
        wanted += [_Wanted(target, number) for number in range(1, target.number_of_frames + 1)]
        if has_pdf and target.sop_class_uid == ENCAPSULATED_PDF:
            wanted.append(_Wanted(target, None))
    if not wanted:
        pdf = any(target.sop_class_uid == ENCAPSULATED_PDF for target in targets)
        there_is = f"There is {PDF}." if pdf else "There are no images in it; /metadata has what it says."
        raise NotAcceptable(f"Nothing of this can be rendered as what is accepted. {there_is}")
    return wanted


def _answer(
    request: Request,
    archive: Archive,
    audit: AccessAuditDep,
    parameters: RenderingParameters,
    wanted: Sequence[_Wanted],
) -> Response:
    if len(wanted) == 1 and wanted[0].frame_number is None:
        return _document(request, archive, audit, wanted[0])
    answer = choose_rendered(request)
    options = parameters.options(answer.rendered_format)
    keys = [RenderedKey(one.target.file, one.frame_number or 0, options) for one in wanted]
    is_multipart = answer.is_multipart or len(wanted) > 1
    tag = _tag(keys, is_multipart)
    # The boundary between several parts is another each time, so their tag is a weak one.
    headers = {"ETag": f"W/{tag}" if is_multipart else tag, **REVALIDATED, "Vary": "Authorization, Accept"}
    is_known, content = matches_etag(request, tag), None
    try:
        if not is_multipart and is_known:
            archive.rendered.check(keys[0])
        elif not is_multipart:
            content = archive.rendered.picture(keys[0])
    except AppError:
        _record(audit, wanted, Outcome.FAILURE)
        raise
    _record(audit, wanted, Outcome.SUCCESS)
    if is_known:
        return not_modified(headers["ETag"], headers)
    if content is not None:
        headers["Content-Location"] = wanted[0].location
        return Response(content, media_type=answer.rendered_format, headers=headers)
    boundary = new_boundary()
    parts = _parts(archive, wanted, keys, answer.rendered_format, boundary)
    return stream(request, parts, media_type(boundary, answer.rendered_format), headers)


def _tag(keys: Sequence[RenderedKey], is_multipart: bool) -> str:
    """Return a tag of all pictures, known before any of them is made."""
    if not is_multipart:
        return keys[0].etag
    digest = hashlib.sha256()
    for key in keys:
        digest.update(f"{key.etag}{key.file.refused_code}".encode())
    return f'"{digest.hexdigest()[:32]}"'


def _parts(
    archive: Archive,
    wanted: Sequence[_Wanted],
    keys: Sequence[RenderedKey],
    rendered_format: RenderedFormat,
    boundary: str,
) -> Iterator[bytes]:
    """Yield the parts; what cannot be made is a part that says why, so that nothing is missing silently."""
    for one, key in zip(wanted, keys, strict=True):
        try:
            is_document = one.frame_number is None
            content = archive.rendered.document(one.target) if is_document else archive.rendered.picture(key)
        except Exception as error:
            yield problem_part(boundary, one.location, error)
            continue
        kind = PDF if one.frame_number is None else rendered_format
        yield part_head(boundary, kind, one.location, len(content))
        yield content
        yield PART_END
    yield closing(boundary)


def _document(request: Request, archive: Archive, audit: AccessAuditDep, wanted: _Wanted) -> Response:
    file = wanted.target.file
    tag = f'"{hashlib.sha256(repr((PDF, file.sop_instance_uid, file.identity)).encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, **REVALIDATED, "Vary": "Authorization, Accept"}
    try:
        content = archive.rendered.document(wanted.target)
    except AppError:
        _record(audit, [wanted], Outcome.FAILURE)
        raise
    _record(audit, [wanted], Outcome.SUCCESS)
    if matches_etag(request, tag):
        return not_modified(tag, headers)
    return Response(content, media_type=PDF, headers=headers)


def _record(audit: AccessAuditDep, wanted: Sequence[_Wanted], outcome: Outcome) -> None:
    for study, series in dict.fromkeys(one.target.address[:2] for one in wanted):
        audit.record(Kind.SLICE, study_instance_uid=study, series_instance_uid=series, outcome=outcome)
