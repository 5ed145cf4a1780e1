"""How much a file may ask for, and the error for a file that is not taken.

A file is untrusted input: each limit is checked before the memory or time that it guards is spent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

MEBIBYTE = 1024 * 1024


class FileRefused(ValueError):
    """The file is not indexed.

    Parameters
    ----------
    code : str
        Short machine-readable reason, for example ``not_dicom``.
    message : str
        One sentence for people. No value from the file that could name a patient, no path.

    Attributes
    ----------
    header : imageserver.dicom.reading.Header or None
        What was read before the fault, where that describes an image: a damaged slice keeps its place among the
        others, so that none of them is taken for it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.header: Any = None


class Finding(NamedTuple):
    """Something that was noticed and tolerated: a code, one sentence for people, and what was measured.

    Attributes
    ----------
    code : str
    message : str
    sop_instance_uids : tuple of str
        The instances that show it; empty where it concerns all.
    numbers : mapping of str to float
        What the sentence says in figures, the unit at the end of each name: ``measured_mm``, ``tilt_degrees``; counts
        have none.
    """

    code: str
    message: str
    sop_instance_uids: tuple[str, ...] = ()
    numbers: Mapping[str, float] = {}  # never changed

    def as_dict(self) -> dict[str, Any]:
        """JSON form; without `numbers` where nothing was measured."""
        plain = {
            "code": self.code,
            "message": self.message,
            "sop_instance_uids": list(self.sop_instance_uids),
        }
        return {**plain, "numbers": dict(self.numbers)} if self.numbers else plain

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild from `as_dict`."""
        uids = tuple(values["sop_instance_uids"])
        return cls(values["code"], values["message"], uids, values.get("numbers", {}))


@dataclass(frozen=True)
class Limits:
    """Bounds for one file. The defaults are far above what scanners write.

    Attributes
    ----------
    depth : int
        Nested sequences.
    elements, elements_per_frame, most_elements, items, items_per_frame, most_items : int
        Elements and sequence items in the whole data set: the base covers radiotherapy structure sets, the part per
        frame the functional groups of enhanced objects, up to the most that memory bears.
    value_length, loaded_bytes : int
        Bytes of one value other than pixel data, and of all values and sequences that are loaded; private values may be
        longer, and are not loaded then.
    private_value_length, private_bytes : int
        Bytes of one private value, and of all in one file, that are loaded where private values are wanted.
    fragments : int
        Fragments of encapsulated pixel data, beyond two per frame.
    pixels_per_frame : int
        Rows x Columns.
    frames : int
        Number of Frames. The index describes each frame, and single-bit frames of 8 pixels take one byte of the file.
    inflated_floor, inflated_ratio, inflated_ceiling : int
        A deflated data set may grow to min(ceiling, max(floor, ratio x compressed size)) bytes.
    seconds : float
        Time for walking over the elements.
    """

    depth: int = 32
    elements: int = 200_000
    elements_per_frame: int = 500
    most_elements: int = 1_000_000
    items: int = 65_536
    items_per_frame: int = 100
    most_items: int = 200_000
    value_length: int = 64 * MEBIBYTE
    loaded_bytes: int = 256 * MEBIBYTE
    private_value_length: int = MEBIBYTE // 4
    private_bytes: int = 4 * MEBIBYTE
    fragments: int = 65_536
    pixels_per_frame: int = 256 * MEBIBYTE
    frames: int = 100_000
    inflated_floor: int = 64 * MEBIBYTE
    inflated_ratio: int = 100
    inflated_ceiling: int = 512 * MEBIBYTE
    seconds: float = 10.0

    def inflated_length(self, compressed_length: int) -> int:
        """Return how many bytes a deflated data set of this many bytes may grow to."""
        return min(self.inflated_ceiling, max(self.inflated_floor, self.inflated_ratio * compressed_length))


DEFAULT_LIMITS = Limits()
