"""T28: values as long as the limits allow, where a few characters belong: no minutes, no copies in every row."""

import io
import random
import string
import struct
import time
from pathlib import Path

import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.uid import ImplicitVRLittleEndian

from fuzz.served import serve
from imageserver.archive.patients import read_patient
from imageserver.dicom.attributes import ATTRIBUTES, Level, read_attributes
from imageserver.dicom.frames import describe_frames
from imageserver.dicom.reading import Header, read_header
from tests.builders import image, to_bytes

LENGTH = 1_000_000
FILLERS = {
    "escapes": b"\x1b$B;3\x1b(B^",
    "delimiters": b"^=\\ ",
    "high bytes": b"\xe9\x1b^\xe3",
    "numbers": b"1\\2\\",
    "digits": b"9876",
}


KEYWORDS = {
    *(
        attribute.keyword
        for attribute in ATTRIBUTES
        if attribute.vr != "US" and attribute.keyword != "NumberOfFrames"
    ),
    *("PatientName", "ImageType", "ConvolutionKernel", "PatientOrientation", "AcquisitionTime", "EchoTime"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "WindowCenter", "RescaleSlope"),
    *("GridFrameOffsetVector", "SpacingBetweenSlices", "SpecificCharacterSet"),
} - {"PhotometricInterpretation"}


def with_long_values(filler: bytes) -> Header:
    """A file in implicit VR, in which each of these attributes is a megabyte long."""
    value = (filler * (LENGTH // len(filler) + 1))[:LENGTH]
    tags = sorted(tag for keyword in KEYWORDS if (tag := tag_for_keyword(keyword)) is not None)
    long = b"".join(struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(value)) + value for tag in tags)
    data = to_bytes(image(), ImplicitVRLittleEndian)
    at = data.index(b"\xe0\x7f\x10\x00")
    return read_header(io.BytesIO(data[:at] + long + data[at:]))


@pytest.mark.parametrize("filler", FILLERS)
def test_the_index_keeps_little_of_them_and_soon(filler: str) -> None:
    start = time.process_time()
    header = with_long_values(FILLERS[filler])
    rows = [read_attributes(header.dataset, level) for level in Level]
    rows.append(read_patient(header))
    frames = [frame.as_dict() for frame in describe_frames(header)]
    assert time.process_time() - start < 5
    assert max(len(repr(value)) for row in rows for value in row.values()) < 200_000
    assert len(repr(frames)) < 5_000


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom does not like what it is to write
def test_long_texts_that_cannot_be_compressed_fit_into_every_row_and_key(tmp_path: Path) -> None:
    """An entry of an index of PostgreSQL has room for 2,704 bytes."""
    chance = random.Random(3)

    def text(length: int = 16_000) -> str:
        return "".join(chance.choice(string.ascii_letters + string.digits + " ") for _ in range(length))

    dataset = image(series="long", StudyDate="20260101")
    for keyword in (
        "PatientName",
        "PatientID",
        "SeriesDescription",
        "StudyDescription",
        "AccessionNumber",
        "StudyTime",
        "Modality",
        "StudyID",
        "SeriesNumber",
        "SOPClassUID",
        "PatientSex",
        "PatientBirthDate",
    ):
        dataset.add_new(keyword, "LO", text())
    with serve(tmp_path) as served:
        served.write("long", to_bytes(dataset))
        served.write("good", to_bytes(image(series="good")))
        served.look()
        assert served.get("/volumes").json()["total"] == 2
        found = served.ask_everything()
        assert found["200 /volumes"] == found["200 /patient"] == 2
