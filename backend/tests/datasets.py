"""Data sets as they come back from a file."""

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from imageserver.dicom.reading import read_header
from tests import builders

SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]


def dataset_with(syntax: str = ExplicitVRLittleEndian, **attributes: object) -> Dataset:
    """Return the header of a file with these attributes, its values unconverted."""
    return read_header(builders.stream(builders.item(Modality="OT", **attributes), syntax)).dataset
