"""The slices as CT Image Storage instances (PS3.3 A.3), losslessly compressed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGLSLossless

from .scanner import Scan

RESCALE_INTERCEPT = -1024
SHUFFLE_SEED = 20260105
# The three component groups of a person name: alphabetic, ideographic, phonetic (PS3.5 6.2.1.1).
PATIENT_NAME = "Phantom^Aida^Minerva^Dr.^PhD=幻^愛陀=まぼろし^あいだ"
STUDY_DATE, STUDY_TIME = "20260105", "091500"


def fixed_uid(name: str) -> str:
    """A UID below 2.25 (PS3.5 B.2) that depends on `name` alone."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, 'medical-image-server/sample/' + name).int}"


@dataclass(frozen=True)
class Place:
    """Where a slice stands in the series: file name and instance number say different things on purpose."""

    file_name: str
    instance_number: int


def places(slice_count: int) -> list[Place]:
    """Name and number of each slice, from the feet to the head.

    File numbers are shuffled and not padded with zeros, so neither kind of sorting by name gives the order in
    space. Instance numbers run from the head down, as scanners often count: sorting by them turns the volume
    over and, the count being even, picks another middle slice.
    """
    shuffled = np.random.Generator(np.random.PCG64(SHUFFLE_SEED)).permutation(slice_count)
    return [
        Place(f"image-{number + 1}.dcm", slice_count - index)
        for index, number in enumerate(shuffled.tolist())
    ]


def make_instance(scan: Scan, index: int, hounsfield: np.ndarray) -> FileDataset:
    """Build the instance of slice `index`; `hounsfield` is int16 of shape (rows, columns)."""
    instance = FileDataset("", {}, file_meta=_file_meta(index), preamble=b"\0" * 128)
    for add in (_add_patient_and_study, _add_series):
        add(instance)
    _add_image(instance, scan, index)
    _add_pixels(instance, hounsfield)
    return instance


def write_instance(instance: FileDataset, path: Path) -> None:
    """Write `instance` as a DICOM file (PS3.10)."""
    instance.save_as(path, enforce_file_format=True)


def _file_meta(index: int) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = fixed_uid(f"instance/{index}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian  # until it is compressed
    meta.ImplementationClassUID = fixed_uid("implementation")
    meta.ImplementationVersionName = "IMAGESERVER"
    return meta


def _add_patient_and_study(instance: Dataset) -> None:
    instance.SpecificCharacterSet = "ISO_IR 192"
    instance.PatientName = PATIENT_NAME
    instance.PatientID = "SAMPLE-0001"
    instance.PatientBirthDate = "19650718"
    instance.PatientSex = "F"
    instance.PatientAge = "060Y"
    instance.PatientComments = "A mathematical phantom, not a person"
    instance.StudyInstanceUID = fixed_uid("study")
    instance.StudyDate, instance.StudyTime = STUDY_DATE, STUDY_TIME
    instance.StudyID = "1"
    instance.AccessionNumber = ""
    instance.ReferringPhysicianName = ""
    instance.StudyDescription = "Synthetic head CT"


def _add_series(instance: Dataset) -> None:
    instance.Modality = "CT"
    instance.SeriesInstanceUID = fixed_uid("series")
    instance.SeriesNumber = 2
    instance.SeriesDate, instance.SeriesTime = STUDY_DATE, STUDY_TIME
    instance.SeriesDescription = "Head axial 2.5 mm (synthetic)"
    instance.BodyPartExamined = "HEAD"
    instance.PatientPosition = "HFS"
    instance.FrameOfReferenceUID = fixed_uid("frame-of-reference")
    instance.PositionReferenceIndicator = ""
    instance.Manufacturer = "Medical Image Server"
    instance.ManufacturerModelName = "Synthetic head"
    instance.SoftwareVersions = "1"


def _add_image(instance: Dataset, scan: Scan, index: int) -> None:
    position = scan.slice_position(index)
    instance.SOPClassUID = CTImageStorage
    instance.SOPInstanceUID = fixed_uid(f"instance/{index}")
    instance.InstanceNumber = places(scan.slice_count)[index].instance_number
    instance.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]  # no scanner measured it: never ORIGINAL\PRIMARY
    instance.DerivationDescription = "Computed from a model of anatomy; no patient was examined"
    instance.QualityControlImage = "YES"  # a phantom
    instance.BurnedInAnnotation = "NO"
    instance.LossyImageCompression = "00"
    instance.AcquisitionDate, instance.AcquisitionTime = STUDY_DATE, STUDY_TIME
    instance.ContentDate, instance.ContentTime = STUDY_DATE, STUDY_TIME
    instance.AcquisitionNumber = 1
    instance.KVP = None  # type 2: there was no tube
    instance.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    instance.ImagePositionPatient = [*scan.first_pixel, position]
    instance.PixelSpacing = [scan.pixel_spacing, scan.pixel_spacing]
    instance.SliceThickness = scan.slice_thickness
    instance.SliceLocation = position


def _add_pixels(instance: FileDataset, hounsfield: np.ndarray) -> None:
    stored_values = (hounsfield.astype(np.int32) - RESCALE_INTERCEPT).astype(np.uint16)
    instance.SamplesPerPixel = 1
    instance.PhotometricInterpretation = "MONOCHROME2"
    instance.Rows, instance.Columns = hounsfield.shape
    instance.BitsAllocated, instance.BitsStored, instance.HighBit = 16, 12, 11
    instance.PixelRepresentation = 0
    instance.RescaleIntercept, instance.RescaleSlope, instance.RescaleType = RESCALE_INTERCEPT, 1, "HU"
    instance.WindowCenter, instance.WindowWidth = [40, 480], [80, 2500]
    instance.WindowCenterWidthExplanation = ["BRAIN", "BONE"]
    instance.PixelData = stored_values.tobytes()
    # JPEG-LS: about as small as JPEG 2000, decoded four times as fast, known to nearly every reader.
    instance.compress(JPEGLSLossless, encoding_plugin="pyjpegls", generate_instance_uid=False)
