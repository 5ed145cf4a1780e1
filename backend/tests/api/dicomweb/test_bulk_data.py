"""Every BulkDataURI of the metadata resolves to the bytes of the file."""

from typing import Any
from urllib.parse import urljoin

import numpy as np
import pytest
from fastapi.testclient import TestClient
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.sequence import Sequence
from pydicom.uid import RLELossless

from tests.api.conftest import Index
from tests.api.multipart_answers import parts_of
from tests.builders import image, item, to_bytes, uid
from tests.folders import Folder

ADDRESS = f"/dicomweb/studies/{uid('study of', 'series')}/series/{uid('series')}"
TABLE = np.arange(4096, dtype=np.uint16)
BIG_ENDIAN = "1.2.840.10008.1.2.2"


def with_table() -> Dataset:
    """A VOI LUT of 4096 entries, which stands within a sequence and is too long for JSON."""
    voi = item(LUTDescriptor=[4096, 0, 16], LUTData=TABLE.tobytes())
    voi["LUTDescriptor"].VR, voi["LUTData"].VR = "US", "OW"
    return image(VOILUTSequence=Sequence([item(LUTDescriptor=[1, 0, 16], LUTData=b"\0\0"), voi]))


def fetch(client: TestClient, path: str, *tags: str | int) -> Any:
    """What the metadata at a path refer to, resolved against their address."""
    address = f"{path}/metadata"
    [element] = client.get(address).json()
    for tag in tags:
        element = element["Value"][tag] if isinstance(tag, int) else element[tag]
    return client.get(urljoin(address, element["BulkDataURI"]))


@pytest.mark.parametrize("path", [ADDRESS, f"{ADDRESS}/instances/{uid('series', 1)}"])
def test_within_a_sequence(signed_in: TestClient, folder: Folder, index: Index, path: str) -> None:
    folder.write("a", with_table())
    index()
    answer = fetch(signed_in, path, "00283010", 1, "00283006")
    assert (answer.status_code, answer.content) == (200, TABLE.tobytes())
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", BIG_ENDIAN]
)
def test_pixel_data_in_little_endian(
    signed_in: TestClient, folder: Folder, index: Index, syntax: str
) -> None:
    dataset = image()
    folder.write("a", to_bytes(dataset, syntax))
    index()
    assert fetch(signed_in, ADDRESS, "7FE00010").content == dataset.PixelData


def test_compressed_pixel_data_as_frames(signed_in: TestClient, folder: Folder, index: Index) -> None:
    pixels = np.arange(32, dtype=np.uint16).reshape(2, 4, 4)
    dataset = image(pixels, NumberOfFrames=2)
    dataset.file_meta = Dataset()
    dataset.compress(RLELossless, pixels, generate_instance_uid=False)
    folder.write("a", to_bytes(dataset, RLELossless))
    index()
    address = f"{ADDRESS}/instances/{dataset.SOPInstanceUID}/bulkdata/7FE00010"
    accept = {"Accept": 'multipart/related; type="application/octet-stream"; transfer-syntax=*'}
    parts = parts_of(signed_in.get(address, headers=accept))
    assert [part.content for part in parts] == list(generate_frames(dataset.PixelData, number_of_frames=2))


def test_a_long_private_value(signed_in: TestClient, folder: Folder, index: Index) -> None:
    dataset = image()
    value = bytes(range(256)) * 2048  # beyond what is kept of private values
    dataset.private_block(0x0043, "SOMEBODY", create=True).add_new(1, "OB", value)
    folder.write("a", dataset)
    index()
    assert fetch(signed_in, ADDRESS, "00431001").content == value


@pytest.mark.parametrize(
    "path",
    ["00100010/1/00100010", "00283010/3/00283006", "00283010/2/00283007", "99990010", "7FE00008", "00283010"],
)
def test_nothing_there(signed_in: TestClient, folder: Folder, index: Index, path: str) -> None:
    folder.write("a", with_table())
    index()
    answer = signed_in.get(f"{ADDRESS}/instances/{uid('series', 1)}/bulkdata/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "path", ["x", "7fe00010", "00283010/0/00283006", "00283010/2", "00283010//00283006", "../00100010"]
)
def test_no_path(signed_in: TestClient, path: str) -> None:
    answer = signed_in.get(f"{ADDRESS}/instances/{uid('series', 1)}/bulkdata/{path}")
    assert answer.status_code in (404, 400)


def test_asked_for_again(signed_in: TestClient, folder: Folder, index: Index) -> None:
    folder.write("a", image())
    index()
    first = fetch(signed_in, ADDRESS, "7FE00010")
    again = signed_in.get(str(first.url), headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
