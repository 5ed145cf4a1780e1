"""Addresses of the DICOMweb resources of a data set."""

from pydicom.dataset import Dataset


def study_of(dataset: Dataset) -> str:
    return f"/dicomweb/studies/{dataset.StudyInstanceUID}"


def series_of(dataset: Dataset) -> str:
    return f"{study_of(dataset)}/series/{dataset.SeriesInstanceUID}"


def instance_of(dataset: Dataset) -> str:
    return f"{series_of(dataset)}/instances/{dataset.SOPInstanceUID}"
