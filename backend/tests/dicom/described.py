"""Descriptions of frames for tests, with plain numbers, so that the answer can be counted off."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from imageserver.dicom.arrangement import Arrangement
from imageserver.dicom.frames import FrameDescription
from tests.builders import AXIAL


def frame(
    z: float | None, number: int | None = None, name: str | None = None, **values: Any
) -> FrameDescription:
    """An axial slice at z mm; `name` stands for the SOP Instance UID."""
    place = None if z is None else (0.0, 0.0, float(z))
    base = FrameDescription(
        sop_instance_uid=name or f"z{z}",
        frame_number=1,
        instance_number=number,
        rows=4,
        columns=4,
        row_spacing_mm=1.0,
        column_spacing_mm=1.0,
        position=place,
        orientation=AXIAL,
    )
    return replace(base, **values)


def axial(places: Sequence[float], **values: Any) -> list[FrameDescription]:
    return [frame(z, number + 1, **values) for number, z in enumerate(places)]


def middle(arrangement: Arrangement) -> str:
    assert arrangement.middle is not None
    return arrangement.middle.sop_instance_uid


def codes(findings: Sequence[Any]) -> list[str]:
    return [finding.code for finding in findings]


def named(findings: Sequence[Any], code: str) -> Any:
    """The one finding of this code."""
    [finding] = [finding for finding in findings if finding.code == code]
    return finding
