"""Comparing two DICOMweb servers: this one as its own peer, and answers that differ."""

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from fuzz.differential.__main__ import Peer, compare, run
from fuzz.differential.catalogue import common_items
from fuzz.differential.requests import Wanted, generate
from tests.builders import image, to_bytes, volume
from tests.folders import Folder

WANTED = Wanted("retrieve instance", "/studies/1.2", "*/*")
PIXELS = np.arange(16, dtype=np.uint16).reshape(4, 4)


@pytest.fixture
def peer(app: FastAPI, signed_in: TestClient, folder: Folder) -> Peer:
    folder.write_all(volume(3))
    folder.write(
        "frames", image(np.arange(48, dtype=np.uint16).reshape(3, 4, 4), series="f", NumberOfFrames=3)
    )
    folder.write("report", image(series="r", PixelData=None, Rows=None))
    assert app.state.archive.keeper.look_and_wait(120)
    base = "http://localhost:8000/dicomweb"
    client = TestClient(app, base_url=base, raise_server_exceptions=False)
    client.headers["Authorization"] = signed_in.headers["Authorization"]
    return Peer(client, f"{base}/wado")


def test_a_server_is_like_itself(peer: Peer) -> None:
    same, found = run(peer, peer, 40, 1)
    assert found == []
    assert same > 30


def test_requests_of_a_seed_are_the_same(peer: Peer) -> None:
    items = common_items(peer.client, peer.client)
    assert {item.frames for item in items} == {0, 1, 3}
    assert generate(items, 100, 7) == generate(items, 100, 7) != generate(items, 100, 8)


def answer(content: bytes, kind: str = "application/dicom", status: int = 200) -> httpx.Response:
    return httpx.Response(status, headers={"Content-Type": kind}, content=content)


def in_parts(*contents: bytes) -> httpx.Response:
    parts = b"".join(b"--b\r\nContent-Type: application/dicom\r\n\r\n" + one + b"\r\n" for one in contents)
    return answer(parts + b"--b--\r\n", 'multipart/related; type="application/dicom"; boundary=b')


FILE = to_bytes(image(PIXELS), ExplicitVRLittleEndian)


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        (answer(FILE), None),
        (answer(b"", status=406), "status 200/406"),
        (answer(FILE, "application/octet-stream"), "media types"),
        (in_parts(FILE), "media types"),
        (answer(to_bytes(image(PIXELS, PatientName="Roe"), ExplicitVRLittleEndian)), "other values 00100010"),
        (answer(to_bytes(image(PIXELS + 1), ExplicitVRLittleEndian)), "pixels"),
        (answer(to_bytes(image(PIXELS), ImplicitVRLittleEndian)), "transfer syntax"),
        (answer(b"no file"), "content"),
    ],
    ids=["same", "status", "media type", "parts", "attribute", "pixels", "transfer syntax", "damaged"],
)
def test_what_differs_is_told(theirs: httpx.Response, expected: str | None) -> None:
    difference = compare(WANTED, answer(FILE), theirs)
    assert (
        (difference is None) if expected is None else difference is not None and expected in difference.what
    )


def test_parts_are_compared_by_their_instances() -> None:
    one, other = (to_bytes(image(PIXELS, instance=number)) for number in (1, 2))
    assert compare(WANTED, in_parts(one, other), in_parts(other, one)) is None
    difference = compare(WANTED, in_parts(one, other), in_parts(one))
    assert difference is not None
    assert difference.what == "parts 2/1"


@pytest.mark.parametrize(
    ("ours", "theirs", "is_same"),
    [
        ('[{"00200013": {"vr": "IS", "Value": [1]}}]', '[{"00200013": {"vr": "IS", "Value": [1.0]}}]', True),
        ('[{"00200013": {"vr": "IS", "Value": [1]}}]', '[{"00200013": {"vr": "IS", "Value": [2]}}]', False),
        ('[{"00081190": {"vr": "UR", "Value": ["a"]}}]', "[{}]", True),
        ("[{}]", "[{}, {}]", False),
        (
            '[{"7FE00010": {"vr": "OW", "BulkDataURI": "a"}}]',
            '[{"7FE00010": {"vr": "OW", "InlineBinary": "AAA="}}]',
            True,
        ),
    ],
)
def test_metadata(ours: str, theirs: str, is_same: bool) -> None:
    kind = "application/dicom+json"
    found = compare(WANTED, answer(ours.encode(), kind), answer(theirs.encode(), kind))
    assert (found is None) is is_same
