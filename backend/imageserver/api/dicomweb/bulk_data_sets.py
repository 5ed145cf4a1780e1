"""All bulk data, or all pixel data, of a study, a series or an instance (PS3.18 10.4.1.1.5, 10.4.1.1.6)."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import REVALIDATED, matches_etag, not_modified
from imageserver.api.costly_requests import COSTLY
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.dicomweb.accept import ACCEPT_QUERY, accepted
from imageserver.api.dicomweb.bulk_data import read_value
from imageserver.api.frame_parts import ROOT, WantedFrame, frame_parts
from imageserver.api.multipart import (
    OCTETS,
    PART_END,
    closing,
    media_type,
    new_boundary,
    part_head,
    problem_part,
)
from imageserver.api.one_thread import OneThread
from imageserver.api.parameters import InstancePath, SeriesPath, StudyPath
from imageserver.api.problems import problem_responses
from imageserver.api.streaming import stream
from imageserver.archive.archive import Archive
from imageserver.archive.render_targets import RenderTarget
from imageserver.audit.models import Kind, Outcome
from imageserver.dicom.bulk_data import PIXEL_DATA
from imageserver.dicom.frame_forms import Form
from imageserver.dicom.transfer_syntax import EXPLICIT_VR_LITTLE_ENDIAN
from imageserver.errors import AppError, NotAcceptable, NotFound

router = APIRouter(tags=["dicomweb"], dependencies=[*COSTLY, *ACCEPT_QUERY], route_class=OneThread)

_STUDY = "/dicomweb/studies/{study_instance_uid}"
_SERIES = f"{_STUDY}/series/{{series_instance_uid}}"
_INSTANCE = f"{_SERIES}/instances/{{sop_instance_uid}}"
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A part for each value, in the order of the instances; `Content-Location` tells which.",
        "content": {"multipart/related": {"schema": {"type": "string", "format": "binary"}}},
    },
    304: {"description": "The client's copy is good."},
    **problem_responses(400, 401, 404, 406, 410, 429, 503, 507),
}


@router.get(f"{_STUDY}/bulkdata", response_class=Response, responses=_ANSWERS)
def get_study_bulk_data(
    request: Request, archive: ArchiveDep, audit: AccessAuditDep, study_instance_uid: StudyPath
) -> Response:
    """Give all values of a study that its metadata refer to."""
    targets = archive.rendered.targets(study_instance_uid)
    return answer_values(request, archive, audit, targets, only_pixels=False)


@router.get(f"{_SERIES}/bulkdata", response_class=Response, responses=_ANSWERS)
def get_series_bulk_data(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
) -> Response:
    """Give all values of a series that its metadata refer to."""
    targets = archive.rendered.targets(study_instance_uid, series_instance_uid)
    return answer_values(request, archive, audit, targets, only_pixels=False)


@router.get(f"{_INSTANCE}/bulkdata", response_class=Response, responses=_ANSWERS)
def get_instance_bulk_data(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
    sop_instance_uid: InstancePath,
) -> Response:
    """Give all values of an instance that its metadata refer to."""
    targets = archive.rendered.targets(study_instance_uid, series_instance_uid, sop_instance_uid)
    return answer_values(request, archive, audit, targets, only_pixels=False)


@router.get(f"{_STUDY}/pixeldata", response_class=Response, responses=_ANSWERS)
def get_study_pixel_data(
    request: Request, archive: ArchiveDep, audit: AccessAuditDep, study_instance_uid: StudyPath
) -> Response:
    """Give all frames of a study."""
    targets = archive.rendered.targets(study_instance_uid)
    return answer_values(request, archive, audit, targets, only_pixels=True)


@router.get(f"{_SERIES}/pixeldata", response_class=Response, responses=_ANSWERS)
def get_series_pixel_data(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
) -> Response:
    """Give all frames of a series."""
    targets = archive.rendered.targets(study_instance_uid, series_instance_uid)
    return answer_values(request, archive, audit, targets, only_pixels=True)


@router.get(f"{_INSTANCE}/pixeldata", response_class=Response, responses=_ANSWERS)
def get_instance_pixel_data(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
    sop_instance_uid: InstancePath,
) -> Response:
    """Give all frames of an instance."""
    targets = archive.rendered.targets(study_instance_uid, series_instance_uid, sop_instance_uid)
    return answer_values(request, archive, audit, targets, only_pixels=True)


def answer_values(
    request: Request,
    archive: Archive,
    audit: AccessAuditDep,
    targets: Sequence[RenderTarget],
    *,
    only_pixels: bool,
) -> Response:
    """Answer with a part for each value of some instances, or for each frame."""
    try:
        form = _choose(request)
        if only_pixels and not any(target.number_of_frames for target in targets):
            raise NotFound("There is no pixel data.")
    except AppError:
        _record(audit, targets, Outcome.FAILURE)
        raise
    _record(audit, targets, Outcome.SUCCESS)
    identity = repr((form, only_pixels, [one.file for one in targets]))
    tag = f'"{hashlib.sha256(identity.encode()).hexdigest()[:32]}"'
    headers = {"ETag": f"W/{tag}", **REVALIDATED, "Vary": "Authorization, Accept"}
    if matches_etag(request, tag):
        return not_modified(f"W/{tag}", headers)
    boundary = new_boundary()
    parts = _parts(archive, targets, form, boundary, only_pixels=only_pixels)
    return stream(request, parts, media_type(boundary), headers)


def _choose(request: Request) -> Form:
    for wanted in accepted(request):
        syntax = wanted.parameters.get("transfer-syntax", EXPLICIT_VR_LITTLE_ENDIAN)
        if wanted.takes_parts_of(OCTETS) and syntax in ("*", EXPLICIT_VR_LITTLE_ENDIAN):
            return Form.STORED if syntax == "*" else Form.NATIVE
    raise NotAcceptable(
        f'There is multipart/related; type="{OCTETS}"; transfer-syntax={EXPLICIT_VR_LITTLE_ENDIAN}, or '
        "transfer-syntax=* as stored."
    )


def _parts(
    archive: Archive, targets: Sequence[RenderTarget], form: Form, boundary: str, *, only_pixels: bool
) -> Iterator[bytes]:
    for target in targets:
        if not only_pixels:
            yield from _value_parts(archive, target, form, boundary)
        elif target.number_of_frames:
            yield from _frames_of(archive, target, form, boundary)
    yield closing(boundary)


def _frames_of(archive: Archive, target: RenderTarget, form: Form, boundary: str) -> Iterator[bytes]:
    numbers = range(1, target.number_of_frames + 1)
    wanted = [WantedFrame(target.address, number, target.file) for number in numbers]
    yield from frame_parts(archive, wanted, form, boundary, None, is_last=False)


def _value_parts(archive: Archive, target: RenderTarget, form: Form, boundary: str) -> Iterator[bytes]:
    try:
        paths = archive.bulk_paths(target.address)
        found = archive.instance(target.address)
    except Exception as error:
        yield problem_part(boundary, f"{ROOT}{target.address.path}/bulkdata", error)
        return
    for path in paths:
        location = f"{ROOT}{target.address.path}/bulkdata/{path}"
        try:
            value = read_value(archive, found, path)
            if value is None and path not in PIXEL_DATA:
                continue
        except Exception as error:
            yield problem_part(boundary, location, error)
            continue
        if value is None:  # compressed
            yield from _frames_of(archive, target, form, boundary)
            continue
        yield part_head(boundary, OCTETS, location, value.length)
        yield from value.read(0, value.length)
        yield PART_END


def _record(audit: AccessAuditDep, targets: Sequence[RenderTarget], outcome: Outcome) -> None:
    for study, series in dict.fromkeys(one.address[:2] for one in targets):
        audit.record(Kind.FRAMES, study_instance_uid=study, series_instance_uid=series, outcome=outcome)
