"""The way through the server: stored over HTTP, retrieved as stored and in every transfer syntax that it writes.

What must be refused, and which pixels a file has, is told by dcmtk and GDCM (`dicom-expected` beside the corpus); what
comes back transcoded is decoded by GDCM. Without the corpus the files are synthetic ones, of each transfer syntax.
In the suite each file is retrieved in some of the transfer syntaxes; with ROUND_TRIP=all in all of them.
"""

import hashlib
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from imageserver.accounts.models import Role
from imageserver.settings import Settings
from tests.api.multipart_answers import parts_of
from tests.builders import encapsulated, image, to_bytes
from tests.conftest import PASSWORD, AddUser
from tests.corpus import pixel_witness
from tests.corpus.conftest import VARIABLE
from tests.dicom.compressed_streams import COLOURS, PICTURE, STREAMS
from tests.storing import STUDIES, store

SEED = 20261123
IS_WHOLE = os.environ.get("ROUND_TRIP") == "all"
SYNTAXES = (
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
)
COMPRESSED = SYNTAXES[2:]
TRIED = len(SYNTAXES) if IS_WHOLE else 1
CANNOT_UNDERSTAND, DUPLICATE = 0xC000, 0x0111


class File(NamedTuple):
    """A file, and what other programs say about it; UIDs are None where they find none, or refuse it."""

    name: str
    content: bytes
    study: str | None = None
    series: str | None = None
    instance: str | None = None
    bits_allocated: int | None = None
    size: int | None = None  # of the shorter side
    pixel_sha256: str | None = None

    @property
    def is_taken(self) -> bool:
        return self.instance is not None

    @property
    def address(self) -> str:
        return f"{STUDIES}/{self.study}/series/{self.series}/instances/{self.instance}"


def corpus_files(corpus: Path) -> Iterator[File]:
    """All files, with the UIDs that dcmdump finds; those that it refuses, and those that are no objects, have none."""
    known: dict[Path, File] = {}
    for path in sorted((corpus.parent / "dicom-expected").glob("*/expected.json")):
        case, folder = json.loads(path.read_text("utf-8")), corpus / path.parent.name
        for entry in case.get("files", []):
            known[folder / entry["file"]] = File(entry["file"], b"", *told_by_dcmtk(entry))
        for series in case["series"] if isinstance(case.get("series"), list) else []:
            for entry in series.get("slices_in_order", []):
                uids = (series["study"], series["series"], entry["sop"])
                digest = series["pixel_sha256_by_file"][entry["file"]]
                known[folder / entry["file"]] = File(
                    entry["file"], b"", *uids, series["bits_allocated"], digest
                )
    for path in sorted(path for path in corpus.rglob("*") if path.is_file()):
        name = str(path.relative_to(corpus))
        yield known.get(path, File(name, b""))._replace(name=name, content=path.read_bytes())


def told_by_dcmtk(entry: dict[str, Any]) -> tuple[Any, ...]:
    decoders = entry.get("decoders", {}).values()
    if decoders and not any(decoder["ok"] for decoder in decoders):  # an image whose pixel data was taken out
        return ()
    uids = entry["study"], entry["series"], entry["sop_instance"]
    size = min(entry["rows"] or 0, entry["columns"] or 0)
    # Of a damaged file that both of them read, the beginning of the hash stands behind the shape.
    digest = entry.get("pixel_sha256") or str(entry.get("gdcm_decodes", "")).partition(" sha256 ")[2] or None
    return *uids, entry["bits_allocated"], size, digest


def synthetic_files() -> Iterator[File]:
    """A file of each transfer syntax; what was compressed with loss is decoded by GDCM as it is stored."""
    larger = np.tile(PICTURE, (3, 3))
    grey, grey_of_larger = PICTURE.tobytes(), larger.tobytes()
    for syntax in (*SYNTAXES[:2], ImplicitVRLittleEndian, ExplicitVRBigEndian):
        yield synthetic(syntax, to_bytes(described(syntax, larger), syntax), grey_of_larger)
    for syntax in COMPRESSED:
        dataset = described(syntax, larger)
        dataset.file_meta = Dataset()
        dataset.compress(syntax, larger, generate_instance_uid=False)
        yield synthetic(syntax, to_bytes(dataset, syntax), grey_of_larger)
    for number, stream, pixels in (
        ("57", STREAMS["57"], grey),
        ("70", imagecodecs.ljpeg_encode(PICTURE, bitspersample=12), grey),
        ("80", STREAMS["80"], grey),
        ("81", imagecodecs.jpegls_encode(PICTURE, level=2), None),
        ("201", STREAMS["201"], grey),
        ("202", STREAMS["201"], grey),
        ("203", STREAMS["203"], None),
    ):
        dataset = encapsulated(described(number), [stream])
        yield synthetic(number, to_bytes(dataset, f"1.2.840.10008.1.2.4.{number}"), pixels)
    jpeg = io.BytesIO()
    Image.fromarray(COLOURS).save(jpeg, "JPEG", quality=90, subsampling=2)
    colour = image(COLOURS, instance="50", PhotometricInterpretation="YBR_FULL_422")
    yield synthetic("50", to_bytes(encapsulated(colour, [jpeg.getvalue()]), JPEGBaseline8Bit), None)
    yield synthetic("colour", to_bytes(image(COLOURS, instance="colour")), COLOURS.tobytes())
    report = image(
        PixelData=None, Rows=None, Columns=None, BitsAllocated=None, instance="report", Modality="SR"
    )
    yield synthetic("report", to_bytes(report, ImplicitVRLittleEndian), None)
    other = described(ExplicitVRLittleEndian)
    other.PatientName = "Roe^Richard"
    yield synthetic("the same UID", to_bytes(other), grey)
    yield File("words", b"These are words. " * 20)
    yield File("cut", to_bytes(described("cut"))[:-1])
    yield File("no UID", to_bytes(image(SOPInstanceUID=None), media_storage_uid=""))


def described(name: str, pixels: np.ndarray = PICTURE) -> Dataset:
    return image(pixels, instance=name, BitsStored=12, HighBit=11)


def synthetic(name: str, content: bytes, pixels: bytes | None) -> File:
    """A file with its UIDs; without `pixels` the witness has to decode it as it is stored."""
    dataset = dcmread(io.BytesIO(content))
    uids = dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID
    digest = None if pixels is None else hashlib.sha256(pixels).hexdigest()
    size = min(dataset.get("Rows", 0), dataset.get("Columns", 0))
    return File(name, content, *map(str, uids), dataset.get("BitsAllocated"), size, digest)


@pytest.fixture
def files() -> list[File]:
    corpus = os.environ.get(VARIABLE)
    return list(synthetic_files() if not corpus else corpus_files(Path(corpus).resolve()))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a store."""
    return settings.model_copy(update={"store_dir": settings.state_dir / "store"})


@pytest.fixture
def admin(app: FastAPI, client: TestClient, add_user: AddUser) -> TestClient:
    add_user("grace", Role.ADMIN)
    answer = client.post("/auth/token", data={"username": "grace", "password": PASSWORD})
    client.cookies.clear()
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return client


def test_every_file_comes_back(admin: TestClient, files: list[File], tmp_path: Path) -> None:
    first = {file.instance: file for file in reversed(files) if file.is_taken}
    assert store(admin, [file.content for file in first.values()]).status_code == 200
    folder = tmp_path / "retrieved"
    folder.mkdir()
    expected: dict[str, str] = {}
    for number, file in enumerate(files):
        if first.get(file.instance) is not file:
            reason = DUPLICATE if file.is_taken else CANNOT_UNDERSTAND
            answer = store(admin, [file.content])
            assert (file.name, answer.status_code, failures(answer)) == (file.name, 409, [reason])
            if not file.is_taken:
                continue
            assert admin.delete(file.address).status_code == 204
            assert store(admin, [file.content]).status_code == 200, file.name
        check_as_stored(admin, file)
        expected |= check_transcoded(admin, file, folder, str(number))
    compare(folder, expected)
    assert len(expected) >= len(first) // 2


def check_transcoded(client: TestClient, file: File, folder: Path, name: str) -> dict[str, str]:
    """Retrieve a file in other transfer syntaxes; returns what hash each has, or which file has the same."""
    expected = {}
    known = file.pixel_sha256 or (kept(folder, name, file.content) if file.bits_allocated else None)
    chosen = random.Random(f"{SEED} {name}").sample(SYNTAXES, TRIED)
    for syntax in SYNTAXES if known == name else chosen:
        content = retrieve(client, file, syntax)
        if content is None:
            assert has_no_form(file, syntax), (file.name, syntax)
        elif known is None:
            assert values(content) == values(file.content), (file.name, syntax)
        else:
            expected[kept(folder, f"{name} in {syntax}", content)] = known
    return expected


def has_no_form(file: File, syntax: str) -> bool:
    """What the encoders have no form for: PS3.5 8.2.3, 8.2.4, A.4; JPEG-LS has 2 bits, OpenJPEG 32 pixels."""
    bits, size = file.bits_allocated or 0, file.size or 0
    is_small = (syntax == JPEGLSLossless and bits == 1) or (syntax == JPEG2000Lossless and size < 32)
    return syntax in COMPRESSED and (bits > 16 or is_small)


def values(content: bytes) -> dict[int, object]:
    """The attributes of an object without pixels."""
    return {element.tag: element.value for element in dcmread(io.BytesIO(content), force=True)}


def failures(answer: object) -> list[int]:
    values = answer.json()  # type: ignore[attr-defined]
    items = [item for tag in ("00081198", "0008119A") for item in values.get(tag, {}).get("Value", [])]
    return [reason for item in items for reason in item["00081197"]["Value"]]


def check_as_stored(client: TestClient, file: File) -> None:
    """The same bytes; behind a header of PS3.10 where the file came without."""
    accept = 'multipart/related; type="application/dicom"; transfer-syntax=*'
    answer = client.get(file.address, headers={"Accept": accept})
    assert answer.status_code == 200, file.name
    [part] = parts_of(answer, "application/dicom")
    if file.content[128:132] == b"DICM":
        assert hashlib.sha256(part.content).digest() == hashlib.sha256(file.content).digest(), file.name
    else:
        assert part.content[128:132] == b"DICM"
        assert part.content.endswith(file.content), file.name


def retrieve(client: TestClient, file: File, syntax: str) -> bytes | None:
    """The file in a transfer syntax; None where there is none of it."""
    answer = client.get(file.address, headers={"Accept": f"application/dicom; transfer-syntax={syntax}"})
    if answer.status_code == 406:
        return None
    assert answer.status_code == 200, (file.name, syntax, answer.text)
    found = dcmread(io.BytesIO(answer.content), stop_before_pixels=True)
    # Without pixels there is nothing to compress.
    allowed = (syntax,) if file.bits_allocated else (syntax, ExplicitVRLittleEndian)
    assert found.file_meta.TransferSyntaxUID in allowed, (file.name, syntax)
    assert found.SOPInstanceUID == file.instance
    return bytes(answer.content)


def kept(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return name


def compare(folder: Path, expected: dict[str, str]) -> None:
    """Compare what the witness decodes with the hash that is known, or with that of the file as it was sent."""
    done = subprocess.run(
        [sys.executable, pixel_witness.__file__, folder], capture_output=True, check=True, timeout=900
    )
    found = json.loads(done.stdout)
    wanted = {name: found.get(known, known) for name, known in expected.items()}
    assert not [text for text in wanted.values() if ":" in text]  # a hash, and no error
    differences = {
        name: (found[name], text) for name, text in wanted.items() if not found[name].startswith(text)
    }
    assert differences == {}
