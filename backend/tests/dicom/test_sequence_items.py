import io
import struct

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from imageserver.dicom.number_values import integer
from imageserver.dicom.reading import read_header
from imageserver.dicom.sequence_items import first_item, items
from imageserver.dicom.text_values import text
from tests import builders
from tests.builders import item
from tests.datasets import SYNTAXES, dataset_with


class TestItems:
    @pytest.mark.parametrize("syntax", SYNTAXES)
    def test_of_a_sequence(self, syntax: str) -> None:
        dataset = dataset_with(
            syntax, ReferencedStudySequence=Items([item(InstanceNumber=1), item(InstanceNumber=2)])
        )
        assert [integer(i, "InstanceNumber") for i in items(dataset, "ReferencedStudySequence")] == [1, 2]
        assert first_item(Dataset(), "ReferencedStudySequence") is None

    def test_something_else_under_its_tag(self) -> None:
        dataset = Dataset()
        dataset.add_new("Modality", "CS", "OT")
        dataset.add_new("ReferencedStudySequence", "LO", "no sequence")
        assert items(read_header(builders.stream(dataset)).dataset, "ReferencedStudySequence") == []

    def test_a_sequence_that_pydicom_cannot_read_never_raises(self) -> None:
        # Found by flipping bits: a VR that pydicom does not know, with the long length of a VR of tomorrow, makes it
        # lose its place among the items.
        nested = struct.pack("<HH2sHL", 0x0008, 0x1150, b"ZZ", 0, 6) + b"1.2.3\0"
        open_item = (
            struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF) + nested + struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
        )
        value = open_item + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
        sequence = struct.pack("<HH2sHL", 0x0008, 0x1110, b"SQ", 0, 0xFFFFFFFF) + value
        header = read_header(io.BytesIO(builders.to_bytes(item(Modality="OT")) + sequence))
        for found in items(header.dataset, "ReferencedStudySequence"):
            assert text(found, "InstanceNumber") is None
