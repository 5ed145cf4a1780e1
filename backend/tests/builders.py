"""Synthetic DICOM for tests: data sets with plain values, and the bytes of a file made of them.

Nothing here comes from a patient. UIDs lie under 2.25, made from what identifies the object.
"""

import copy
import io
import struct
import uuid
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filereader import dcmread
from pydicom.filewriter import dcmwrite, write_file_meta_info
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def uid(*parts: Any) -> str:
    """A UID that is the same for the same parts."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(map(str, parts))).int}"


def image(
    pixels: np.ndarray | None = None, *, series: Any = "series", instance: Any = 1, **attributes: Any
) -> Dataset:
    """A CT image of one frame; `attributes` are set, or removed where they are None.

    `pixels` has the shape (rows, columns), (rows, columns, samples) or with frames in front where NumberOfFrames is
    given; its type decides about bits and sign.
    """
    if pixels is None:
        pixels = np.arange(64, dtype=np.uint16).reshape(8, 8)
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = uid(series, instance)
    dataset.StudyInstanceUID = uid("study of", attributes.pop("study", series))
    dataset.SeriesInstanceUID = uid(series)
    dataset.FrameOfReferenceUID = uid("frame of reference of", series)
    dataset.Modality = "CT"
    dataset.PatientName = "Doe^Jane"
    dataset.PatientID = "TEST-1"
    dataset.StudyDate = "20260102"
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = instance if isinstance(instance, int) else 1
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.ImagePositionPatient = [0, 0, 0]
    dataset.ImageOrientationPatient = list(AXIAL)
    dataset.PixelSpacing = [0.5, 0.5]
    _set_pixels(dataset, pixels, frames=int(attributes.get("NumberOfFrames") or 0))
    for keyword, value in attributes.items():
        if value is None:
            if keyword in dataset:
                delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def _set_pixels(dataset: Dataset, pixels: np.ndarray, frames: int) -> None:
    has_frames = frames > 1 or pixels.ndim == 4 or (pixels.ndim == 3 and frames == len(pixels))
    shape = pixels.shape[1:] if has_frames else pixels.shape
    samples = shape[2] if len(shape) == 3 else 1
    dataset.SamplesPerPixel = samples
    dataset.PhotometricInterpretation = "RGB" if samples == 3 else "MONOCHROME2"
    if samples > 1:
        dataset.PlanarConfiguration = 0
    dataset.Rows, dataset.Columns = shape[:2]
    dataset.BitsAllocated = pixels.dtype.itemsize * 8
    dataset.BitsStored = dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = 1 if pixels.dtype.kind == "i" else 0
    data = np.ascontiguousarray(pixels).tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"


def volume(
    count: int,
    *,
    spacing: float = 2.0,
    orientation: Sequence[float] = AXIAL,
    start: float = -10.0,
    step: Sequence[float] | None = None,
    **attributes: Any,
) -> list[Dataset]:
    """`count` slices in order of position; Instance Number follows. `step` in mm replaces spacing along the normal."""
    normal = np.cross(orientation[:3], orientation[3:])
    direction = np.array(step) if step is not None else normal * spacing
    slices = []
    for index in range(count):
        position = normal * start + direction * index
        values = {"ImagePositionPatient": [round(float(p), 6) for p in position], **attributes}
        slices.append(image(instance=index + 1, ImageOrientationPatient=list(orientation), **values))
    return slices


def item(**attributes: Any) -> Dataset:
    """One item of a sequence."""
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def enhanced(
    positions: Iterable[Sequence[float]],
    pixels: np.ndarray | None = None,
    *,
    orientation: Sequence[float] = AXIAL,
    groups: Sequence[dict[str, Dataset]] | None = None,
    shared: dict[str, Dataset] | None = None,
    **attributes: Any,
) -> Dataset:
    """An enhanced multi-frame object: per-frame positions, shared orientation and spacing.

    `groups` adds functional groups frame by frame, `shared` for all frames: keyword of the macro -> its item.
    """
    places = list(positions)
    if pixels is None:
        pixels = np.arange(len(places) * 16, dtype=np.uint16).reshape(len(places), 4, 4)
    dataset = image(pixels, NumberOfFrames=len(places), **attributes)
    del dataset.ImagePositionPatient, dataset.ImageOrientationPatient, dataset.PixelSpacing
    common = item(
        PlaneOrientationSequence=Items([item(ImageOrientationPatient=list(orientation))]),
        PixelMeasuresSequence=Items([item(PixelSpacing=[0.5, 0.5], SliceThickness=2)]),
    )
    for keyword, macro in (shared or {}).items():
        setattr(common, keyword, Items([macro]))
    dataset.SharedFunctionalGroupsSequence = Items([common])
    frames = []
    for index, place in enumerate(places):
        frame = item(PlanePositionSequence=Items([item(ImagePositionPatient=list(place))]))
        for keyword, macro in (groups[index] if groups else {}).items():
            setattr(frame, keyword, Items([macro]))
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = Items(frames)
    return dataset


def encapsulated(dataset: Dataset, frames: Sequence[bytes], **options: Any) -> Dataset:
    """The same data set with compressed frames in fragments; write it with the transfer syntax of the frames."""
    dataset.PixelData = encapsulate(list(frames), **options)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return dataset


def to_bytes(
    dataset: Dataset,
    transfer_syntax: str = ExplicitVRLittleEndian,
    *,
    meta: bool = True,
    media_storage_uid: str | None = None,
) -> bytes:
    """The file: preamble, file meta information and data set; only the data set without `meta`.

    Media Storage SOP Instance UID is that of the data set unless it is given, and absent where there is neither.
    """
    syntax = str(transfer_syntax)
    body = io.BytesIO()
    is_little = syntax != ExplicitVRBigEndian
    written = dataset if is_little else _swapped(dataset)
    # Values of `with_bytes` are written as they are only where nothing seems to have changed since they were read.
    if any(isinstance(element, RawDataElement) for element in written._dict.values()):
        written.set_original_encoding(syntax == ImplicitVRLittleEndian, is_little, written._character_set)
    dcmwrite(
        body,
        written,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=is_little,
        force_encoding=True,
    )
    data = body.getvalue()
    if syntax == DeflatedExplicitVRLittleEndian:
        deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data = deflater.compress(data) + deflater.flush()
        data += b"\0" * (len(data) % 2)
    return (_meta(dataset, syntax, media_storage_uid) if meta else b"") + data


def _swapped(dataset: Dataset) -> Dataset:
    """The data set with pixel words in big endian; pydicom writes them as they are."""
    swapped = copy.deepcopy(dataset)
    if "PixelData" in swapped and swapped.BitsAllocated > 8:
        words = np.frombuffer(swapped.PixelData, f"u{swapped.BitsAllocated // 8}")
        swapped.PixelData = words.byteswap().tobytes()
    return swapped


def _meta(dataset: Dataset, syntax: str, media_storage_uid: str | None) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", CTImageStorage)
    instance_uid = media_storage_uid or dataset.get("SOPInstanceUID")
    if instance_uid:
        meta.MediaStorageSOPInstanceUID = instance_uid
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = uid("imageserver tests")
    file = io.BytesIO(b"\0" * 128 + b"DICM")
    file.seek(0, io.SEEK_END)
    write_file_meta_info(file, meta, enforce_standard=bool(instance_uid))
    return file.getvalue()


def with_bytes(dataset: Dataset, keyword: str, value: bytes, vr: str | None = None) -> Dataset:
    """The data set with a value of exactly these bytes, which are padded to an even length by a blank.

    `vr` is written in place of that of the dictionary.
    """
    tag = Tag(keyword)
    padded = value + b" " * (len(value) % 2)
    dataset._dict[tag] = RawDataElement(tag, vr or dictionary_VR(tag), len(padded), padded, 0, False, True)
    return dataset


def stream(dataset: Dataset, transfer_syntax: str = ExplicitVRLittleEndian) -> io.BytesIO:
    """The file as an open stream."""
    return io.BytesIO(to_bytes(dataset, transfer_syntax))


def raw_elements(dataset: Dataset) -> list[RawDataElement]:
    """The elements as a file in explicit VR little endian holds them, in order."""
    written = dcmread(io.BytesIO(to_bytes(dataset)))
    return [element for tag in sorted(written.keys()) if (element := written.get_item(tag)) is not None]


def write_elements(
    elements: Iterable[RawDataElement], *, is_implicit: bool = False, has_group_lengths: bool = False
) -> bytes:
    """A data set of these elements in little endian, with group lengths (gggg,0000) as ACR-NEMA has them."""
    groups: dict[int, bytes] = {}
    for element in elements:
        data = _write_element(element.tag, element.VR or "UN", element.value or b"", is_implicit)
        groups[element.tag.group] = groups.get(element.tag.group, b"") + data
    if has_group_lengths:
        lengths = {group: struct.pack("<L", len(data)) for group, data in groups.items()}
        groups = {g: _write_element(Tag(g, 0), "UL", lengths[g], is_implicit) + groups[g] for g in groups}
    return b"".join(groups.values())


def _write_element(tag: BaseTag, vr: str, value: bytes, is_implicit: bool) -> bytes:
    head = struct.pack("<HH", tag.group, tag.element)
    if is_implicit:
        return head + struct.pack("<L", len(value)) + value
    if vr in ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"):
        return head + vr.encode() + struct.pack("<HL", 0, len(value)) + value
    return head + vr.encode() + struct.pack("<H", len(value)) + value


def acr_nema(pixels: np.ndarray | None = None, *, version: str = "2.0", **attributes: Any) -> bytes:
    """A file of ACR-NEMA 300-1985 (1.0) or 300-1988 (2.0): implicit VR, group lengths, no UIDs, retired attributes.

    12 bits are stored of 16, as the scanners of the time did.
    """
    if pixels is None:
        pixels = np.arange(64, dtype=np.uint16).reshape(8, 8)
    dataset = image(pixels, **attributes)
    for keyword in (
        "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID",
        "ImagePositionPatient", "ImageOrientationPatient", "SamplesPerPixel", "PhotometricInterpretation",
    ):  # fmt: skip
        if keyword in dataset and keyword not in attributes:
            delattr(dataset, keyword)
    dataset.StudyDate = "1988.01.02"  # the form of ACR-NEMA (PS3.5 6.2, DA)
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.add_new(0x00080010, "SH", f"ACR-NEMA {version}")  # Recognition Code
    dataset.add_new(0x00280005, "US", 2)  # Image Dimensions
    dataset.add_new(0x00280040, "CS", "RECT")  # Image Format
    dataset.add_new(0x00280200, "US", 0x7FE0)  # Image Location
    dataset.add_new(0x00200050, "DS", "12.5")  # Location
    return write_elements(raw_elements(dataset), is_implicit=True, has_group_lengths=True)
