"""``GET /dicomweb/…/bulkdata/{path}``: what a ``BulkDataURI`` of the metadata stands for (PS3.18 10.4.1.1.5)."""

import hashlib
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import REVALIDATED, matches_etag, not_modified
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.dicomweb.accept import ACCEPT_QUERY, accepted
from imageserver.api.dicomweb.frames import frames_answer
from imageserver.api.multipart import OCTETS, PART_END, closing, media_type, new_boundary, part_head
from imageserver.api.one_thread import OneThread
from imageserver.api.parameters import InstancePath, SeriesPath, StudyPath
from imageserver.api.problems import problem_responses
from imageserver.api.ranges import answer_ranges
from imageserver.api.streaming import stream
from imageserver.archive.addresses import FoundInstance, InstanceAddress
from imageserver.archive.archive import Archive
from imageserver.archive.bulk_data import BulkValue
from imageserver.audit.models import Kind, Outcome
from imageserver.dicom.bulk_data import BULK_PATH, PIXEL_DATA
from imageserver.dicom.transfer_syntax import find_transfer_syntax
from imageserver.errors import AppError, NotAcceptable, NotFound

router = APIRouter(tags=["dicomweb"], dependencies=ACCEPT_QUERY, route_class=OneThread)


@router.get(
    "/dicomweb/studies/{study_instance_uid}/series/{series_instance_uid}"
    "/instances/{sop_instance_uid}/bulkdata/{bulk_path:path}",
    response_class=Response,
    responses={
        200: {
            "description": "The value in little endian; compressed pixel data as the parts of its frames.",
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
                "multipart/related": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        206: {
            "description": "The bytes that `Range` names.",
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
                "multipart/byteranges": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        304: {"description": "The client's copy is good."},
        **problem_responses(400, 401, 404, 406, 410, 416, 503, 507),
    },
)
def get_bulk_data(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    study_instance_uid: StudyPath,
    series_instance_uid: SeriesPath,
    sop_instance_uid: InstancePath,
    bulk_path: Annotated[
        str,
        Path(description="A tag, or tags with item numbers between them.", pattern=BULK_PATH, max_length=512),
    ],
) -> Response:
    """Give a value that the metadata refer to; `Range` gives bytes of it."""
    address = InstanceAddress(study_instance_uid, series_instance_uid, sop_instance_uid)
    found = archive.instance(address)
    is_encapsulated = find_transfer_syntax(found.transfer_syntax_uid).is_encapsulated
    if PIXEL_DATA.get(bulk_path) == "PixelData" and is_encapsulated and found.number_of_frames:
        numbers = list(range(1, found.number_of_frames + 1))
        return frames_answer(request, archive, audit, address, found, numbers)
    try:
        response = _value_answer(request, archive, address, found, bulk_path)
    except AppError:
        _record(audit, address, Outcome.FAILURE)
        raise
    _record(audit, address, Outcome.SUCCESS)
    return response


def _value_answer(
    request: Request, archive: Archive, address: InstanceAddress, found: FoundInstance, path: str
) -> Response:
    is_multipart = _wants_parts(request)
    identity = repr((found.file.sop_instance_uid, found.file.identity, path, is_multipart))
    tag = f'"{hashlib.sha256(identity.encode()).hexdigest()[:32]}"'
    headers = {"ETag": f"W/{tag}" if is_multipart else tag, **REVALIDATED, "Vary": "Authorization, Accept"}
    if matches_etag(request, tag):
        return not_modified(headers["ETag"], headers)
    value = read_value(archive, found, path)
    if value is None:
        raise NotFound("The instance has no bulk data under this path.")
    if not is_multipart:
        return answer_ranges(request, value.read, value.length, OCTETS, headers)
    boundary = new_boundary()
    head = part_head(boundary, OCTETS, f"/dicomweb/{address.path}/bulkdata/{path}", value.length)
    end = PART_END + closing(boundary)
    parts = _part(head, value, end)
    return stream(request, parts, media_type(boundary), headers, len(head) + value.length + len(end))


def _part(head: bytes, value: BulkValue, end: bytes) -> Iterator[bytes]:
    yield head
    yield from value.read(0, value.length)
    yield end


def _wants_parts(request: Request) -> bool:
    """Tell whether the one value is wanted as a part (PS3.18 8.7.3.5.1); alone where the client takes both.

    Raises
    ------
    NotAcceptable
    """
    for wanted in accepted(request):
        if wanted.takes(OCTETS):
            return False
        if wanted.takes_parts_of(OCTETS):
            return True
    raise NotAcceptable(f'There is {OCTETS}, or multipart/related; type="{OCTETS}".')


def read_value(archive: Archive, found: FoundInstance, path: str) -> BulkValue | None:
    """Return what a path stands for; None where there is nothing, or compressed pixel data."""
    keyword = PIXEL_DATA.get(path)
    if keyword is not None:
        return archive.native_pixels(found.file, keyword)
    content = archive.bulk_value(found.file, path)
    if content is None:
        return None
    return BulkValue(len(content), lambda start, stop: iter((content[start:stop],)))


def _record(audit: AccessAuditDep, address: InstanceAddress, outcome: Outcome) -> None:
    audit.record(
        Kind.METADATA,
        study_instance_uid=address.study_instance_uid,
        series_instance_uid=address.series_instance_uid,
        outcome=outcome,
    )
