"""A volume like those of a CT scanner: 512 x 512, 16 bit, noise, and a header of about a hundred elements.

``python -m benchmarks.synthetic FOLDER COUNT`` writes one, always with the same UIDs, and prints them.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

AGE_SECONDS = 3600  # files that changed a moment ago are waited for; that is not what is measured here
DIAMETER = 512


def write_volume(folder: Path, count: int, name: str) -> list[Path]:
    """Write a series of `count` slices; equal names give equal UIDs."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(7)
    y, x = np.mgrid[-1:1:512j, -1:1:512j]
    body = np.where(x**2 + (y * 1.2) ** 2 < 0.7, 1064, 24).astype(np.int16)
    paths = []
    for index in range(count):
        dataset = ct_header(name, index, count)
        noise = random.normal(0, 20, (DIAMETER, DIAMETER)).astype(np.int16)
        dataset.PixelData = (body + noise).tobytes()
        dataset["PixelData"].VR = "OW"
        paths.append(save_slice(dataset, folder, index))
    return paths


def save_slice(dataset: Dataset, folder: Path, index: int) -> Path:
    """Write one slice of a series, as a file that has not changed for a while, and return where it is."""
    path = folder / f"IM{index:05}"
    dataset.save_as(path, enforce_file_format=True)
    moment = time.time() - AGE_SECONDS
    os.utime(path, (moment, moment))
    return path


def _uid(*parts: object) -> str:
    return generate_uid(entropy_srcs=["benchmarks", *map(str, parts)])


def ct_header(name: str, index: int, count: int) -> Dataset:
    """The header of one slice of the volume, without its pixel data."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = _uid(name, index)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = _uid(name, "study"), _uid(name, "series")
    dataset.FrameOfReferenceUID = _uid(name, "frame of reference")
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.Modality, dataset.PatientName, dataset.PatientID = "CT", "Bench^Mark", "BENCH"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    for keyword, value in _ATTRIBUTES.items():
        setattr(dataset, keyword, value)
    dataset.SeriesDescription = f"Benchmark series {name}"
    dataset.InstanceNumber = count - index
    dataset.ImagePositionPatient = [-250.0, -250.0, round(index * 1.25, 3)]
    dataset.SliceLocation = round(index * 1.25, 3)
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [0.976562, 0.976562]
    dataset.Rows = dataset.Columns = DIAMETER
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 1
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
    dataset.WindowCenter, dataset.WindowWidth = [40, 300], [400, 1500]
    block = dataset.private_block(0x0043, "BENCHMARK HEADER", create=True)
    for offset in range(30):
        block.add_new(offset, "LO", f"private value number {offset}")
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CTImageStorage, _uid(name, "referenced")
    dataset.ReferencedImageSequence = [item, item]
    return dataset


_ATTRIBUTES = {
    "InstanceCreationDate": "20260105", "InstanceCreationTime": "101112.000000", "StudyDate": "20260105",
    "SeriesDate": "20260105", "AcquisitionDate": "20260105", "ContentDate": "20260105", "StudyTime": "101112",
    "SeriesTime": "101112", "AcquisitionTime": "101112.5", "ContentTime": "101112.7", "AccessionNumber": "A1",
    "Manufacturer": "Imageserver", "InstitutionName": "Benchmark", "ReferringPhysicianName": "Ref^Erring",
    "StationName": "BENCH1", "StudyDescription": "Benchmark study", "SeriesDescription": "Benchmark series",
    "OperatorsName": "Oper^Ator", "ManufacturerModelName": "Synthetic", "PatientBirthDate": "19700101",
    "PatientSex": "O", "PatientAge": "056Y", "PatientWeight": "70", "BodyPartExamined": "CHEST",
    "ScanOptions": "HELICAL MODE", "SliceThickness": "1.25", "KVP": "120", "DataCollectionDiameter": "500",
    "SoftwareVersions": "1.0", "ProtocolName": "Benchmark", "ReconstructionDiameter": "500",
    "DistanceSourceToDetector": "949.075", "DistanceSourceToPatient": "541", "GantryDetectorTilt": "0",
    "TableHeight": "150", "RotationDirection": "CW", "ExposureTime": "500", "XRayTubeCurrent": "300",
    "Exposure": "15", "FilterType": "BODY FILTER", "GeneratorPower": "36000", "FocalSpots": ["0.7"],
    "ConvolutionKernel": "STANDARD", "PatientPosition": "FFS", "StudyID": "1", "SeriesNumber": "2",
    "AcquisitionNumber": "1", "PositionReferenceIndicator": "XY", "RescaleType": "HU", "SpacingBetweenSlices": "1.25",
    "ImageComments": "made up", "RequestedProcedureDescription": "none", "PerformedProcedureStepID": "P1",
    "PerformedProcedureStepStartDate": "20260105", "PerformedProcedureStepStartTime": "101000",
}  # fmt: skip


def main(folder: Path, count: int) -> None:
    """Write the volume, and print its UIDs as JSON."""
    write_volume(folder, count, "viewer")
    print(json.dumps({"study": _uid("viewer", "study"), "series": _uid("viewer", "series")}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
