"""``GET /volumes/{uid}/slices``: the slices of a stack in order, and the version under which their frames are kept."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import NO_STORE, matches_etag, not_modified
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.parameters import Absent, SeriesPath
from imageserver.api.problems import problem_responses
from imageserver.archive.slice_lists import ListedSlice, SliceList
from imageserver.audit.models import Kind
from imageserver.errors import SliceNotFound, VolumeChanged

router = APIRouter(tags=["slices"])

StackQuery = Annotated[
    Annotated[int, Field(ge=0)] | Absent,
    Query(description="Which stack. Without it: the order in which `GET /slice` counts."),
]
VersionQuery = Annotated[
    Annotated[str, Field(max_length=64)] | Absent,
    Query(description="As `GET …/slices` told it; another one is 409 `volume_changed`."),
]


class Refusal(BaseModel):
    """Why a slice cannot be shown."""

    code: str
    detail: str


class SliceEntry(BaseModel):
    """One slice of a stack."""

    index: int = Field(description="From 0.")
    sop_instance_uid: str
    frame_number: int = Field(description="From 1.")
    position_mm: float | None = Field(description="Along the normal of the slices.")
    refused: Refusal | None = Field(
        description="Set where it is known that the slice cannot be shown; it keeps its place."
    )


class SliceListing(BaseModel):
    """The slices of a stack in order."""

    series_instance_uid: str
    study_instance_uid: str
    stack: int | None = Field(description="As it was asked for.")
    version: str = Field(description="A digest of content and order; another one when any file changes.")
    frame_bytes: int = Field(
        description="What a decoded frame takes: the largest of the first, middle and last."
    )
    total_bytes: int = Field(description="`frame_bytes` for all slices.")
    slices: list[SliceEntry]


@router.get(
    "/volumes/{series_instance_uid}/slices",
    response_model=SliceListing,
    responses={
        304: {"description": "The list with this `ETag` is the present one."},
        **problem_responses(401, 404, 422, 503, 507),
    },
)
def list_slices(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    series_instance_uid: SeriesPath,
    stack: StackQuery = None,
) -> Response:
    """List the slices of a stack in their order. `GET …/frames` gives their pixels, under the version told here."""
    volume = archive.catalogue.volume(series_instance_uid)
    found = archive.slice_list(volume, stack)
    summary = volume.summary
    audit.record(
        Kind.VOLUME,
        study_instance_uid=summary.study_instance_uid,
        series_instance_uid=summary.series_instance_uid,
    )
    etag = f'W/"{found.version}"'
    if matches_etag(request, f'"{found.version}"'):
        return not_modified(etag, NO_STORE)
    frame_bytes = archive.frame_bytes(volume, found)
    body = {
        "series_instance_uid": summary.series_instance_uid,
        "study_instance_uid": summary.study_instance_uid,
        "stack": stack,
        "version": found.version,
        "frame_bytes": frame_bytes,
        "total_bytes": frame_bytes * len(found.slices),
        "slices": [_entry(index, one) for index, one in enumerate(found.slices)],
    }
    return JSONResponse(body, headers={**NO_STORE, "ETag": etag})


def _entry(index: int, one: ListedSlice) -> dict[str, Any]:
    refused = one.refused
    return {
        "index": index,
        "sop_instance_uid": one.frame.sop_instance_uid,
        "frame_number": one.frame.frame_number,
        "position_mm": one.position_mm,
        "refused": None if refused is None else {"code": refused.code, "detail": refused.detail},
    }


def choose_run(
    found: SliceList, first: int, count: int | None, version: str | None
) -> tuple[ListedSlice, ...]:
    """Return slices that follow each other; without `count` all from the first on.

    Raises
    ------
    VolumeChanged
        If `version` is given, and another one than the list's.
    SliceNotFound
        If there are not so many.
    """
    if version is not None and version != found.version:
        raise VolumeChanged("The slices of the series have changed; ask for their list again.")
    total = len(found.slices)
    end = total if count is None else first + count
    if first >= total or end > total:
        raise SliceNotFound(f"Slices {first} to {end - 1} were asked for; there are {total}, counted from 0.")
    return found.slices[first:end]
