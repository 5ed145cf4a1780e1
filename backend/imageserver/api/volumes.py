"""``GET /volumes``: what the data directory holds, the default first; ``GET /volumes/{uid}``: one volume in full."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from imageserver.api.auditing import AccessAuditDep
from imageserver.api.conditions import NO_STORE, NOT_MODIFIED, matches_etag, not_modified
from imageserver.api.dependencies import ArchiveDep, DatabaseDep
from imageserver.api.index_state import Index, describe_index, index_etag
from imageserver.api.parameters import SeriesPath
from imageserver.api.problems import problem_responses
from imageserver.api.volume_query import VolumeQuery
from imageserver.archive.located_planes import Planes as PlanesOfStack
from imageserver.archive.search import find_volumes
from imageserver.archive.volumes import VolumeSummary
from imageserver.audit.models import Kind
from imageserver.audit.record import Subject
from imageserver.dicom.plane_refusals import Refusal

router = APIRouter(tags=["volumes"])
INDEX_BUILDING = {
    "code": "index_building",
    "message": "The data directory is still being read; the series may grow, and its middle may move.",
    "sop_instance_uids": [],
}


class VolumePatient(BaseModel):
    """Whose volume it is, in short."""

    name: str | None
    patient_id: str | None


class Volume(BaseModel):
    """One series with pictures."""

    series_instance_uid: str
    study_instance_uid: str
    modality: str | None
    description: str | None = Field(description="Series Description (0008,103E).")
    study_date: str | None = Field(description="ISO 8601; null where the files have no valid date.")
    slice_count: int = Field(description="Frames over all stacks.")
    verdict: str = Field(description="What kind of series this is: `volume`, `localizer`, `cine` …")
    is_default: bool
    patient: VolumePatient | None = Field(description="Null where `patient=false` asked to leave it out.")


class VolumeList(BaseModel):
    """One page of volumes; unless `sort` says otherwise, the default one first."""

    volumes: list[Volume]
    total: int = Field(description="Volumes that fulfil the conditions, on all pages.")
    index: Index


class Finding(BaseModel):
    """Something to know about a series."""

    code: str
    message: str
    sop_instance_uids: list[str]
    numbers: dict[str, float] = Field(
        default={},
        description="What was measured, the unit at the end of each name (`_mm` …); absent where nothing was.",
    )


class Slice(BaseModel):
    """One slice: of a stack, or of the whole series where `stack` is null."""

    stack: int | None
    index: int = Field(description="From 0.")
    count: int
    sop_instance_uid: str
    frame_number: int = Field(description="From 1.")
    position_mm: float | None = Field(description="Along the normal of the slices.")


class OrientationLabels(BaseModel):
    """Directions in the patient at the edges of the picture (PS3.3 C.7.6.1.1.1)."""

    left: str
    right: str
    top: str
    bottom: str


class Plane(BaseModel):
    """What `GET /reslice` shows of a stack in one plane."""

    count: int = Field(description="Planes; each is one picture.")
    rows: int
    columns: int
    row_spacing_mm: float = Field(description="Pixels are square: the same as `column_spacing_mm`.")
    column_spacing_mm: float
    slice_spacing_mm: float = Field(description="From one plane to the next.")
    first_position_mm: float = Field(description="Of plane 0, along rows × columns of the picture.")
    orientation_labels: OrientationLabels
    affine: list[list[float]] = Field(
        description="4 × 4, from (column, row, index) of the pictures to patient coordinates (LPS, mm)."
    )


class Planes(BaseModel):
    """The planes along the axes of a stack, named after the patient's axes that are nearest."""

    axial: Plane
    coronal: Plane
    sagittal: Plane


class PlanesRefused(BaseModel):
    """Why a stack can be shown in no other planes."""

    code: str
    message: str


class Stack(BaseModel):
    """Slices of one geometry."""

    stack: int
    count: int
    rows: int
    columns: int
    row_spacing_mm: float | None
    column_spacing_mm: float | None
    slice_spacing_mm: float | None = Field(description="Measured: the median distance between neighbours.")
    slice_thickness_mm: float | None = Field(description="As the files say.")
    affine: list[list[float]] | None = Field(
        description="4 × 4, from (column, row, slice) indices to patient coordinates (LPS, mm; PS3.3 C.7.6.2.1.1); "
        "null where one matrix does not place every slice. Of one slice the third column is 0."
    )
    orientation_labels: OrientationLabels | None
    pixel_aspect_ratio: float = Field(description="Height of a pixel divided by its width.")
    differs_by: str | None
    middle: Slice
    planes: Planes | None = Field(
        description="What `GET /reslice` shows; null where `planes_refused` says why not."
    )
    planes_refused: PlanesRefused | None


class Window(BaseModel):
    """A window of the middle slice."""

    center: float
    width: float
    function: str
    explanation: str | None


class Overlay(BaseModel):
    """An overlay plane of the middle slice (PS3.3 C.9); `GET /slice?overlays=true` draws it."""

    group: str = Field(description="Of its tags, `6000` to `601E`.")
    type: str | None = Field(description="`G` for graphics, `R` for a region of interest.")
    label: str | None
    description: str | None
    is_embedded: bool = Field(description="Whether its bits stand in the pixel data.")


class VolumeDetail(Volume):
    """One volume, and how its middle slice was chosen."""

    ordering: str = Field(description="`position` or `instance_number`.")
    explanation: str = Field(description="How the middle slice was chosen, as a sentence.")
    middle: Slice | None
    stacks: list[Stack]
    windows: list[Window] = Field(
        description="The windows that the file of the middle slice offers; the first is used."
    )
    overlays: list[Overlay] = Field(description="The overlay planes of the middle slice that can be drawn.")
    pixel_aspect_ratio: float
    excluded: list[Finding] = Field(description="Images outside the default order.")
    warnings: list[Finding]


WithPatient = Annotated[bool, Query(alias="patient", description="Whether to say whose the volume is.")]


@router.get(
    "/volumes",
    response_model=VolumeList,
    responses={**NOT_MODIFIED, **problem_responses(401, 422, 503, 507)},
)
def list_volumes(
    request: Request,
    archive: ArchiveDep,
    database: DatabaseDep,
    audit: AccessAuditDep,
    asked: Annotated[VolumeQuery, Query()],
) -> Response:
    """List the series that have pictures: all, or those that fulfil every condition. Send `If-None-Match` to poll."""
    wanted, sort = asked.filter(), asked.sort_keys()
    status = archive.catalogue.status()
    etag = index_etag(status, asked)
    if matches_etag(request, etag):
        return not_modified(etag, NO_STORE)
    total = archive.catalogue.count(wanted)
    with database.reading() as session:
        page = asked.limit, asked.offset
        volumes = find_volumes(session, *page, wanted, sort, total=total, sets=archive.catalogue.sets)
    # Without names the list still tells dates and descriptions; so it leaves a record, though not one per series.
    named = volumes if asked.patient else []
    audit.record_list(Kind.VOLUMES, (Subject(v.study_instance_uid, v.series_instance_uid) for v in named))
    default = archive.catalogue.default_series()
    body = {
        "volumes": [_volume(volume, default, asked.patient) for volume in volumes],
        "total": total,
        "index": describe_index(status),
    }
    return JSONResponse(body, headers={**NO_STORE, "ETag": etag})


@router.get(
    "/volumes/{series_instance_uid}",
    response_model=VolumeDetail,
    responses=problem_responses(401, 404, 422, 503, 507),
)
def get_volume(
    archive: ArchiveDep,
    audit: AccessAuditDep,
    series_instance_uid: SeriesPath,
    with_patient: WithPatient = True,
) -> Response:
    """Describe one series: its stacks in order, the middle slice, and everything that is odd about it."""
    volume = archive.catalogue.volume(series_instance_uid)
    summary = volume.summary
    audit.record(
        Kind.VOLUME,
        study_instance_uid=summary.study_instance_uid,
        series_instance_uid=summary.series_instance_uid,
    )
    arrangement = volume.arrangement.summary()
    picture = archive.middle_picture(volume)
    first = next(iter(volume.arrangement.stacks), None)
    planes = archive.reslices.planes.describe(volume)
    body = {
        **_volume(summary, archive.catalogue.default_series(), with_patient),
        **arrangement,
        "stacks": [
            {**stack, **_planes(found)} for stack, found in zip(arrangement["stacks"], planes, strict=True)
        ],
        "windows": [window.as_dict() for window in picture.windows],
        "overlays": [plane.as_dict() for plane in picture.overlays],
        "pixel_aspect_ratio": first.pixel_aspect_ratio if first else 1.0,
        "warnings": [
            *arrangement["warnings"],
            *volume.warnings,
            *volume.patient["warnings"],
            *(finding.as_dict() for finding in picture.findings),
            *([INDEX_BUILDING] if archive.catalogue.status().state == "building" else []),
        ],
    }
    return JSONResponse(body, headers=NO_STORE)


def _planes(found: PlanesOfStack | Refusal) -> dict[str, Any]:
    if isinstance(found, Refusal):
        return {"planes": None, "planes_refused": found.as_dict()}
    return {"planes": {name: plane.as_dict() for name, plane in found.items()}, "planes_refused": None}


def _volume(summary: VolumeSummary, default: str | None, with_patient: bool) -> dict[str, Any]:
    patient = {"name": summary.name, "patient_id": summary.patient_id}
    return {
        "series_instance_uid": summary.series_instance_uid,
        "study_instance_uid": summary.study_instance_uid,
        "modality": summary.modality,
        "description": summary.description,
        "study_date": iso_date(summary.study_date),
        "slice_count": summary.slice_count,
        "verdict": summary.verdict,
        "is_default": summary.series_instance_uid == default,
        "patient": patient if with_patient else None,
    }


def iso_date(value: str | None) -> str | None:
    """Write a DICOM date (YYYYMMDD, already checked) as ISO 8601."""
    return f"{value[:4]}-{value[4:6]}-{value[6:]}" if value else None
