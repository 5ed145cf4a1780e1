"""``GET /dicomweb/…/frames/{list}``: frames of one instance (PS3.18 10.4.1.1.6)."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import REVALIDATED, matches_etag, not_modified
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.dicomweb.accept import ACCEPT_QUERY
from imageserver.api.dicomweb.frame_answers import COMPRESSED, FrameAnswer, choose_frame_answer
from imageserver.api.frame_parts import WantedFrame, frame_parts, frame_type, measure
from imageserver.api.multipart import closing, media_type, new_boundary
from imageserver.api.one_thread import OneThread
from imageserver.api.parameters import InstancePath, SeriesPath, StudyPath
from imageserver.api.problems import problem_responses
from imageserver.api.streaming import stream
from imageserver.archive.addresses import FoundInstance, InstanceAddress
from imageserver.archive.frames import etag_of_frames
from imageserver.audit.models import Kind, Outcome
from imageserver.errors import AppError, InvalidParameter, SliceNotFound

router = APIRouter(tags=["dicomweb"], dependencies=ACCEPT_QUERY, route_class=OneThread)

MAX_LISTED = 1000

FrameList = Annotated[
    str,
    Path(
        description="Frame numbers, from 1, separated by commas.",
        pattern=r"^[0-9]{1,20}(,[0-9]{1,20})*$",
        max_length=8000,
    ),
]


@router.get(
    "/dicomweb/studies/{study_instance_uid}/series/{series_instance_uid}"
    "/instances/{sop_instance_uid}/frames/{frame_list}",
    response_class=Response,
    responses={
        200: {
            "description": "A part for each frame in the order of the list, or the one frame alone.",
            "content": {
                "multipart/related": {"schema": {"type": "string", "format": "binary"}},
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
                **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in COMPRESSED},
            },
        },
        304: {"description": "The client's copy is good."},
        **problem_responses(400, 401, 404, 406, 410, 503, 507),
    },
)
def get_instance_frames(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
    sop_instance_uid: InstancePath,
    frame_list: FrameList,
) -> Response:
    """Give frames of one instance: explicit VR little endian, as stored (`transfer-syntax=*`), or compressed."""
    address = InstanceAddress(study_instance_uid, series_instance_uid, sop_instance_uid)
    found = archive.instance(address)
    return frames_answer(
        request, archive, audit, address, found, frame_numbers(frame_list, found.number_of_frames)
    )


def frames_answer(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    address: InstanceAddress,
    found: FoundInstance,
    numbers: list[int],
) -> Response:
    """Answer with frames of an instance in the form that the client accepts."""
    wanted = [WantedFrame(address, number, found.file) for number in numbers]
    try:
        answer = choose_frame_answer(request, found.transfer_syntax_uid, len(numbers))
        tag = etag_of_frames(found.file, numbers, answer.form, answer.is_single_part)
        headers = {"ETag": f"W/{tag}", **REVALIDATED, "Vary": "Authorization, Accept"}
        if matches_etag(request, tag):
            return not_modified(f"W/{tag}", headers)
        response = (_alone if answer.is_single_part else _in_parts)(request, archive, wanted, answer, headers)
    except AppError:
        _record(audit, address, Outcome.FAILURE)
        raise
    _record(audit, address, Outcome.SUCCESS)
    return response


def frame_numbers(frame_list: str, count: int) -> list[int]:
    """Read a list of frames.

    Raises
    ------
    InvalidParameter
        If it is too long.
    SliceNotFound
        If one of them is none of the `count` frames of the instance.
    """
    numbers = [int(number) for number in frame_list.split(",")]
    if len(numbers) > MAX_LISTED:
        raise InvalidParameter(f"Not acceptable: at most {MAX_LISTED} frames can be asked for at once.")
    wrong = next((number for number in numbers if not 1 <= number <= count), None)
    if wrong is not None:
        raise SliceNotFound(f"Frame {wrong} was asked for; the instance has {count}, counted from 1.")
    return numbers


def _alone(
    request: Request,
    archive: ArchiveDep,
    wanted: list[WantedFrame],
    answer: FrameAnswer,
    headers: dict[str, str],
) -> Response:
    [one] = wanted
    assert one.file is not None
    frame = archive.frame_reading()(one.file, one.frame_number, answer.form)
    told = {**headers, "Content-Location": one.location}
    return stream(request, [frame.content], frame_type(frame, answer.media_type), told, len(frame.content))


def _in_parts(
    request: Request,
    archive: ArchiveDep,
    wanted: list[WantedFrame],
    answer: FrameAnswer,
    headers: dict[str, str],
) -> Response:
    boundary = new_boundary()
    sizes = measure(archive, wanted, answer.form, boundary)
    length = None if sizes is None else sum(sizes) + len(closing(boundary))
    parts = frame_parts(archive, wanted, answer.form, boundary, sizes, answer.media_type)
    return stream(request, parts, media_type(boundary, answer.media_type), headers, length)


def _record(audit: AccessAuditDep, address: InstanceAddress, outcome: Outcome) -> None:
    audit.record(
        Kind.FRAMES,
        study_instance_uid=address.study_instance_uid,
        series_instance_uid=address.series_instance_uid,
        outcome=outcome,
    )
