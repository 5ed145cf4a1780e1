"""Which overlay planes an image has: bit maps beside it, or in the bits that its pixels leave over (PS3.3 C.9).

Tags of overlays repeat: (60xx,eeee) with even xx from 00 to 1E, one group for each plane.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from imageserver.dicom.limits import DEFAULT_LIMITS, Finding, Limits
from imageserver.dicom.number_values import integer, numbers
from imageserver.dicom.raw_elements import element_of
from imageserver.dicom.reading import Header
from imageserver.dicom.text_values import text

HAS_OVERLAYS = "has_overlays"
UNUSABLE_OVERLAY = "unusable_overlay"

_GROUPS = range(0x6000, 0x6020, 2)
_ROWS, _COLUMNS, _FRAMES = 0x0010, 0x0011, 0x0015
_DESCRIPTION, _TYPE, _LABEL = 0x0022, 0x0040, 0x1500
_ORIGIN, _FRAME_ORIGIN, _COMPRESSION = 0x0050, 0x0051, 0x0060
_BIT_POSITION, _DATA = 0x0102, 0x3000


@dataclass(frozen=True)
class OverlayPlane:
    """One overlay plane.

    Attributes
    ----------
    group : int
        Of its tags, 0x6000 to 0x601E.
    rows, columns : int
        Its size, which need not be that of the image.
    top, left : int
        Overlay Origin: row and column of the image, from 1, where its first bit lies. May lie outside.
    number_of_frames : int
        At least 1.
    first_frame : int or None
        The frame of the image, from 1, that its first frame belongs to; None where it belongs to all frames.
    bit_position : int or None
        The bit of each pixel's word that holds it; None where it has Overlay Data (60xx,3000).
    kind : str or None
        Overlay Type: G for graphics, R for a region of interest.
    label, description : str or None
        Overlay Label (60xx,1500) and Description (60xx,0022), for people.
    """

    group: int
    rows: int
    columns: int
    top: int = 1
    left: int = 1
    number_of_frames: int = 1
    first_frame: int | None = None
    bit_position: int | None = None
    kind: str | None = None
    label: str | None = None
    description: str | None = None

    @property
    def is_embedded(self) -> bool:
        """Whether its bits stand in the pixel data (retired, PS3.3 of 2004 and before)."""
        return self.bit_position is not None

    def frame_of(self, frame_index: int) -> int | None:
        """Return which frame of the overlay, from 0, belongs to a frame of the image; None where none does."""
        if self.first_frame is None:
            return 0
        index = frame_index - (self.first_frame - 1)
        return index if 0 <= index < self.number_of_frames else None

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "group": f"{self.group:04X}",
            "type": self.kind,
            "label": self.label,
            "description": self.description,
            "is_embedded": self.is_embedded,
        }


class Overlays(NamedTuple):
    """The planes of an object that can be drawn, and what is wrong with the others."""

    planes: tuple[OverlayPlane, ...]
    findings: tuple[Finding, ...]

    def on_frame(self, frame_index: int) -> list[OverlayPlane]:
        """Return the planes that belong to a frame, from 0."""
        return [plane for plane in self.planes if plane.frame_of(frame_index) is not None]

    def notices(self, frame_index: int) -> list[Finding]:
        """Say that a frame has overlays, and which planes cannot be drawn."""
        count = len(self.on_frame(frame_index))
        planes = "1 overlay plane" if count == 1 else f"{count} overlay planes"
        message = f"The image has {planes}, drawn only where overlays are asked for."
        return [*([Finding(HAS_OVERLAYS, message)] if count else []), *self.findings]


class _Unusable(ValueError):
    """A plane that cannot be drawn; the message is the end of a sentence."""


def read_overlays(header: Header, limits: Limits = DEFAULT_LIMITS) -> Overlays:
    """Read the overlay planes of an image.

    Parameters
    ----------
    header : Header
        Of an object with pixel data.
    limits : Limits
        For the size of a plane.

    Returns
    -------
    Overlays
        A plane that cannot be right is a finding ``unusable_overlay``, never a reason to hide the image.

    References
    ----------
    DICOM PS3.3 C.9.2, C.9.3; PS3.5 8.1.2
    """
    planes, findings = [], []
    for group in _groups_of(header.dataset):
        try:
            planes.append(_read_plane(header, group, limits))
        except _Unusable as error:
            message = f"The overlay in group {group:04X} cannot be drawn: {error}."
            findings.append(Finding(UNUSABLE_OVERLAY, message))
    return Overlays(tuple(planes), tuple(findings))


def _groups_of(dataset: Dataset) -> list[int]:
    tags = dataset.keys()  # to go over the data set itself would convert each element
    return sorted(
        {tag >> 16 for tag in tags if tag >> 16 in _GROUPS and tag & 0xFFFF}
    )  # a group length is no plane


def _read_plane(header: Header, group: int, limits: Limits) -> OverlayPlane:
    dataset, base = header.dataset, group << 16
    rows, columns = integer(dataset, base | _ROWS) or 0, integer(dataset, base | _COLUMNS) or 0
    origin = [int(value) for value in numbers(dataset, base | _ORIGIN, signed=True)]
    plane = OverlayPlane(
        group=group,
        rows=rows,
        columns=columns,
        top=origin[0] if len(origin) == 2 else 1,
        left=origin[1] if len(origin) == 2 else 1,
        number_of_frames=integer(dataset, base | _FRAMES) or 1,
        first_frame=_first_frame(dataset, base),
        kind=text(dataset, base | _TYPE),
        label=text(dataset, base | _LABEL),
        description=text(dataset, base | _DESCRIPTION),
    )
    if (text(dataset, base | _COMPRESSION) or "NONE") != "NONE":
        raise _Unusable("it is compressed in a way that was retired")
    if overlay_data(dataset, group):
        _check_data(plane, dataset, limits)
        return plane
    return _embedded(plane, header, integer(dataset, base | _BIT_POSITION))


def _first_frame(dataset: Dataset, base: int) -> int | None:
    """Return the first frame that an overlay belongs to; without a word about frames it belongs to all."""
    origin, frames = integer(dataset, base | _FRAME_ORIGIN), integer(dataset, base | _FRAMES)
    if origin is None:
        return None if frames is None or frames <= 1 else 1
    return max(origin, 1)


def overlay_data(dataset: Dataset, group: int) -> bytes:
    """Return Overlay Data (60xx,3000), its words in little endian; empty where it is absent."""
    element = element_of(dataset, (group << 16) | _DATA)
    if element is None or not isinstance(element.value, bytes):
        return b""
    is_swapped = isinstance(element, RawDataElement) and not element.is_little_endian and element.VR != "OB"
    if not is_swapped:
        return element.value
    even = element.value[: len(element.value) // 2 * 2]
    return np.frombuffer(even, np.uint16).byteswap().tobytes()


def _check_data(plane: OverlayPlane, dataset: Dataset, limits: Limits) -> None:
    """Refuse sizes that cannot be, before anything is made of them."""
    if plane.rows < 1 or plane.columns < 1 or plane.number_of_frames < 1:
        raise _Unusable(
            f"it has {plane.rows} rows, {plane.columns} columns and {plane.number_of_frames} frames"
        )
    if plane.rows * plane.columns > limits.pixels_per_frame:
        raise _Unusable(f"{plane.rows} x {plane.columns} pixels are more than the limit")
    needed = (plane.rows * plane.columns * plane.number_of_frames + 7) // 8
    length = len(overlay_data(dataset, plane.group))
    if length < needed:
        raise _Unusable(f"it has {length} bytes, its description asks for {needed}")


def _embedded(plane: OverlayPlane, header: Header, bit_position: int | None) -> OverlayPlane:
    """Return a plane whose bits are in the pixel data: of the size of the image, in every frame."""
    image = header.image
    if bit_position is None or image is None:
        raise _Unusable("it has no data")
    lowest = image.high_bit - image.bits_stored + 1
    if image.is_float or image.samples_per_pixel != 1 or not 0 <= bit_position < image.bits_allocated:
        raise _Unusable(f"the pixels have no bit {bit_position} for it")
    if lowest <= bit_position <= image.high_bit:
        raise _Unusable(f"its bit {bit_position} belongs to the pixel values")
    if header.transfer_syntax.is_encapsulated and header.transfer_syntax.is_lossy:
        raise _Unusable("lossy compression does not keep the bits that it stood in")
    return replace(
        plane,
        rows=image.rows,
        columns=image.columns,
        top=1,
        left=1,
        number_of_frames=1,
        first_frame=None,
        bit_position=bit_position,
    )
