"""The voxels of a stack as one array, slice after slice, for people who write code."""

import hashlib
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imageserver.archive.catalogue import Catalogue
from imageserver.archive.files import DataDirectory
from imageserver.archive.slice_lists import SliceList, list_slices, refusal_of
from imageserver.archive.volumes import InstanceFile, Volume
from imageserver.archive.voxel_files import FrameSource, naming, read_slices
from imageserver.dicom.arrangement import Stack
from imageserver.dicom.decoding import Decoders
from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.modality_lut import (
    Rescale,
    apply_modality_lut,
    read_modality_transform,
)
from imageserver.dicom.plane_refusals import Refusal, refuse_matrix
from imageserver.dicom.reading import FileRefused, Header, read_header
from imageserver.errors import FileGone, NotAVolume, UndecodableFrame

ARRAYS_VERSION = "1"  # to be raised whenever the same slices give other bytes
ALL_STACKS = "all"

_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
_INT16 = np.iinfo(np.int16)
_AFFINE_TOLERANCE = 1e-3


class Units(StrEnum):
    """What the numbers of an array are: modality values, which are HU for CT, or what is stored."""

    HU = "hu"
    STORED = "stored"


class ArrayPlan(NamedTuple):
    """An array that can be made.

    Attributes
    ----------
    sources : tuple of FrameSource
        The slices in order.
    shape : tuple of int
        ([stacks,] slices, rows, columns).
    stored_type : numpy.dtype
        That holds the stored values of all slices.
    modality_type : numpy.dtype
        int16 where it holds the modality values of all slices exactly, else float32.
    rescale : Rescale or None
        From stored to modality values, where one holds for all.
    version : str
        A digest of content and order.
    stacks : tuple of Stack
        That the slices are of; empty where the order is of no stack.
    """

    sources: tuple[FrameSource, ...]
    shape: tuple[int, ...]
    stored_type: np.dtype[Any]
    modality_type: np.dtype[Any]
    rescale: Rescale | None
    version: str
    stacks: tuple[Stack, ...]

    def type_of(self, units: Units) -> np.dtype[Any]:
        """Return the type of the array, little endian."""
        return self.modality_type if units is Units.HU else self.stored_type

    def byte_count(self, units: Units) -> int:
        """Return how many bytes the voxels take."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.type_of(units).itemsize

    def etag(self, *form: object) -> str:
        """A strong entity tag of the array in some form."""
        return f'"{hashlib.sha256(repr((ARRAYS_VERSION, self.version, form)).encode()).hexdigest()[:32]}"'

    def affine(self) -> NDArray[np.float64]:
        """Return the matrix from (column, row, slice) to the patient (LPS, mm).

        Raises
        ------
        NotAVolume
            If there is none, or the stacks do not lie at one place.
        """
        if not self.stacks:
            raise _refused(Refusal("not_a_volume", "The images do not say where in the patient they lie."))
        for stack in self.stacks:
            if refusal := refuse_matrix(stack):
                raise _refused(refusal)
        matrices = [np.array(stack.affine) for stack in self.stacks]
        if any(np.abs(matrix - matrices[0]).max() > _AFFINE_TOLERANCE for matrix in matrices):
            raise _refused(Refusal("different_places", "The stacks do not lie at the same place."))
        return np.asarray(matrices[0], np.float64)


class VolumeArrays:
    """Plans and reads arrays; may be used by any number of threads."""

    def __init__(self, directory: DataDirectory, catalogue: Catalogue, decoders: Decoders) -> None:
        self._directory = directory
        self._catalogue = catalogue
        self._decoders = decoders

    def plan(self, volume: Volume, stack: int | str | None) -> ArrayPlan:
        """Describe the array of a stack, of the default order (None), or of all stacks; headers are read once for it.

        Raises
        ------
        SliceNotFound
            If there is no such stack, or no images.
        NotAVolume
            If the slices are in colour or of different sizes; `reason` is a code.
        FileGone, FileReplaced, IntegrityMismatch, DataDirectoryUnavailable, UndecodableFrame
            If a slice is not there, or damaged.
        """
        key = ("array", volume.summary.series_instance_uid, stack)
        return self._catalogue.remember(key, lambda: self._plan(volume, stack), of=volume)

    def read(self, plan: ArrayPlan, units: Units) -> Iterator[bytes]:
        """Yield the slices as bytes in little endian, one at a time.

        Raises
        ------
        FileGone, FileReplaced, IntegrityMismatch, DataDirectoryUnavailable
            If a file is not the one that was indexed.
        UnsupportedTransferSyntax, UndecodableFrame, NotAVolume, Busy
            If a slice cannot be decoded.
        """
        wanted = plan.type_of(units)
        slices = naming(read_slices(plan.sources, self._directory, self._decoders), len(plan.sources))
        for values, transform, _ in slices:
            found = apply_modality_lut(values, transform) if units is Units.HU else values
            if found.shape != plan.shape[-2:] or not _holds(wanted, found):
                raise UndecodableFrame("A slice is not what its header says.")
            yield np.ascontiguousarray(found, wanted).tobytes()

    def _plan(self, volume: Volume, stack: int | str | None) -> ArrayPlan:
        stacks, numbers = _stacks(volume, stack)
        lists = [self._list(volume, number) for number in numbers]
        if len({len(found.slices) for found in lists}) > 1:
            raise _refused(Refusal("sizes_differ", "The stacks do not have the same number of slices."))
        sources = tuple(
            FrameSource(_file(one.file), one.frame.frame_number) for found in lists for one in found.slices
        )
        sizes, types, transforms = self._describe(sources)
        if len(sizes) > 1:
            raise _refused(
                Refusal("sizes_differ", "The slices do not have the same number of rows and columns.")
            )
        [size] = sizes
        slices = (len(lists[0].slices), *size)
        return ArrayPlan(
            sources=sources,
            shape=slices if stack != ALL_STACKS else (len(lists), *slices),
            stored_type=np.result_type(*types).newbyteorder("<"),
            modality_type=_modality_type(types, transforms),
            rescale=_common_rescale(transforms),
            version="-".join(found.version for found in lists),
            stacks=stacks,
        )

    def _list(self, volume: Volume, number: int | None) -> SliceList:
        key = ("slices", volume.summary.series_instance_uid, number)
        return self._catalogue.ask_once(key, lambda session: list_slices(session, volume, number), of=volume)

    def _describe(
        self, sources: Sequence[FrameSource]
    ) -> tuple[set[tuple[int, int]], "_Types", set[Rescale | None]]:
        sizes: set[tuple[int, int]] = set()
        types: _Types = {}
        transforms: set[Rescale | None] = set()
        frames: dict[InstanceFile, list[int]] = {}
        for file, frame_number in sources:
            frames.setdefault(file, []).append(frame_number)
        for file, numbers in frames.items():
            header = self._header(file)
            image = header.image
            if image is None or image.photometric_interpretation not in _GREY or image.samples_per_pixel != 1:
                raise _refused(Refusal("colour", "The slices are colour pictures."))
            sizes.add((image.rows, image.columns))
            kept = types.setdefault(image.stored_type, (0, image.is_signed))
            types[image.stored_type] = (max(kept[0], image.bits_stored), image.is_signed)
            groups = FunctionalGroups(header.dataset)
            found = (read_modality_transform(header, groups, number - 1) for number in numbers)
            transforms |= {one if isinstance(one, Rescale) else None for one in found}
        return sizes, types, transforms

    def _header(self, file: InstanceFile) -> Header:
        if file.refused_code:
            raise refusal_of(file)
        with self._directory.open(file.path, file.identity) as stream:
            try:
                return read_header(stream)
            except FileRefused as error:  # indexed by a version that read it otherwise
                raise UndecodableFrame(error.message, reason=error.code) from error


_Types = dict[
    np.dtype[Any], tuple[int, bool]
]  # for each stored type the bits that are used, and whether signed


def _stacks(volume: Volume, stack: int | str | None) -> tuple[tuple[Stack, ...], list[int | None]]:
    """Return the stacks that are wanted, and how their lists are asked for."""
    arrangement = volume.arrangement
    if stack == ALL_STACKS and arrangement.stacks:
        return arrangement.stacks, [one.stack for one in arrangement.stacks]
    number = None if isinstance(stack, str) else stack
    middle = arrangement.middle
    shown = number if number is not None or middle is None else middle.stack
    is_there = shown is not None and shown < len(arrangement.stacks)
    return (arrangement.stacks[shown],) if is_there and shown is not None else (), [number]


def _file(file: InstanceFile | None) -> InstanceFile:
    if file is None:  # removed between two questions
        raise FileGone("The file of a slice is not in the data directory any more.")
    return file


def _modality_type(types: _Types, transforms: set[Rescale | None]) -> np.dtype[Any]:
    """Return int16 where it holds every value that the bits in use can become, without a fraction; else float32."""
    for stored_type, (bits, is_signed) in types.items():
        if stored_type.kind == "f":
            return np.dtype("<f4")
        low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)
        for one in transforms:
            if one is None or one.slope % 1 or one.intercept % 1:
                return np.dtype("<f4")
            ends = [one.slope * end + one.intercept for end in (low, high)]
            if min(ends) < _INT16.min or max(ends) > _INT16.max:
                return np.dtype("<f4")
    return np.dtype("<i2")


def _common_rescale(transforms: set[Rescale | None]) -> Rescale | None:
    [first, *others] = transforms
    return None if others else first


def _holds(wanted: np.dtype[Any], found: NDArray[Any]) -> bool:
    """Tell whether a type holds all values; nothing is looked at where the types alone say so."""
    if wanted.kind == "f" or np.can_cast(found.dtype, wanted, "safe"):
        return True
    limits = np.iinfo(wanted)
    return found.size == 0 or (found.min() >= limits.min and found.max() <= limits.max)


def _refused(refusal: Refusal) -> NotAVolume:
    return NotAVolume(f"No such array can be made. {refusal.message}", reason=refusal.code)
