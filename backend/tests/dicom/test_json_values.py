"""Forms of values in the DICOM JSON model (PS3.18 F.2)."""

import base64
import struct

import pytest
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from imageserver.dicom.json_values import inline_binary
from tests.builders import image, item, uid
from tests.header_json import element, json_of, json_of_elements


class TestValues:
    def test_one_of_each_kind(self) -> None:
        """Forms of PS3.18 table F.2.3-1."""
        dataset = image(
            instance=1,
            AcquisitionDateTime="20260102030405",
            PatientAge="042Y",
            RetrieveAETitle=["ONE", "TWO"],
            SliceThickness="1.50",
            InstanceNumber=7,
            FrameIncrementPointer=0x00181063,
            EventElapsedTimes=None,
            ImageComments="  two leading blanks count, trailing ones do not  ",
            LossyImageCompressionRatio=["1", "2.25"],
            TagThickness=0.5,
            ReferencePixelX0=-3,
            SimpleFrameList=[1, 4_000_000_000],
            SelectorUVValue=[5, 2**63],
            SelectorSVValue=-(2**60),
        )
        found = json_of(dataset).dataset
        assert found["00080018"] == {"vr": "UI", "Value": [uid("series", 1)]}
        assert found["0008002A"] == {"vr": "DT", "Value": ["20260102030405"]}
        assert found["00101010"] == {"vr": "AS", "Value": ["042Y"]}
        assert found["00080054"] == {"vr": "AE", "Value": ["ONE", "TWO"]}
        assert found["00180050"] == {"vr": "DS", "Value": [1.5]}
        assert found["00200013"] == {"vr": "IS", "Value": [7]}
        assert found["00280009"] == {"vr": "AT", "Value": ["00181063"]}
        assert found["00204000"]["Value"] == ["  two leading blanks count, trailing ones do not"]
        assert found["00282112"]["Value"] == [1, 2.25]
        assert found["00189035"] == {"vr": "FD", "Value": [0.5]}
        assert found["00186020"] == {"vr": "SL", "Value": [-3]}
        assert found["00081161"] == {"vr": "UL", "Value": [1, 4_000_000_000]}
        # Numbers that a double would change are strings (note under the table).
        assert found["00720083"] == {"vr": "UV", "Value": [5, str(2**63)]}
        assert found["00720082"] == {"vr": "SV", "Value": [str(-(2**60))]}

    def test_attributes_stand_in_ascending_order_without_group_lengths(self) -> None:
        """PS3.18 F.2.2; group 0002 belongs to the file, not to the data set (PS3.10 7.1)."""
        found = json_of_elements(element(0x00100000, b"UL", bytes(4)), element(0x00100020, b"LO", b"ID"))
        assert list(found.dataset) == ["00080018", "00100020"]

    def test_a_person_name_has_its_groups(self) -> None:
        """Example of PS3.18 F.2.2: the groups that are empty are left out."""
        name = "Yamada^Tarou=山田^太郎=やまだ^たろう"
        dataset = image(
            SpecificCharacterSet="ISO_IR 192", PatientName=name, OtherPatientNames=["Doe^J", "=山"]
        )
        found = json_of(dataset).dataset
        assert found["00100010"]["Value"] == [
            {"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}
        ]
        assert found["00101001"]["Value"] == [{"Alphabetic": "Doe^J"}, {"Ideographic": "山"}]

    def test_empty_values(self) -> None:
        """PS3.18 F.2.5: an empty attribute has no Value, an empty value among others is null."""
        dataset = image(PatientID="", ImageType=["ORIGINAL", "", "AXIAL"], PatientName="")
        found = json_of(dataset).dataset
        assert found["00100020"] == {"vr": "LO"}
        assert found["00100010"] == {"vr": "PN"}
        assert found["00080008"]["Value"] == ["ORIGINAL", None, "AXIAL"]

    @pytest.mark.parametrize(
        ("written", "value"),
        [
            (b"0.1", 0.1),
            (b"+5", 5),
            (b"1e3 ", 1000.0),
            (b"123456789012345.", 123456789012345.0),
            (b"0.12345678901234567890", "0.12345678901234567890"),  # a double would lose digits
            (b"9007199254740993", "9007199254740993"),
            (b"1e999", "1e999"),
            (b"1,5 ", 1.5),
        ],
    )
    def test_decimal_strings(self, written: bytes, value: float | str) -> None:
        padded = written + b" " * (len(written) % 2)
        assert json_of_elements(element(0x00180050, b"DS", padded)).dataset["00180050"]["Value"] == [value]

    def test_text_follows_its_character_set_also_in_items(self) -> None:
        latin, greek = "Ä".encode("latin-1"), "Ω".encode("iso8859_7")
        inner = element(0x00080005, b"CS", b"ISO_IR 126") + element(0x00080104, b"LO", greek + b" ")
        inherited = element(0x00080104, b"LO", latin + b" ")
        items = b"".join(
            struct.pack("<HHL", 0xFFFE, 0xE000, len(content)) + content for content in (inner, inherited)
        )
        found = json_of_elements(
            element(0x00080005, b"CS", b"ISO_IR 100"), element(0x00081110, b"SQ", items)
        ).dataset
        texts = [entry["00080104"]["Value"] for entry in found["00081110"]["Value"]]
        assert texts == [["Ω"], ["Ä"]]

    def test_a_backslash_in_a_text_that_has_one_value(self) -> None:
        assert json_of(image(ImageComments="C:\\scans")).dataset["00204000"]["Value"] == ["C:\\scans"]

    @pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
    def test_the_encoding_of_the_file_does_not_show(self, syntax: str) -> None:
        dataset = image(
            SmallestImagePixelValue=3,
            TagThickness=2.5,
            FrameIncrementPointer=[0x00181063, 0x00181065],
            RedPaletteColorLookupTableData=struct.pack("<4H", 1, 2, 3, 4),
            ReferencedImageSequence=Items([item(ReferencedSOPInstanceUID="1.2")]),
        )
        expected = json_of(dataset).dataset
        assert expected["00280106"] == {"vr": "US", "Value": [3]}
        assert (
            expected["00281201"]["InlineBinary"] == base64.b64encode(struct.pack("<4H", 1, 2, 3, 4)).decode()
        )
        found = json_of(dataset, syntax).dataset
        if syntax == ExplicitVRBigEndian:
            found["00281201"]["InlineBinary"] = expected["00281201"]["InlineBinary"]  # written as bytes there
        assert found == expected

    def test_binary_words_of_big_endian_are_turned(self) -> None:
        """PS3.18 F.2.7: inline binary is little endian."""
        assert (
            base64.b64decode(inline_binary(b"\x00\x01\x00\x02", "OW", is_little_endian=False))
            == b"\x01\x00\x02\x00"
        )
        assert base64.b64decode(inline_binary(b"\x00\x01", "OB", is_little_endian=False)) == b"\x00\x01"
