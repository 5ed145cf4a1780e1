"""``GET /dicomweb/…/bulkdata/{path}``: what a ``BulkDataURI`` of the metadata stands for (PS3.18 10.4.1.1.5)."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import REVALIDATED, matches_etag, not_modified
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.dicomweb.accept import accepted
from imageserver.api.dicomweb.frames import frames_answer
from imageserver.api.multipart import OCTETS
from imageserver.api.parameters import InstancePath, SeriesPath, StudyPath
from imageserver.api.problems import problem_responses
from imageserver.api.streaming import stream
from imageserver.archive.addresses import InstanceAddress
from imageserver.audit.models import Kind
from imageserver.dicom.bulk_data import BULK_PATH, PIXEL_DATA
from imageserver.errors import NotAcceptable, NotFound

router = APIRouter(tags=["dicomweb"])


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
        304: {"description": "The client's copy is good."},
        **problem_responses(400, 401, 404, 406, 410, 422, 503, 507),
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
    """Give a value that the metadata refer to."""
    address = InstanceAddress(study_instance_uid, series_instance_uid, sop_instance_uid)
    found = archive.instance(address)
    keyword = PIXEL_DATA.get(bulk_path)
    pixels = None if keyword is None else archive.native_pixels(found.file, keyword)
    if keyword == "PixelData" and pixels is None and found.number_of_frames:
        return frames_answer(
            request, archive, audit, address, found, list(range(1, found.number_of_frames + 1))
        )
    if not any(one.media_type in ("*/*", "application/*", OCTETS) for one in accepted(request)):
        raise NotAcceptable(f"There is {OCTETS}.")
    value = None if keyword else archive.bulk_value(found.file, bulk_path)
    length, pieces = pixels or (len(value or b""), iter([value or b""]))
    if pixels is None and value is None:
        raise NotFound("The instance has no bulk data under this path.")
    audit.record(
        Kind.METADATA,
        study_instance_uid=study_instance_uid,
        series_instance_uid=series_instance_uid,
    )
    identity = repr((found.file.sop_instance_uid, found.file.identity, bulk_path))
    tag = f'"{hashlib.sha256(identity.encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, **REVALIDATED, "Vary": "Authorization, Accept"}
    if matches_etag(request, tag):
        return not_modified(tag, headers)
    return stream(request, pieces, OCTETS, headers, length)
