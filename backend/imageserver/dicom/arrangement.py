"""The values that say how a series is arranged: verdict, stacks in order, middle slice, findings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Self

from imageserver.dicom.limits import Finding
from imageserver.dicom.orientation import OrientationLabels

Matrix = tuple[tuple[float, ...], ...]


class Verdict(StrEnum):
    """What kind of series this is."""

    VOLUME = "volume"
    VOLUME_VARIABLE_SPACING = "volume_variable_spacing"
    VOLUME_TILTED = "volume_tilted"
    VOLUME_4D = "volume_4d"
    LOCALIZER = "localizer"
    CINE = "cine"
    SINGLE_IMAGE = "single_image"
    NO_GEOMETRY = "no_geometry"
    EMPTY = "empty"

    @property
    def is_volume(self) -> bool:
        """Whether the slices fill space in one direction."""
        return self.value.startswith("volume")


class Ordering(StrEnum):
    """What the default order follows."""

    POSITION = "position"
    INSTANCE_NUMBER = "instance_number"


class FrameReference(NamedTuple):
    """The address of one frame."""

    sop_instance_uid: str
    frame_number: int


@dataclass(frozen=True)
class Middle:
    """The middle slice of a stack, or of the series where `stack` is None."""

    stack: int | None
    index: int
    count: int
    sop_instance_uid: str
    frame_number: int
    position_mm: float | None

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return dict(vars(self))


@dataclass(frozen=True)
class Stack:
    """Slices of one geometry in order.

    Attributes
    ----------
    stack : int
        Its number, from 0.
    frames : tuple of FrameReference
        In order.
    positions_mm : tuple of float or None
        Along the normal, for each frame; None where the file has no position.
    slice_spacing_mm : float or None
        Median distance between neighbours, measured.
    differs_by : str or None
        What tells this stack from the others, in words.
    slice_thickness_mm : float or None
        As the files say.
    affine : tuple of 4 tuples of 4 float, or None
        From (column, row, slice) indices to patient coordinates (`geometry.affine`); None where one matrix does
        not place every slice.
    """

    stack: int
    frames: tuple[FrameReference, ...]
    positions_mm: tuple[float | None, ...]
    rows: int
    columns: int
    row_spacing_mm: float | None
    column_spacing_mm: float | None
    slice_spacing_mm: float | None
    orientation_labels: OrientationLabels | None
    differs_by: str | None
    pixel_aspect_ratio: float = 1.0
    slice_thickness_mm: float | None = None
    affine: Matrix | None = None

    @property
    def count(self) -> int:
        """Number of slices."""
        return len(self.frames)

    @property
    def middle(self) -> Middle:
        """The slice at ``count // 2``."""
        return middle_of(self.frames, self.positions_mm, self.stack)

    def summary(self) -> dict[str, Any]:
        """JSON form for clients: without the list of frames."""
        labels = self.orientation_labels
        return {
            "stack": self.stack,
            "count": self.count,
            "rows": self.rows,
            "columns": self.columns,
            "row_spacing_mm": self.row_spacing_mm,
            "column_spacing_mm": self.column_spacing_mm,
            "slice_spacing_mm": self.slice_spacing_mm,
            "slice_thickness_mm": self.slice_thickness_mm,
            "affine": [list(row) for row in self.affine] if self.affine else None,
            "orientation_labels": labels.as_dict() if labels else None,
            "pixel_aspect_ratio": self.pixel_aspect_ratio,
            "differs_by": self.differs_by,
            "middle": self.middle.as_dict(),
        }

    def as_dict(self) -> dict[str, Any]:
        """JSON form to store: `from_dict` rebuilds the stack."""
        return {
            **vars(self),
            "frames": [list(frame) for frame in self.frames],
            "positions_mm": list(self.positions_mm),
            "orientation_labels": list(self.orientation_labels) if self.orientation_labels else None,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild from `as_dict`."""
        labels = values["orientation_labels"]
        return cls(
            **{
                **values,
                "frames": tuple(FrameReference(*frame) for frame in values["frames"]),
                "positions_mm": tuple(values["positions_mm"]),
                "orientation_labels": OrientationLabels(*labels) if labels else None,
                "affine": tuple(map(tuple, affine)) if (affine := values.get("affine")) else None,
            }
        )


@dataclass(frozen=True)
class Arrangement:
    """How the frames of a series lie, and which is in the middle.

    Attributes
    ----------
    verdict : Verdict
    ordering : Ordering
    stacks : tuple of Stack
    frames : tuple of FrameReference
        The default order, in which `/slice` counts without a stack: that of stack 0, or of the whole series.
    middle : Middle or None
        None for a series without frames.
    excluded : tuple of Finding
        Frames outside the default order.
    warnings : tuple of Finding
    explanation : str
        How the middle slice was chosen, in words.
    """

    verdict: Verdict
    ordering: Ordering
    stacks: tuple[Stack, ...] = ()
    frames: tuple[FrameReference, ...] = ()
    middle: Middle | None = None
    excluded: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    explanation: str = ""

    def summary(self) -> dict[str, Any]:
        """JSON form for clients, as `GET /volumes/{uid}` answers it."""
        return {
            "verdict": self.verdict.value,
            "ordering": self.ordering.value,
            "explanation": self.explanation,
            "middle": self.middle.as_dict() if self.middle else None,
            "stacks": [stack.summary() for stack in self.stacks],
            "excluded": [finding.as_dict() for finding in self.excluded],
            "warnings": [finding.as_dict() for finding in self.warnings],
        }

    def as_dict(self) -> dict[str, Any]:
        """JSON form to store: `from_dict` rebuilds the arrangement."""
        is_of_stack = self.middle is not None and self.middle.stack is not None
        return {
            **self.summary(),
            "stacks": [stack.as_dict() for stack in self.stacks],
            "frames": None if is_of_stack else [list(frame) for frame in self.frames],
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild from `as_dict`, also after it went through JSON."""
        stacks = tuple(Stack.from_dict(stack) for stack in values["stacks"])
        middle = Middle(**values["middle"]) if values["middle"] else None
        frames = values["frames"]
        if frames is None:
            assert middle is not None
            assert middle.stack is not None
            order = stacks[middle.stack].frames
        else:
            order = tuple(FrameReference(*frame) for frame in frames)
        return cls(
            verdict=Verdict(values["verdict"]),
            ordering=Ordering(values["ordering"]),
            stacks=stacks,
            frames=order,
            middle=middle,
            excluded=_findings(values["excluded"]),
            warnings=_findings(values["warnings"]),
            explanation=values["explanation"],
        )


def _findings(values: Iterable[dict[str, Any]]) -> tuple[Finding, ...]:
    return tuple(map(Finding.from_dict, values))


def middle_of(
    frames: Sequence[FrameReference], positions: Sequence[float | None], stack: int | None
) -> Middle:
    index = len(frames) // 2
    return Middle(
        stack, index, len(frames), *frames[index], position_mm=positions[index] if positions else None
    )
