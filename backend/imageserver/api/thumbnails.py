"""``GET /thumbnails/{series}/{digest}``: a small picture of the middle slice of a series."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import IMMUTABLE, matches_etag, not_modified
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.parameters import SeriesPath
from imageserver.api.problems import problem_responses
from imageserver.archive.thumbnail_keys import ThumbnailKey
from imageserver.archive.thumbnails import FORMAT, LONGEST_SIDE
from imageserver.audit.models import Kind, Outcome
from imageserver.errors import AppError

router = APIRouter(tags=["studies"])
Digest = Annotated[
    str,
    Path(description="As lists and studies give it; another picture has another.", pattern="^[0-9a-f]{32}$"),
]


@router.get(
    "/thumbnails/{series_instance_uid}/{digest}",
    response_class=Response,
    responses={
        200: {
            "description": f"The picture, at most {LONGEST_SIDE} pixels high and wide, with square pixels.",
            "content": {FORMAT.media_type: {"schema": {"type": "string", "format": "binary"}}},
        },
        304: {"description": "The client's copy is good."},
        **problem_responses(401, 404, 410, 422, 503, 507),
    },
)
def get_thumbnail(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    series_instance_uid: SeriesPath,
    digest: Digest,
) -> Response:
    """Show the middle slice of a series small, with the file's own window. The answer may be kept for ever."""
    middle = archive.thumbnails.find(series_instance_uid)
    etag = f'"{digest}"'
    try:
        picture = archive.thumbnail(middle, digest)
    except AppError:
        outcome = Outcome.FAILURE
        raise
    else:
        outcome = Outcome.SUCCESS
    finally:
        audit.record(
            Kind.THUMBNAIL,
            study_instance_uid=middle.study_instance_uid,
            series_instance_uid=middle.series_instance_uid,
            outcome=outcome,
        )
    headers = {**IMMUTABLE, "ETag": etag}
    if matches_etag(request, etag):
        return not_modified(etag, headers)
    return Response(picture.content, media_type=FORMAT.media_type, headers=headers)


def thumbnail_address(key: ThumbnailKey | None) -> str | None:
    """Return where a thumbnail is; nothing is decoded for it."""
    return None if key is None else f"/thumbnails/{key.series_instance_uid}/{key.digest}"
