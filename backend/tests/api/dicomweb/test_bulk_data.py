"""Every BulkDataURI of the metadata resolves to the bytes of the file."""

import email
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
LARGE = np.arange(4096, dtype=np.uint16).reshape(64, 64)
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


class TestRanges:
    @pytest.fixture
    def pixels(self, folder: Folder, index: Index) -> str:
        folder.write("a", to_bytes(image(LARGE), BIG_ENDIAN))  # every word is turned round on the way
        index()
        return f"{ADDRESS}/instances/{uid('series', 1)}/bulkdata/7FE00010"

    @pytest.mark.parametrize(
        ("wanted", "start", "stop"),
        [
            ("0-0", 0, 1),
            ("3-10", 3, 11),
            ("8190-", 8190, 8192),
            ("-3", 8189, 8192),
            ("8000-99999", 8000, 8192),
        ],
    )
    def test_one(self, signed_in: TestClient, pixels: str, wanted: str, start: int, stop: int) -> None:
        answer = signed_in.get(pixels, headers={"Range": f"bytes={wanted}"})
        assert (answer.status_code, answer.content) == (206, LARGE.tobytes()[start:stop])
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/8192"
        assert answer.headers["Content-Length"] == str(stop - start)

    def test_several_are_parts_and_neighbours_one(self, signed_in: TestClient, pixels: str) -> None:
        answer = signed_in.get(pixels, headers={"Range": "bytes=100-199,0-9,10-19,150-249"})
        assert answer.status_code == 206
        assert answer.headers["Content-Length"] == str(len(answer.content))
        kind = answer.headers["Content-Type"]
        message = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + answer.content)
        found = {part["Content-Range"]: part.get_payload(decode=True) for part in message.get_payload()}
        assert found == {
            "bytes 0-19/8192": LARGE.tobytes()[:20],
            "bytes 100-249/8192": LARGE.tobytes()[100:250],
        }

    @pytest.mark.parametrize("wanted", ["bytes=8192-", "bytes=9000-9001", "bytes=-0"])
    def test_416(self, signed_in: TestClient, pixels: str, wanted: str) -> None:
        answer = signed_in.get(pixels, headers={"Range": wanted})
        assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
        assert answer.headers["Content-Range"] == "bytes */8192"

    @pytest.mark.parametrize(
        "wanted", ["bytes=a-b", "bytes=5-1", "bytes=-", "lines=1-2", "bytes=" + ",".join(["0-0"] * 33)]
    )
    def test_what_makes_no_sense_is_passed_over(
        self, signed_in: TestClient, pixels: str, wanted: str
    ) -> None:
        answer = signed_in.get(pixels, headers={"Range": wanted})
        assert (answer.status_code, answer.content) == (200, LARGE.tobytes())
        assert answer.headers["Accept-Ranges"] == "bytes"

    def test_of_another_version(self, signed_in: TestClient, pixels: str) -> None:
        tag = signed_in.get(pixels).headers["ETag"]
        for version, status in ((tag, 206), ('"other"', 200)):
            answer = signed_in.get(pixels, headers={"Range": "bytes=0-1", "If-Range": version})
            assert answer.status_code == status

    def test_304_before_the_file_is_opened(self, signed_in: TestClient, pixels: str, folder: Folder) -> None:
        tag = signed_in.get(pixels).headers["ETag"]
        (folder.path / "a").unlink()
        assert signed_in.get(pixels, headers={"If-None-Match": tag}).status_code == 304

    def test_as_a_part(self, signed_in: TestClient, pixels: str) -> None:
        accept = {"Accept": 'multipart/related; type="application/octet-stream"'}
        [part] = parts_of(signed_in.get(pixels, headers=accept))
        assert part.content == LARGE.tobytes()
        assert part.headers["content-location"] == pixels


class TestAllOfThem:
    STUDY = ADDRESS.partition("/series")[0]
    INSTANCE = f"{ADDRESS}/instances/{uid('series', 1)}"

    @pytest.fixture
    def files(self, folder: Folder, index: Index) -> None:
        compressed = image(LARGE, instance=2)
        compressed.file_meta = Dataset()
        compressed.compress(RLELossless, LARGE, generate_instance_uid=False)
        folder.write("a", with_table())
        folder.write("b", to_bytes(compressed, RLELossless))
        index()

    @pytest.mark.parametrize("level", [STUDY, ADDRESS, INSTANCE])
    def test_bulk_data(self, signed_in: TestClient, files: None, level: str) -> None:
        parts = parts_of(signed_in.get(f"{level}/bulkdata"))
        found = {part.headers["content-location"]: part.content for part in parts}
        expected = {
            f"{self.INSTANCE}/bulkdata/00283010/2/00283006": TABLE.tobytes(),
            f"{self.INSTANCE}/bulkdata/7FE00010": image().PixelData,
        }
        if level != self.INSTANCE:
            expected[f"{ADDRESS}/instances/{uid('series', 2)}/frames/1"] = LARGE.tobytes()
        assert found == expected

    def test_bulk_data_at_the_address_of_the_instances(self, signed_in: TestClient, files: None) -> None:
        # PS3.18 10.4.4: the same as the resource of bulk data
        accept = {"Accept": 'multipart/related; type="application/octet-stream"'}
        for level in (self.STUDY, ADDRESS, self.INSTANCE):
            found, expected = (
                parts_of(signed_in.get(path, headers=accept)) for path in (level, f"{level}/bulkdata")
            )
            assert found == expected

    @pytest.mark.parametrize("level", [STUDY, ADDRESS])
    def test_pixel_data(self, signed_in: TestClient, files: None, level: str) -> None:
        parts = parts_of(signed_in.get(f"{level}/pixeldata"))
        assert [part.content for part in parts] == [image().PixelData, LARGE.tobytes()]

    def test_as_stored(self, signed_in: TestClient, files: None) -> None:
        accept = {"Accept": 'multipart/related; type="application/octet-stream"; transfer-syntax=*'}
        parts = parts_of(signed_in.get(f"{ADDRESS}/pixeldata", headers=accept))
        assert [part.parameters["transfer-syntax"] for part in parts] == ["1.2.840.10008.1.2.1", RLELossless]

    def test_refusals(self, signed_in: TestClient, files: None) -> None:
        for level in (self.STUDY, ADDRESS, self.INSTANCE):
            for kind in ("bulkdata", "pixeldata"):
                assert signed_in.get(f"{level}/{kind}", headers={"Accept": "image/png"}).status_code == 406
        assert signed_in.get("/dicomweb/studies/1.2.3/bulkdata").status_code == 404

    def test_without_pixels(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image(PixelData=None, Rows=None))
        index()
        assert signed_in.get(f"{ADDRESS}/pixeldata").status_code == 404
        assert parts_of(signed_in.get(f"{ADDRESS}/bulkdata")) == []
