"""``GET /volumes/{uid}/frames``: the pixels of a run of slices in one answer, for the viewer."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import IMMUTABLE, NO_STORE, REVALIDATED, matches_etag, not_modified
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.frame_parts import WantedFrame, frame_parts, measure
from imageserver.api.multipart import closing, media_type, new_boundary
from imageserver.api.parameters import Absent, SeriesPath
from imageserver.api.problems import problem_responses
from imageserver.api.slices import StackQuery, VersionQuery, choose_run
from imageserver.api.streaming import stream
from imageserver.archive.addresses import InstanceAddress
from imageserver.archive.slice_lists import ListedSlice
from imageserver.archive.volumes import VolumeSummary
from imageserver.audit.models import Kind
from imageserver.dicom.frame_forms import Form

router = APIRouter(tags=["slices"])


@router.get(
    "/volumes/{series_instance_uid}/frames",
    response_class=Response,
    responses={
        200: {
            "description": "`multipart/related`, a part for each slice in order: the frame, or a problem document.",
            "content": {"multipart/related": {"schema": {"type": "string", "format": "binary"}}},
        },
        304: {"description": "The client's copy is good."},
        **problem_responses(401, 404, 409, 422, 503, 507),
    },
)
def get_frames(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    series_instance_uid: SeriesPath,
    stack: StackQuery = None,
    first: Annotated[int, Query(ge=0, description="The first slice, from 0.")] = 0,
    count: Annotated[
        Annotated[int, Field(ge=1)] | Absent, Query(description="How many. Without it: all that follow.")
    ] = None,
    version: VersionQuery = None,
) -> Response:
    """Give the frames of slices that follow each other, each in the form that browsers decode right."""
    volume = archive.catalogue.volume(series_instance_uid)
    found = archive.slice_list(volume, stack)
    wanted = _frames_of(volume.summary, choose_run(found, first, count, version))
    summary = volume.summary
    audit.record(
        Kind.FRAMES,
        study_instance_uid=summary.study_instance_uid,
        series_instance_uid=summary.series_instance_uid,
    )
    tag = f'"{found.version}-{first}-{len(wanted)}"'
    headers = {"ETag": f"W/{tag}", **(REVALIDATED if version is None else IMMUTABLE)}
    if not archive.are_unchanged(one.file for one in wanted):
        # A file that is gone just now may be back: an answer that says so is not kept, and has no tag to ask with.
        headers = dict(NO_STORE)
    elif matches_etag(request, tag):
        return not_modified(f"W/{tag}", headers)
    boundary = new_boundary()
    sizes = measure(archive, wanted, Form.BROWSER, boundary)
    length = None if sizes is None else sum(sizes) + len(closing(boundary))
    parts = frame_parts(archive, wanted, Form.BROWSER, boundary, sizes)
    return stream(request, parts, media_type(boundary), headers, length)


def _frames_of(summary: VolumeSummary, slices: Sequence[ListedSlice]) -> list[WantedFrame]:
    study, series = summary.study_instance_uid, summary.series_instance_uid
    return [
        WantedFrame(
            InstanceAddress(study, series, one.frame.sop_instance_uid), one.frame.frame_number, one.file
        )
        for one in slices
    ]
