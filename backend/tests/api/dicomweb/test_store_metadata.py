"""Storing metadata with bulk data (PS3.18 10.5.2); pydicom reads what was built."""

import io
import json
from typing import Any

import numpy as np
import pydicom
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from pydicom.dataset import Dataset

from imageserver.api.dicomweb import store_metadata
from imageserver.archive import store as archive_store
from imageserver.dicom.dicom_xml import write_dicom_xml
from imageserver.settings import Settings
from tests.builders import image, uid
from tests.storing import BOUNDARY, ODD_PARAMETERS, STUDIES, content_type, files_in, reasons

JSON, XML = "application/dicom+json", "application/dicom+xml"
ADDRESS = "bulkdata/pixels"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a store."""
    return settings.model_copy(update={"store_dir": settings.state_dir / "store"})


def metadata(dataset: Dataset, address: str = ADDRESS) -> dict[str, Any]:
    plain: dict[str, Any] = dataset.to_json_dict()
    plain["7FE00010"] = {"vr": "OW", "BulkDataURI": address}
    return plain


def send(
    client: TestClient, parts: list[tuple[str, str, bytes]], kind: str = JSON, accept: str = "*/*"
) -> Response:
    body = b"".join(
        f"--{BOUNDARY}\r\nContent-Type: {declared}\r\nContent-Location: {location}\r\n\r\n".encode()
        + content
        + b"\r\n"
        for declared, location, content in parts
    )
    answer: Response = client.post(
        STUDIES,
        content=body + f"--{BOUNDARY}--\r\n".encode(),
        headers={**content_type(kind), "Accept": accept},
    )
    return answer


def stored(settings: Settings) -> pydicom.FileDataset:
    [path] = files_in(settings)
    return pydicom.dcmread(io.BytesIO(path.read_bytes()))


@pytest.mark.parametrize("kind", [JSON, XML])
def test_native_pixels(signed_in: TestClient, settings: Settings, kind: str) -> None:
    made = image(PatientName="Yamada^Tarou=山田^太郎", WindowCenter=40, WindowWidth=400)
    made.SpecificCharacterSet = "ISO_IR 192"
    plain = metadata(made)
    content = json.dumps([plain]).encode() if kind == JSON else write_dicom_xml(plain)
    parts = [(kind, "metadata", content), ("application/octet-stream", ADDRESS, made.PixelData)]
    answer = send(signed_in, parts, kind)
    assert answer.status_code == 200, answer.text
    found = stored(settings)
    assert found == made
    assert found.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert signed_in.get("/slice").status_code == 200
    assert files_in(settings, ".incoming") == []


def test_frames_of_compressed_pixels(signed_in: TestClient, settings: Settings) -> None:
    pixels = np.arange(128, dtype=np.uint8).reshape(2, 8, 8)
    header = (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56)
    # RLE of PS3.5 G: one segment; runs of literal bytes.
    frames = [header + b"\x3f" + frame.tobytes() + b"\0" for frame in pixels]
    made = image(pixels, NumberOfFrames=2)
    parts = [(JSON, "metadata", json.dumps([metadata(made)]).encode())]
    parts += [("image/dicom-rle", ADDRESS, frame) for frame in frames]
    assert send(signed_in, parts).status_code == 200
    found = stored(settings)
    assert found.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.5"
    assert np.array_equal(found.pixel_array, pixels)


def test_bulk_data_that_did_not_come(signed_in: TestClient, settings: Settings) -> None:
    answer = send(signed_in, [(JSON, "metadata", json.dumps([metadata(image())]).encode())])
    assert (answer.status_code, reasons(answer)) == (409, {uid("series", 1): 0xC000})
    assert files_in(settings) == []


def test_pixels_that_are_too_few(signed_in: TestClient) -> None:
    made = image()
    parts = [(JSON, "metadata", json.dumps([metadata(made)]).encode())]
    parts.append(("application/octet-stream", ADDRESS, made.PixelData[:-2]))
    answer = send(signed_in, parts)
    assert (answer.status_code, reasons(answer)) == (409, {uid("series", 1): 0xC000})


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"3", b"[" * 100_000, b"\xff\xfe"])
def test_metadata_that_are_none(signed_in: TestClient, content: bytes) -> None:
    answer = send(signed_in, [(JSON, "metadata", content)])
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")


@pytest.mark.parametrize(
    "element",
    [
        {"00080016": 3},
        {"xyz": {"vr": "LO"}},
        {"00100010": {"vr": "PN", "Value": [3]}},
        {"00280010": {"vr": "US", "Value": ["a"]}},
    ],
)
def test_an_element_that_makes_no_sense(signed_in: TestClient, element: dict[str, Any]) -> None:
    plain = {**image().to_json_dict(), **element}
    assert send(signed_in, [(JSON, "metadata", json.dumps([plain]).encode())]).status_code in (200, 409)


def test_more_objects_than_memory_bears(
    signed_in: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_metadata, "METADATA_NODES", 1000)
    monkeypatch.setattr(
        store_metadata, "_datasets", lambda *_: pytest.fail("it is read before it is counted")
    )
    answer = send(signed_in, [(JSON, "metadata", b"[" + b"{}," * 1000 + b"{}]")])
    assert answer.status_code == 413
    assert files_in(settings, ".incoming") == []


def test_too_many_instances(signed_in: TestClient, settings: Settings) -> None:
    answer = send(signed_in, [(JSON, "metadata", b"[" + b"{}," * 10_000 + b"{}]")])
    assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")
    assert files_in(settings) == []


def test_too_many_bulk_parts(
    signed_in: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_store, "MOST_KEPT", 10)
    answer = send(signed_in, [("application/octet-stream", str(number), b"") for number in range(11)])
    assert answer.status_code == 413
    assert files_in(settings, ".incoming") == []


@pytest.mark.parametrize("text", ["1.2\ud800", "1.2\0", "1.2\r\n", "words"])
@pytest.mark.parametrize("tag", ["00080016", "00080018"])
@pytest.mark.parametrize("kind", [JSON, XML])
def test_uids_that_are_none(signed_in: TestClient, text: str, tag: str, kind: str) -> None:
    # Refused for its pixel data, which did not come: what it is called goes into the answer and the audit.
    plain = {**metadata(image()), tag: {"vr": "UI", "Value": [text]}}
    answer = send(signed_in, [(JSON, "metadata", json.dumps([plain]).encode())], accept=kind)
    assert answer.status_code == 409


@pytest.mark.parametrize("parameters", ODD_PARAMETERS[:1])  # the other is longer than a part's header may be
def test_a_part_whose_type_has_parameters_in_odd_pieces(signed_in: TestClient, parameters: str) -> None:
    plain = image().to_json_dict()
    parts = [(JSON, "metadata", json.dumps([plain]).encode()), (f"image/jpeg; {parameters}", "x", b"x")]
    answer = send(signed_in, parts)
    assert answer.status_code == 202
    assert answer.json()["0008119A"]["Value"] == [{"00081197": {"vr": "US", "Value": [0xC000]}}]
