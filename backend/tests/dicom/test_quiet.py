"""pydicom quotes values in its warnings and log lines; neither reaches the log of the server."""

import subprocess
import sys

PROGRAM = """
import logging
import imageserver.dicom
logging.basicConfig()
from pydicom import Dataset
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.tag import Tag
dataset = Dataset({Tag(0x00080005): RawDataElement(Tag(0x00080005), "CS", 16, b"ISO 2022 CANARY ", 0, False, True)})
dataset.decode()
[str(element) for element in dataset]
"""


def run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr


def test_no_value_of_a_file_is_quoted() -> None:
    assert "CANARY" in run(PROGRAM.replace("import imageserver.dicom", ""))  # or this test would say nothing
    assert run(PROGRAM) == ""
