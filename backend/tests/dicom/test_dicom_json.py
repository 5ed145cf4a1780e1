"""The DICOM JSON model (PS3.18 F): its forms come from the standard, and pydicom's JSON is a second opinion."""

import base64
import io
import json
import os
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.data import get_testdata_files
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from imageserver.dicom.dicom_json import INLINE_BYTES, DicomJson, header_json
from imageserver.dicom.reading import FileRefused, read_header
from tests.builders import encapsulated, image, item, stream, to_bytes, uid


def json_of(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> DicomJson:
    return header_json(read_header(stream(dataset, syntax), with_private=True))


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    """One element in explicit VR little endian."""
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    if vr in (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN", b"SQ", b"UT", b"UC", b"UR", b"SV", b"UV"):
        return head + struct.pack("<HL", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def json_of_elements(*elements: bytes) -> DicomJson:
    """JSON of a file with a SOP Instance UID and these elements."""
    body = element(0x00080018, b"UI", b"1.2.3\0") + b"".join(elements)
    return header_json(read_header(io.BytesIO(bytes(128) + b"DICM" + META + body), with_private=True))


META = element(0x00020010, b"UI", b"1.2.840.10008.1.2.1\0")


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
        from imageserver.dicom.dicom_json import _inline

        assert (
            base64.b64decode(_inline(b"\x00\x01\x00\x02", "OW", is_little_endian=False))
            == b"\x01\x00\x02\x00"
        )
        assert base64.b64decode(_inline(b"\x00\x01", "OB", is_little_endian=False)) == b"\x00\x01"

    @pytest.mark.parametrize(("pixel_representation", "value"), [(0, 65000), (1, -536)])
    def test_us_or_ss_follows_the_pixel_representation(self, pixel_representation: int, value: int) -> None:
        kind = np.int16 if pixel_representation else np.uint16
        dataset = image(np.zeros((4, 4), kind))
        dataset.add_new(0x00280106, "SS" if pixel_representation else "US", value)
        vr = "SS" if pixel_representation else "US"
        assert json_of(dataset, ImplicitVRLittleEndian).dataset["00280106"] == {"vr": vr, "Value": [value]}


class TestBinary:
    def test_short_values_are_inline_and_long_ones_referred_to(self) -> None:
        dataset = image(ICCProfile=bytes(range(256)) * (INLINE_BYTES // 256), EncapsulatedDocument=None)
        assert base64.b64decode(json_of(dataset).dataset["00282000"]["InlineBinary"]) == dataset.ICCProfile
        dataset.ICCProfile += b"\0\0"
        assert json_of(dataset).dataset["00282000"] == {"vr": "OB", "BulkDataURI": "bulkdata/00282000"}

    def test_inside_sequences_the_reference_names_the_item(self) -> None:
        icons = [item(ICCProfile=bytes(8)), item(ICCProfile=bytes(INLINE_BYTES + 2))]
        found = json_of(image(IconImageSequence=Items(icons))).dataset["00880200"]["Value"]
        assert found[0]["00282000"] == {"vr": "OB", "InlineBinary": base64.b64encode(bytes(8)).decode()}
        assert found[1]["00282000"]["BulkDataURI"] == "bulkdata/00880200/2/00282000"

    def test_pixel_data_are_referred_to(self) -> None:
        assert json_of(image()).dataset["7FE00010"] == {"vr": "OW", "BulkDataURI": "bulkdata/7FE00010"}
        dataset = image(PixelData=None, FloatPixelData=np.zeros(64, np.float32).tobytes(), BitsAllocated=32)
        assert json_of(dataset).dataset["7FE00008"] == {"vr": "OF", "BulkDataURI": "bulkdata/7FE00008"}

    def test_encapsulated_pixel_data_are_bytes(self) -> None:
        dataset = encapsulated(image(np.zeros((8, 8), np.uint8)), [b"\xff\xd8\xff\xd9"])
        header = read_header(stream(dataset, "1.2.840.10008.1.2.4.50"))
        assert header_json(header).dataset["7FE00010"]["vr"] == "OB"

    def test_floats_that_json_has_no_number_for_are_referred_to(self) -> None:
        value = struct.pack("<dd", 1.0, float("nan"))
        found = json_of_elements(element(0x00189035, b"FD", value))
        assert found.dataset["00189035"] == {"vr": "FD", "BulkDataURI": "bulkdata/00189035"}
        assert [finding.code for finding in found.findings] == ["not_finite"]


class TestPrivateElements:
    def private(self, value: bytes, vr: str = "OB") -> Dataset:
        dataset = image()
        block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x10, vr, value)
        return dataset

    def test_they_stand_with_their_creator(self) -> None:
        found = json_of(self.private(b"\x01\x02")).dataset
        assert found["00290010"] == {"vr": "LO", "Value": ["SIEMENS CSA HEADER"]}
        assert found["00291010"] == {"vr": "OB", "InlineBinary": "AQI="}

    def test_in_implicit_vr_the_creator_tells_the_vr(self) -> None:
        """(0029,xx10) of SIEMENS CSA HEADER is OB in the dictionary of private elements that comes with pydicom."""
        found = json_of(self.private(b"\x01\x02"), ImplicitVRLittleEndian).dataset
        assert found["00290010"] == {"vr": "LO", "Value": ["SIEMENS CSA HEADER"]}
        assert found["00291010"] == {"vr": "OB", "InlineBinary": "AQI="}

    def test_of_an_unknown_creator_they_are_bytes(self) -> None:
        dataset = image()
        dataset.private_block(0x0029, "NOBODY KNOWS", create=True).add_new(0x10, "OB", b"\x01\x02")
        assert json_of(dataset, ImplicitVRLittleEndian).dataset["00291010"]["vr"] == "UN"

    def test_long_ones_are_not_loaded_but_referred_to(self) -> None:
        found = json_of(self.private(bytes(1 << 20)))
        assert found.dataset["00291010"] == {"vr": "OB", "BulkDataURI": "bulkdata/00291010"}

    def test_without_being_asked_for_they_are_not_read(self) -> None:
        header = read_header(stream(self.private(b"\x01\x02")))
        assert "00291010" not in header_json(header).dataset


class TestMalformedValues:
    @pytest.mark.parametrize(
        ("tag", "vr", "value"),
        [
            (0x00180050, b"DS", b"abc "),
            (0x00200013, b"IS", b"1.5 "),
            (0x00189035, b"FD", bytes(7)),
            (0x00280009, b"AT", bytes(2)),
            (0x00280010, b"US", bytes(3)),
        ],
    )
    def test_they_are_left_out_and_named_and_the_others_stay(self, tag: int, vr: bytes, value: bytes) -> None:
        found = json_of_elements(element(tag, vr, value), element(0x00400275, b"SQ", b""))
        assert list(found.dataset) == ["00080018", "00400275"]
        (finding,) = found.findings
        assert finding.code == "unreadable_value"
        assert f"({tag >> 16:04X},{tag & 0xFFFF:04X})" in finding.message
        assert value.decode("latin-1").strip() not in finding.message or not value.strip(b"\0")

    def test_a_broken_sequence_is_left_out(self) -> None:
        found = json_of_elements(element(0x00081110, b"SQ", b"\xfe\xff\x00\xe0\xff\x00\x00\x00ab"))
        assert found.dataset["00080018"]["Value"] == ["1.2.3"]
        json.dumps(found.dataset)

    def test_an_unknown_vr_is_bytes(self) -> None:
        found = json_of_elements(struct.pack("<HH2sHL", 0x0018, 0x9999, b"ZZ", 0, 2) + b"ab")
        assert found.dataset["00189999"]["vr"] == "UN"

    def test_thousands_of_faults_make_a_short_list(self) -> None:
        dataset = b"".join(element(0x00181000 + 2 * n, b"DS", b"x ") for n in range(500))
        assert len(json_of_elements(dataset).findings) == 100

    def test_characters_that_are_in_no_set_are_replaced(self) -> None:
        found = json_of_elements(
            element(0x00080005, b"CS", b"ISO_IR 192"), element(0x00100020, b"LO", b"\xed\xa0\x80x")
        )
        json.dumps(found.dataset, ensure_ascii=False).encode()  # raises for a lone surrogate

    @given(
        st.binary(min_size=1, max_size=64),
        st.sampled_from(["DS", "IS", "PN", "LO", "UI", "AT", "FD", "UT", "UV"]),
    )
    def test_whatever_stands_in_a_value_the_json_can_be_written(self, value: bytes, vr: str) -> None:
        found = json_of_elements(element(0x00100020, vr.encode(), value + b" " * (len(value) % 2)))
        text = json.dumps(found.dataset, ensure_ascii=False, allow_nan=False)
        assert "00080018" in json.loads(text.encode())


def differences(
    ours: dict[str, Any], theirs: dict[str, Any], path: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """What two data sets in JSON say otherwise, beside what is explained here."""
    for key in sorted(ours.keys() | theirs.keys()):
        a, b = ours.get(key), theirs.get(key)
        if key.endswith("0000") and a is None:
            continue  # PS3.18 F.2.2: group lengths are left out
        if a is not None and b is not None and a["vr"] == b["vr"] == "SQ":
            pairs = zip(a.get("Value", []), b.get("Value", []), strict=True)
            for number, (one, other) in enumerate(pairs, 1):
                yield from differences(one, other, f"{path}{key}/{number}/")
        elif a != b and not is_explained(key, a, b):
            yield path + key, a, b


def is_explained(key: str, ours: Any, theirs: Any) -> bool:
    if ours is None or theirs is None or ours["vr"] != theirs["vr"]:
        return False
    if "BulkDataURI" in theirs or key == "7FE00010":
        return True  # pydicom's threshold counts the characters of base64, ours the bytes; pixels are never inline
    blank = [None if not part or not part.strip() else part.strip() for part in theirs.get("Value", [])]
    return bool(
        ours.get("Value") == blank
    )  # F.2.5: null for an empty value; blanks around codes do not count


def files_of_pydicom() -> list[Path]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sorted({Path(name) for name in get_testdata_files() if Path(name).is_file()})


def files_of_corpus() -> list[Path]:
    root = os.environ.get("DICOM_CORPUS_DIR")
    return sorted(path for path in Path(root).rglob("*") if path.is_file()) if root else []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("files", [files_of_pydicom, files_of_corpus])
def test_real_files_give_what_pydicom_gives(files: Any) -> None:
    """Where they differ, `differences` says by which rule of the standard."""
    compared, unequal = 0, []
    for path in files():
        try:
            ours = header_json(read_header(io.BytesIO(path.read_bytes()), with_private=True))
        except FileRefused:
            continue
        try:
            theirs = pydicom.dcmread(path, force=True).to_json_dict(INLINE_BYTES, lambda _: "bulk")
        except ValueError:
            assert ours.findings  # badVR.dcm: Number of Frames is "1A"
            continue
        compared += 1
        unequal += [(path.name, *found) for found in differences(ours.dataset, theirs)]
    assert unequal == []
    if not compared:
        pytest.skip("DICOM_CORPUS_DIR is not set")
    assert compared > 100


def test_a_file_read_in_one_piece_does_not_change(tmp_path: Path) -> None:
    content = to_bytes(image(ReferencedImageSequence=Items([item(ReferencedSOPInstanceUID="1.2")])))
    header = read_header(io.BytesIO(content), with_private=True)
    assert header_json(header) == header_json(header)
