"""``GET /volumes/{uid}/metadata``: the attributes of the files of a run of slices, for the viewer.

DICOMweb has those of one instance or of a whole series. A viewer needs those of the slices that it shows first, however
long the series is.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import NO_STORE
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.frame_parts import ROOT
from imageserver.api.parameters import SeriesPath
from imageserver.api.problems import problem_responses
from imageserver.api.slices import StackQuery, VersionQuery, choose_run
from imageserver.api.streaming import stream
from imageserver.archive.series_metadata import write_metadata
from imageserver.audit.models import Kind

router = APIRouter(tags=["slices"])

MOST = 512


@router.get(
    "/volumes/{series_instance_uid}/metadata",
    response_class=Response,
    responses={
        200: {
            "description": "An array with an object of the DICOM JSON model for each file.",
            "content": {"application/dicom+json": {"schema": {"type": "array", "items": {"type": "object"}}}},
        },
        **problem_responses(401, 404, 409, 422, 503, 507),
    },
)
def get_slice_metadata(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    series_instance_uid: SeriesPath,
    stack: StackQuery = None,
    first: Annotated[int, Query(ge=0, description="The first slice, from 0.")] = 0,
    count: Annotated[int, Field(ge=1, le=MOST), Query(description="How many slices.")] = 1,
    version: VersionQuery = None,
) -> Response:
    """Give the attributes of the files that slices which follow each other are in, each file once."""
    volume = archive.catalogue.volume(series_instance_uid)
    found = archive.slice_list(volume, stack)
    slices = choose_run(found, first, count, version)
    wanted = archive.slice_metadata_list(volume, slices)
    study, series = wanted.study_instance_uid, wanted.series_instance_uid
    audit.record(Kind.METADATA, study_instance_uid=study, series_instance_uid=series)
    pieces = write_metadata(archive.database, archive.directory, wanted, ROOT)
    return stream(request, pieces, "application/dicom+json", NO_STORE)
