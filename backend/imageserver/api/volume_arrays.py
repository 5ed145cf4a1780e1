"""``GET /volumes/{series}/array``: the voxels of a volume as NumPy or NIfTI, for people who write code."""

import io
import zlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import StringConstraints

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import REVALIDATED, matches_etag, not_modified
from imageserver.api.costly_requests import COSTLY
from imageserver.api.dependencies import ArchiveDep
from imageserver.api.multipart import OCTETS
from imageserver.api.parameters import Absent, SeriesPath
from imageserver.api.problems import problem_responses
from imageserver.api.streaming import stream
from imageserver.archive.volume_arrays import ALL_STACKS, ArrayPlan, Units
from imageserver.audit.models import Kind, Outcome
from imageserver.dicom.nifti import LONGEST_SIDE, OFFSET, nifti_header
from imageserver.errors import NotAVolume

router = APIRouter(tags=["volumes"])

GZIP = "application/gzip"
StackOrAll = Annotated[str, StringConstraints(pattern=rf"^(?:{ALL_STACKS}|[0-9]{{1,9}})$")]


class ArrayFormat(StrEnum):
    """What an array can be written as."""

    NPY = "npy"
    NIFTI = "nifti"


@router.get(
    "/volumes/{series_instance_uid}/array",
    response_class=Response,
    responses={
        200: {
            "description": "The array, slice after slice.",
            "content": {name: {"schema": {"type": "string", "format": "binary"}} for name in (OCTETS, GZIP)},
        },
        304: {"description": "The client's copy is good."},
        **problem_responses(401, 404, 410, 422, 429, 503, 507),
    },
    dependencies=COSTLY,
)
def get_array(
    request: Request,
    archive: ArchiveDep,
    audit: AccessAuditDep,
    series_instance_uid: SeriesPath,
    stack: Annotated[
        StackOrAll | Absent,
        Query(description="Stack, from 0, or `all`. Without it the default order of the series."),
    ] = None,
    format: Annotated[ArrayFormat, Query(description="`.npy` or NIfTI-1.")] = ArrayFormat.NPY,
    units: Annotated[Units, Query(description="Modality values, HU for CT, or what is stored.")] = Units.HU,
    compress: Annotated[bool, Query(description="Whether to compress with gzip, as `.nii.gz` is.")] = False,
) -> Response:
    """Give the voxels of a stack in the order of its slices: (slices, rows, columns), with `all` (stacks, …)."""
    volume = archive.catalogue.volume(series_instance_uid)
    outcome = Outcome.FAILURE
    try:
        plan = archive.array_plan(volume, int(stack) if stack and stack != ALL_STACKS else stack)
        head = _head(plan, format, units)
        outcome = Outcome.SUCCESS
    finally:
        audit.record(
            Kind.FRAMES,
            study_instance_uid=volume.summary.study_instance_uid,
            series_instance_uid=series_instance_uid,
            outcome=outcome,
        )
    tag = plan.etag(format.value, units.value, compress)
    ending = {ArrayFormat.NPY: "npy", ArrayFormat.NIFTI: "nii"}[format] + (".gz" if compress else "")
    headers = {
        "ETag": tag,
        **REVALIDATED,
        "Content-Disposition": f'attachment; filename="{series_instance_uid}.{ending}"',
    }
    if matches_etag(request, tag):
        return not_modified(tag, headers)
    pieces = _pieces(head, archive.array_slices(plan, units))
    if compress:
        return stream(request, _compressed(pieces), GZIP, headers)
    return stream(request, pieces, OCTETS, headers, len(head) + plan.byte_count(units))


def _head(plan: ArrayPlan, array_format: ArrayFormat, units: Units) -> bytes:
    """Write what stands before the voxels."""
    dtype = plan.type_of(units)
    if array_format is ArrayFormat.NPY:
        buffer = io.BytesIO()
        header = {"descr": dtype.str, "fortran_order": False, "shape": plan.shape}
        np.lib.format.write_array_header_1_0(buffer, header)
        return buffer.getvalue()
    if max(plan.shape) > LONGEST_SIDE:
        raise NotAVolume(f"NIfTI has room for {LONGEST_SIDE} voxels along each side.", reason="too_large")
    rescale = plan.rescale if units is Units.STORED else None
    head = nifti_header(plan.shape, dtype, plan.affine(), rescale)
    assert len(head) == OFFSET
    return head


def _pieces(head: bytes, slices: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from slices


def _compressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for piece in pieces:
        if part := compressor.compress(piece):
            yield part
    yield compressor.flush()
