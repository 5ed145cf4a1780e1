"""Whole instances, as stored and in other transfer syntaxes (PS3.18 10.4)."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)
from sqlalchemy import select, update

from imageserver.archive.archive import Archive
from imageserver.archive.files import DataDirectory
from imageserver.archive.models import Instance
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from tests.api.conftest import Index
from tests.api.multipart_answers import Part, parts_of
from tests.builders import image, to_bytes, uid
from tests.folders import Folder

STORED = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
ALONE = {"Accept": "application/dicom; transfer-syntax=*"}
STUDY = f"/dicomweb/studies/{uid('study of', 'series')}"
SERIES = f"{STUDY}/series/{uid('series')}"
REPORT = "1.2.840.10008.5.1.4.1.1.88.11"
LARGE = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)


def at(number: int) -> str:
    return f"{SERIES}/instances/{uid('series', number)}"


@pytest.fixture
def contents(folder: Folder, index: Index) -> list[bytes]:
    """Three images of one series: explicit, implicit and compressed."""
    compressed = image(LARGE, instance=3)
    compressed.file_meta = Dataset()
    compressed.compress(RLELossless, LARGE, generate_instance_uid=False)
    found = [
        to_bytes(image(LARGE, instance=1), ExplicitVRLittleEndian),
        to_bytes(image(LARGE, instance=2), ImplicitVRLittleEndian),
        to_bytes(compressed, RLELossless),
    ]
    for number, content in enumerate(found, 1):
        folder.write(str(number), content)
    index()
    return found


def dicom_parts(answer: Any) -> list[Part]:
    return parts_of(answer, "application/dicom")


def read(content: bytes) -> Dataset:
    return dcmread(io.BytesIO(content))


class TestAsStored:
    @pytest.mark.parametrize("address", [STUDY, SERIES])
    def test_the_bytes_of_all_files(self, signed_in: TestClient, contents: list[bytes], address: str) -> None:
        answer = signed_in.get(address, headers=STORED)
        parts = dicom_parts(answer)
        assert [part.content for part in parts] == contents
        assert [part.headers["content-location"] for part in parts] == [at(1), at(2), at(3)]
        assert [part.parameters["transfer-syntax"] for part in parts] == [
            ExplicitVRLittleEndian,
            ImplicitVRLittleEndian,
            RLELossless,
        ]
        assert answer.headers["Content-Length"] == str(len(answer.content))
        assert answer.status_code == 200

    def test_one_alone(self, signed_in: TestClient, contents: list[bytes]) -> None:
        answer = signed_in.get(at(3), headers=ALONE)
        assert answer.content == contents[2]
        assert answer.headers["Content-Type"] == f"application/dicom; transfer-syntax={RLELossless}"
        assert answer.headers["Content-Length"] == str(len(contents[2]))

    def test_one_as_a_part(self, signed_in: TestClient, contents: list[bytes]) -> None:
        [part] = dicom_parts(signed_in.get(at(2), headers=STORED))
        assert part.content == contents[1]

    def test_by_the_query(self, signed_in: TestClient, contents: list[bytes]) -> None:
        answer = signed_in.get(at(1), params={"accept": "application/dicom;transfer-syntax=*"})
        assert answer.content == contents[0]

    def test_a_file_without_file_meta_information_gets_it(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        content = to_bytes(image(LARGE), ImplicitVRLittleEndian)
        data_set = content[
            content.index(b"\x08\x00\x05\x00" if b"\x08\x00\x05\x00" in content else b"\x08\x00\x08\x00") :
        ]
        folder.write("bare", data_set)
        index()
        answer = signed_in.get(at(1), headers=ALONE)
        assert answer.content.endswith(data_set)
        assert read(answer.content).file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
        assert answer.headers["Content-Length"] == str(len(answer.content))

    @pytest.mark.parametrize("text", [b"1.2.\xe9", b"1.2.3\r\nX-A: b", b"1.2;3"])
    @pytest.mark.parametrize("address", [STUDY, SERIES])
    def test_a_transfer_syntax_that_is_no_uid_stays_out_of_the_heads(
        self,
        signed_in: TestClient,
        folder: Folder,
        index: Index,
        contents: list[bytes],
        text: bytes,
        address: str,
    ) -> None:
        odd = to_bytes(
            image(instance=4, PixelData=None, Rows=None, SOPClassUID=REPORT, Modality="SR"),
            ExplicitVRLittleEndian,
        )
        syntax = ExplicitVRLittleEndian.encode() + b"\0"
        odd = odd.replace(syntax, text.ljust(len(syntax)), 1)
        folder.write("odd", odd)
        index()
        answer = signed_in.get(address, headers=STORED)
        assert answer.status_code == 200
        parts = {part.headers["content-location"]: part for part in dicom_parts(answer)}
        assert parts[at(4)].content == odd
        assert parts[at(4)].parameters.keys() == set()
        alone = signed_in.get(at(4), headers=ALONE)
        assert (alone.content, alone.headers["Content-Type"]) == (odd, "application/dicom")


class TestTranscoded:
    def test_without_a_transfer_syntax_all_is_explicit(
        self, signed_in: TestClient, contents: list[bytes]
    ) -> None:
        parts = dicom_parts(signed_in.get(SERIES))
        assert parts[0].content == contents[0]  # it is so already
        for part in parts:
            found = read(part.content)
            assert found.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
            assert part.parameters["transfer-syntax"] == ExplicitVRLittleEndian
            np.testing.assert_array_equal(found.pixel_array, LARGE)

    @pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
    def test_compressed_without_loss(self, signed_in: TestClient, contents: list[bytes], syntax: str) -> None:
        accept = {"Accept": f'multipart/related; type="application/dicom"; transfer-syntax={syntax}'}
        for part in dicom_parts(signed_in.get(SERIES, headers=accept)):
            found = read(part.content)
            assert found.file_meta.TransferSyntaxUID == syntax
            np.testing.assert_array_equal(found.pixel_array, LARGE)

    def test_the_best_that_each_instance_has(self, signed_in: TestClient, contents: list[bytes]) -> None:
        accept = (
            'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.102, '
            'multipart/related; type="application/dicom"; transfer-syntax=*; q=0.5'
        )
        parts = dicom_parts(signed_in.get(SERIES, headers={"Accept": accept}))
        assert [part.content for part in parts] == contents


class TestStatus:
    def test_anonymous(self, client: TestClient) -> None:
        assert client.get(STUDY).status_code == 401

    @pytest.mark.parametrize(
        ("address", "code"),
        [
            ("/dicomweb/studies/1.2.3", "study_not_found"),
            (f"{STUDY}/series/1.2.3", "series_not_found"),
            (f"{SERIES}/instances/1.2.3", "instance_not_found"),
            (f"/dicomweb/studies/1.2.3/series/{uid('series')}", "series_not_found"),
        ],
    )
    def test_404(self, signed_in: TestClient, contents: list[bytes], address: str, code: str) -> None:
        answer = signed_in.get(address)
        assert (answer.status_code, answer.json()["code"]) == (404, code)

    @pytest.mark.parametrize("address", ["/dicomweb/studies/1.2.x", f"{STUDY}/series/x"])
    def test_400(self, signed_in: TestClient, contents: list[bytes], address: str) -> None:
        assert signed_in.get(address).status_code == 400

    @pytest.mark.parametrize(
        ("accept", "named"),
        [
            ("image/png", "application/dicom"),
            ("application/dicom", "single instance"),
            ('multipart/related; type="application/dicom"; transfer-syntax=1.2.3', RLELossless),
        ],
    )
    def test_406_names_what_there_is(
        self, signed_in: TestClient, contents: list[bytes], accept: str, named: str
    ) -> None:
        answer = signed_in.get(SERIES, headers={"Accept": accept})
        assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
        assert named in answer.json()["detail"]

    def test_206_where_some_cannot_be_given_so(
        self, signed_in: TestClient, contents: list[bytes], database: Database
    ) -> None:
        with database.writing() as session:  # a video, which is given as it is, or not at all
            session.execute(
                update(Instance)
                .where(Instance.sop_instance_uid == uid("series", 2))
                .values(transfer_syntax_uid="1.2.840.10008.1.2.4.102")
            )
        answer = signed_in.get(SERIES)
        assert answer.status_code == 206
        assert answer.headers["Warning"].startswith('299 - "1 of 3 instances are not in this answer')
        assert [part.headers["content-location"] for part in dicom_parts(answer)] == [at(1), at(3)]

    def test_206_where_a_file_is_gone(
        self, signed_in: TestClient, contents: list[bytes], folder: Folder
    ) -> None:
        (folder.path / "2").unlink()
        answer = signed_in.get(SERIES, headers=STORED)
        assert answer.status_code == 206
        assert [part.content for part in dicom_parts(answer)] == [contents[0], contents[2]]
        assert answer.headers["Content-Length"] == str(len(answer.content))

    @pytest.mark.parametrize("headers", [STORED, ALONE])
    def test_410_where_the_only_one_is_gone(
        self, signed_in: TestClient, contents: list[bytes], folder: Folder, headers: dict[str, str]
    ) -> None:
        (folder.path / "2").unlink()
        answer = signed_in.get(at(2), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (410, "file_gone")

    def test_410_where_it_was_replaced(
        self, signed_in: TestClient, contents: list[bytes], folder: Folder
    ) -> None:
        folder.write("2", b"something else")
        answer = signed_in.get(at(2), headers=STORED)
        assert (answer.status_code, answer.json()["code"]) == (410, "file_replaced")

    def test_410_where_its_content_is_not_the_one_that_was_indexed(
        self, signed_in: TestClient, contents: list[bytes], database: Database
    ) -> None:
        with database.writing() as session:
            session.execute(
                update(Instance)
                .where(Instance.sop_instance_uid == uid("series", 2))
                .values(refused_code="integrity_mismatch")
            )
        answer = signed_in.get(at(2), headers=STORED)
        assert (answer.status_code, answer.json()["code"]) == (410, "integrity_mismatch")

    def test_405(self, signed_in: TestClient, contents: list[bytes]) -> None:
        assert signed_in.put(SERIES).status_code == 405


class TestHeaders:
    def test_304_before_any_file_is_opened(
        self, signed_in: TestClient, contents: list[bytes], folder: Folder
    ) -> None:
        tag = signed_in.get(SERIES, headers=STORED).headers["ETag"]
        for path in Path(folder.path).iterdir():
            path.chmod(0)
        answer = signed_in.get(SERIES, headers={**STORED, "If-None-Match": tag})
        assert (answer.status_code, answer.content) == (304, b"")
        other = signed_in.get(at(1), headers={**ALONE, "If-None-Match": tag})
        assert other.status_code != 304

    def test_head(self, signed_in: TestClient, contents: list[bytes]) -> None:
        for address, headers in ((SERIES, STORED), (at(1), ALONE)):
            wanted, found = signed_in.get(address, headers=headers), signed_in.head(address, headers=headers)
            assert found.content == b""
            assert found.headers["Content-Length"] == wanted.headers["Content-Length"]

    def test_caches_ask_again(self, signed_in: TestClient, contents: list[bytes]) -> None:
        headers = signed_in.get(SERIES).headers
        assert headers["Cache-Control"] == "private, no-cache"
        assert "Accept" in headers["Vary"]


class TestFaultsOnTheWay:
    def test_a_damaged_image_does_not_take_the_others_along(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        damaged = image(LARGE, instance=2)
        damaged.file_meta = Dataset()
        damaged.compress(RLELossless, LARGE, generate_instance_uid=False)
        content = bytearray(to_bytes(damaged, RLELossless))
        at_frame = content.rindex(b"\xfe\xff\x00\xe0") + 8
        content[at_frame : at_frame + 4] = b"\x0f\x00\x00\x00"  # as many segments as there may be
        folder.write("1", to_bytes(image(LARGE, instance=1), ExplicitVRLittleEndian))
        folder.write("2", bytes(content))
        index()
        found = dicom_parts(signed_in.get(SERIES))
        assert [part.media_type for part in found] == ["application/dicom", "application/problem+json"]
        alone = signed_in.get(at(2))
        assert (alone.status_code, alone.json()["code"]) == (406, "undecodable_frame")
        assert dicom_parts(signed_in.get(at(2), headers=STORED))[0].content == bytes(content)

    def test_a_file_that_goes_after_the_answer_began_leaves_its_place_filled(
        self, signed_in: TestClient, folder: Folder, contents: list[bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look = Archive.retrieved_lengths

        def look_and_remove(archive: Archive, retrievals: Any) -> Any:
            found = look(archive, retrievals)
            (folder.path / "2").unlink()
            return found

        whole = signed_in.get(SERIES, headers=STORED)
        monkeypatch.setattr(Archive, "retrieved_lengths", look_and_remove)
        answer = signed_in.get(SERIES, headers=STORED)
        first, gone, last = dicom_parts(answer)
        assert (first.content, last.content) == (contents[0], contents[2])
        assert (gone.media_type, json.loads(gone.content)["code"]) == (
            "application/problem+json",
            "file_gone",
        )
        assert len(answer.content) == len(whole.content) == int(answer.headers["Content-Length"])


def test_small_neighbours_are_read_together(
    signed_in: TestClient, folder: Folder, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = {
        1: LARGE,
        2: LARGE,
        3: np.tile(LARGE, (8, 8)),
        4: LARGE,
        **dict.fromkeys(range(5, 9), np.tile(LARGE, (4, 4))),
    }
    written = [
        folder.write(str(number), image(one, instance=number)).read_bytes() for number, one in pixels.items()
    ]
    index()
    groups = []
    read = DataDirectory.read_files

    def note(directory: DataDirectory, files: Any) -> Any:
        wanted = list(files)
        groups.append(len(wanted))
        return read(directory, wanted)

    monkeypatch.setattr(DataDirectory, "read_files", note)
    assert [part.content for part in dicom_parts(signed_in.get(SERIES, headers=STORED))] == written
    assert groups == [2, 5]  # the third is too large to be copied


class TestAudit:
    def test_each_series_is_recorded(
        self, signed_in: TestClient, contents: list[bytes], database: Database
    ) -> None:
        signed_in.get(STUDY)
        signed_in.get(SERIES, headers={"Accept": "image/png"})
        with database.reading() as session:
            statement = select(AuditEvent.outcome, AuditEvent.series_instance_uid)
            rows = session.execute(
                statement.where(AuditEvent.kind == "retrieved").order_by(AuditEvent.id)
            ).all()
        assert [tuple(row) for row in rows] == [("success", uid("series")), ("failure", uid("series"))]
