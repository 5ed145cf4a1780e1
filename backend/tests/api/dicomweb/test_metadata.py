"""Metadata as DICOM JSON (PS3.18 F), under the UIDs of their address; pydicom is the witness for the values."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select, update

from imageserver.archive import series_metadata
from imageserver.archive.models import Instance, InstanceMetadata
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from imageserver.dicom.dicom_xml import read_dicom_xml
from tests.api.conftest import Index
from tests.api.multipart_answers import parts_of
from tests.builders import enhanced, image, uid, volume
from tests.folders import Folder

STUDY, SERIES = uid("study of", "series"), uid("series")
ADDRESS = f"/dicomweb/studies/{STUDY}/series/{SERIES}"
SERVER = "http://localhost:8000"  # as the client calls it


def metadata(client: TestClient, path: str = ADDRESS) -> list[dict[str, Any]]:
    answer = client.get(f"{path}/metadata")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


class TestContent:
    def test_every_instance_is_what_pydicom_says(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        made = volume(3)
        folder.write_all(made)
        index()
        found = {one["00080018"]["Value"][0]: one for one in metadata(signed_in)}
        for dataset in made:
            del dataset.PixelData
            theirs = dataset.to_json_dict()
            ours = found[dataset.SOPInstanceUID]
            assert {tag: ours[tag] for tag in theirs} == theirs
            assert ours.keys() - theirs.keys() == {"7FE00010"}

    @pytest.mark.parametrize("is_kept", [False, True])
    def test_made_or_kept_it_is_the_same(
        self,
        signed_in: TestClient,
        folder: Folder,
        index: Index,
        is_kept: bool,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        folder.write_all(volume(70))  # more than one piece
        index()
        first = metadata(signed_in)
        assert len(first) == 70
        if is_kept:
            monkeypatch.setattr(series_metadata, "make_metadata", lambda _: pytest.fail("made again"))
        assert metadata(signed_in) == first

    def test_of_one_instance(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        made = volume(3)
        folder.write_all(made)
        index()
        [one] = metadata(signed_in, f"{ADDRESS}/instances/{made[1].SOPInstanceUID}")
        assert one["00080018"]["Value"] == [made[1].SOPInstanceUID]
        address = f"{SERVER}{ADDRESS}/instances/{made[1].SOPInstanceUID}/bulkdata/7FE00010"
        assert one["7FE00010"]["BulkDataURI"] == address

    def test_bulk_data_is_under_the_name_that_the_client_calls(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write("a", image())
        index()
        answer = signed_in.get(f"{ADDRESS}/metadata", headers={"Host": "127.0.0.1:8123"})
        [one] = answer.json()
        where = f"http://127.0.0.1:8123{ADDRESS}/instances/{uid('series', 1)}/bulkdata/7FE00010"
        assert one["7FE00010"]["BulkDataURI"] == where

    def test_functional_groups_are_in_it(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", enhanced([(0, 0, 0), (0, 0, 2)]))
        index()
        [one] = metadata(signed_in)
        positions = [item["00209113"]["Value"][0]["00200032"]["Value"] for item in one["52009230"]["Value"]]
        assert positions == [[0, 0, 0], [0, 0, 2]]

    def test_an_instance_without_uids_has_those_of_its_address(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write("a", image(StudyInstanceUID=None, SeriesInstanceUID=None, SOPInstanceUID=None))
        index()
        listed = signed_in.get("/volumes").json()["volumes"][0]
        address = f"/dicomweb/studies/{listed['study_instance_uid']}/series/{listed['series_instance_uid']}"
        answer = signed_in.get(f"{address}/metadata")
        [one] = answer.json()
        assert one["0020000D"] == {"vr": "UI", "Value": [listed["study_instance_uid"]]}
        assert one["0020000E"] == {"vr": "UI", "Value": [listed["series_instance_uid"]]}
        assert one["00080018"]["Value"][0]
        assert list(one) == sorted(one)

    def test_an_instance_whose_file_is_gone_is_told_from_the_index(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        paths = folder.write_all(volume(3))
        index()
        before = metadata(signed_in)
        paths[1].unlink()
        assert metadata(signed_in) == before

    def test_an_instance_without_file_and_metadata_keeps_its_place(
        self, signed_in: TestClient, folder: Folder, index: Index, database: Database
    ) -> None:
        paths = folder.write_all(volume(3))
        index()
        with database.writing() as session:
            session.execute(delete(InstanceMetadata))
        paths[1].unlink()
        found = metadata(signed_in)
        assert len(found) == 3
        assert list(found[1]) == ["00080018", "0020000D", "0020000E"]

    def test_text_that_looks_like_an_address_of_bulk_data(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        text = '"BulkDataURI":"bulkdata/'
        folder.write("a", image(ImageComments=text))
        index()
        [one] = metadata(signed_in)
        assert one["00204000"]["Value"] == [text]


class TestAddresses:
    @pytest.mark.parametrize(
        ("path", "code"),
        [
            (f"/dicomweb/studies/1.2.3/series/{SERIES}", "series_not_found"),
            (f"/dicomweb/studies/{STUDY}/series/1.2.3", "series_not_found"),
            (f"{ADDRESS}/instances/1.2.3", "instance_not_found"),
            (f"/dicomweb/studies/1.2.3/series/{SERIES}/instances/{uid('series', 1)}", "instance_not_found"),
        ],
    )
    def test_uids_that_do_not_belong_together(
        self, signed_in: TestClient, folder: Folder, index: Index, path: str, code: str
    ) -> None:
        folder.write("a", image())
        index()
        answer = signed_in.get(f"{path}/metadata")
        assert (answer.status_code, answer.json()["code"]) == (404, code)

    def test_anonymous(self, client: TestClient) -> None:
        answer = client.get(f"{ADDRESS}/metadata")
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


class TestHeaders:
    def test_asked_for_again(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write_all(volume(2))
        index()
        first = signed_in.get(f"{ADDRESS}/metadata")
        assert first.headers["Content-Type"] == "application/dicom+json"
        assert first.headers["Cache-Control"] == "no-store"  # it names the patient
        known = {"If-None-Match": first.headers["ETag"]}
        assert signed_in.get(f"{ADDRESS}/metadata", headers=known).status_code == 304
        folder.write("more", volume(3)[2])
        index()
        assert signed_in.get(f"{ADDRESS}/metadata", headers=known).status_code == 200

    def test_compressed(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write_all(volume(20))
        index()
        answer = signed_in.get(f"{ADDRESS}/metadata", headers={"Accept-Encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip"
        assert len(answer.json()) == 20

    def test_pictures_there_are_not(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image())
        index()
        answer = signed_in.get(f"{ADDRESS}/metadata", headers={"Accept": "image/png"})
        assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")

    def test_head(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image())
        index()
        answer = signed_in.head(f"{ADDRESS}/metadata")
        assert (answer.status_code, answer.content) == (200, b"")
        assert "Content-Length" not in answer.headers


def test_one_audit_record(signed_in: TestClient, folder: Folder, index: Index, database: Database) -> None:
    folder.write_all(volume(3))
    index()
    metadata(signed_in)
    metadata(signed_in, f"{ADDRESS}/instances/{uid('series', 2)}")
    with database.reading() as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.kind == "metadata")).all()
    assert [(event.study_instance_uid, event.series_instance_uid) for event in events] == [(STUDY, SERIES)]


XML = {"Accept": 'multipart/related; type="application/dicom+xml"'}


class TestXml:
    @pytest.mark.parametrize("level", ["study", "series", "instance"])
    def test_it_says_what_the_json_says(
        self, signed_in: TestClient, folder: Folder, index: Index, level: str
    ) -> None:
        folder.write_all(volume(3))
        index()
        address = {
            "study": f"/dicomweb/studies/{STUDY}",
            "series": ADDRESS,
            "instance": f"{ADDRESS}/instances/{uid('series', 2)}",
        }[level]
        parts = parts_of(signed_in.get(f"{address}/metadata", headers=XML), "application/dicom+xml")
        assert [read_dicom_xml(part.content) for part in parts] == metadata(signed_in, address)
        assert {part.media_type for part in parts} == {"application/dicom+xml"}

    def test_it_is_sent_compressed(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image())
        index()
        answer = signed_in.get(f"{ADDRESS}/metadata", headers={**XML, "Accept-Encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip"


class TestStudy:
    def test_all_series_of_it(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        for series in ("one", "two"):
            folder.write_all([image(series=series, study="both", instance=n) for n in (1, 2)], prefix=series)
        index()
        study = f"/dicomweb/studies/{uid('study of', 'both')}"
        found = metadata(signed_in, study)
        assert sorted(one["00080018"]["Value"][0] for one in found) == sorted(
            uid(series, n) for series in ("one", "two") for n in (1, 2)
        )
        for one in found:
            uids = one["0020000E"]["Value"][0], one["00080018"]["Value"][0]
            path = "series/{}/instances/{}/bulkdata/7FE00010".format(*uids)
            assert one["7FE00010"]["BulkDataURI"] == f"{SERVER}{study}/{path}"
            assert signed_in.get(f"{study}/{path}").content == image().PixelData

    def test_304(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image())
        index()
        address = f"/dicomweb/studies/{STUDY}/metadata"
        tag = signed_in.get(address).headers["ETag"]
        assert signed_in.get(address, headers={"If-None-Match": tag}).status_code == 304
        xml = {**XML, "If-None-Match": tag}
        assert signed_in.get(address, headers=xml).status_code == 200

    def test_unknown(self, signed_in: TestClient) -> None:
        answer = signed_in.get("/dicomweb/studies/1.2.3/metadata")
        assert (answer.status_code, answer.json()["code"]) == (404, "study_not_found")


class TestAFileThatIsNotTheOneThatWasIndexed:
    def test_nothing_of_its_content_is_told(
        self, signed_in: TestClient, folder: Folder, index: Index, database: Database
    ) -> None:
        folder.write_all(volume(2))
        index()
        with database.writing() as session:
            found = Instance.sop_instance_uid == uid("series", 2)
            session.execute(update(Instance).where(found).values(refused_code="integrity_mismatch"))
        by_uid = {one["00080018"]["Value"][0]: one for one in metadata(signed_in)}
        assert by_uid[uid("series", 2)].keys() == {"00080018", "0020000D", "0020000E"}
        assert "00100010" in by_uid[uid("series", 1)]
        answer = signed_in.get(f"{ADDRESS}/instances/{uid('series', 2)}/metadata")
        assert (answer.status_code, answer.json()["code"]) == (410, "integrity_mismatch")
