"""The voxels of a stack in one file, so that a plane across hundreds of slices is read from one place.

Stored values as they are where all slices have one type, one rescale and one padding, as in CT; else modality values.
"""

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imageserver.archive.files import DataDirectory
from imageserver.archive.slice_lists import refusal_of
from imageserver.archive.volumes import InstanceFile
from imageserver.dicom.decoding import Decoders, decode_frame
from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.modality_lut import Rescale, read_modality_transform
from imageserver.dicom.padding import Padding, read_padding
from imageserver.dicom.reading import FileRefused, read_header
from imageserver.dicom.reslicing import Voxels
from imageserver.errors import NotAVolume, Undecodable, UndecodableFrame

_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
_LENGTH = struct.Struct("<Q")
_FLOAT = np.dtype(np.float32)


class FrameSource(NamedTuple):
    """One slice of a stack: the file that it is in, and the frame there, from 1."""

    file: InstanceFile
    frame_number: int


class _Layout(NamedTuple):
    """What all slices have in common."""

    type: np.dtype[Any]
    rescale: Rescale
    padding: Padding | None


class _Differs(Exception):
    """A slice is not laid out as the first."""


def write_voxels(
    stream: BinaryIO,
    sources: Sequence[FrameSource],
    directory: DataDirectory,
    decoders: Decoders,
    on_slice: Callable[[int], None],
) -> None:
    """Decode the slices of a stack one after the other, and write their values.

    Parameters
    ----------
    stream : binary file object
        To write to, empty.
    sources : sequence of FrameSource
        In the order of the stack.
    directory : DataDirectory
        Where the files are.
    decoders : Decoders
        For compressed slices.
    on_slice : callable
        Is told how many slices are done; what it raises ends the work.

    Raises
    ------
    FileGone, FileReplaced, IntegrityMismatch, DataDirectoryUnavailable
        If a file is not the one that was indexed.
    UnsupportedTransferSyntax, UndecodableFrame
        If a slice cannot be decoded.
    NotAVolume
        If one is in colour.
    """

    def slices() -> Iterator[Slice]:
        return naming(read_slices(sources, directory, decoders), len(sources))

    try:
        layout = _write(stream, slices(), on_slice, as_stored=True)
    except _Differs:
        stream.seek(0)
        stream.truncate()
        layout = _write(stream, slices(), on_slice, as_stored=False)
    description = json.dumps(
        {
            "type": layout.type.str,
            "slices": len(sources),
            "rescale": [layout.rescale.slope, layout.rescale.intercept],
            "padding": [layout.padding.low, layout.padding.high] if layout.padding else None,
        }
    ).encode()
    stream.write(description + _LENGTH.pack(len(description)))


def open_voxels(path: Path, rows: int, columns: int) -> Voxels:
    """Open what `write_voxels` wrote; it stays readable when the file is removed."""
    with path.open("rb") as stream:
        stream.seek(-_LENGTH.size, 2)
        end = stream.tell()
        (length,) = _LENGTH.unpack(stream.read(_LENGTH.size))
        stream.seek(end - length)
        description = json.loads(stream.read(length))
        shape = (description["slices"], rows, columns)
        values = np.memmap(stream, np.dtype(description["type"]), "r", shape=shape)
    padding = description["padding"]
    return Voxels(values, Rescale(*description["rescale"]), Padding(*padding) if padding else None)


class Slice(NamedTuple):
    """Stored values of one slice, what turns them into modality values, and what stands for nothing."""

    values: NDArray[Any]
    transform: Any
    padding: Padding | None


def read_slices(
    sources: Sequence[FrameSource], directory: DataDirectory, decoders: Decoders
) -> Iterator[Slice]:
    """Decode slices one after the other; raises as `write_voxels`."""
    for file, group in groupby(sources, key=lambda source: source.file):
        if file.refused_code:
            raise refusal_of(file)
        with directory.open(file.path, file.identity) as stream:
            try:
                header = read_header(stream)
            except FileRefused as error:  # indexed by a version that read it otherwise
                raise UndecodableFrame(error.message, reason=error.code) from error
            groups, padding = FunctionalGroups(header.dataset), read_padding(header)
            for source in group:
                index = source.frame_number - 1
                frame = decode_frame(stream, header, index, decoders)
                if frame.photometric_interpretation not in _GREY or frame.stored_values.ndim != 2:
                    raise NotAVolume("The slices are colour pictures.", reason="colour")
                yield Slice(frame.stored_values, read_modality_transform(header, groups, index), padding)


def naming(slices: Iterator[Slice], count: int) -> Iterator[Slice]:
    """Say of a slice that cannot be decoded which one it is."""
    number = 0
    try:
        for found in slices:
            yield found
            number += 1
    except Undecodable as error:
        place = f"Slice {number + 1} of {count} cannot be read"
        raise type(error)(f"{place}: {error.detail}", **{**error.members, "index": number}) from error


def _write(
    stream: BinaryIO, slices: Iterator[Slice], on_slice: Callable[[int], None], *, as_stored: bool
) -> _Layout:
    layout = None if as_stored else _Layout(_FLOAT, Rescale(), None)
    for number, (values, transform, padding) in enumerate(slices, start=1):
        if as_stored:
            if not isinstance(transform, Rescale):
                raise _Differs
            found = _Layout(values.dtype, transform, padding)
            if found != (layout := layout or found):
                raise _Differs
        else:
            values = _modality_values(values, transform, padding)
        stream.write(np.ascontiguousarray(values).data)
        on_slice(number)
    assert layout is not None
    return layout


def _modality_values(values: NDArray[Any], transform: Any, padding: Padding | None) -> NDArray[np.float32]:
    if isinstance(transform, Rescale):
        return Voxels(values, transform, padding).modality_values(values).astype(np.float32)
    found = transform.apply(values).astype(np.float32)
    return found if padding is None else np.where(padding.mask(values), np.float32(np.nan), found)
