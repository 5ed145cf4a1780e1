"""Storing over HTTP (STOW-RS): statuses of PS3.18 table 10.5.3-1, Failure Reasons of PS3.18 I.2.2."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from imageserver.audit.models import AuditEvent, Outcome
from imageserver.database import Database
from imageserver.settings import Settings
from tests.builders import image, to_bytes, uid, volume
from tests.storing import (
    ODD_PARAMETERS,
    STUDIES,
    content_type,
    files_in,
    reasons,
    related,
    store,
    stored_uids,
)

STUDY = uid("study of", "series")
EXPLICIT, REPORT = b"1.2.840.10008.1.2.1", b"1.2.840.10008.5.1.4.1.1.88.11"
CANNOT_UNDERSTAND, OTHER_STUDY, DUPLICATE = 0xC000, 0xA901, 0x0111


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a store."""
    return settings.model_copy(update={"store_dir": settings.state_dir / "store"})


class TestStored:
    def test_the_bytes_are_kept_and_everything_shows_them(
        self, signed_in: TestClient, settings: Settings
    ) -> None:
        made = [to_bytes(one) for one in volume(5)]
        answer = store(signed_in, made)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "application/dicom+json"
        assert stored_uids(answer) == [uid("series", number) for number in range(1, 6)]
        assert sorted(path.read_bytes() for path in files_in(settings)) == sorted(made)
        [listed] = signed_in.get("/volumes").json()["volumes"]
        assert (listed["slice_count"], listed["verdict"]) == (5, "volume")
        assert signed_in.get("/studies").json()["total"] == 1
        assert signed_in.get("/slice").headers["X-Slice-Count"] == "5"
        metadata = signed_in.get(f"{STUDIES}/{STUDY}/series/{uid('series')}/metadata")
        assert len(metadata.json()) == 5

    def test_the_boundary_of_orthanc(self, signed_in: TestClient) -> None:
        # Its DICOMweb plugin joins two UUIDs: 73 characters, where RFC 2046 has at most 70.
        boundary = "-".join(["aa0d3e18-9efd-43ab-a456-f3f3996d90a9"] * 2)
        body = related([to_bytes(image())], boundary=boundary).removesuffix(b"\r\n")
        answer = signed_in.post(STUDIES, content=body, headers=content_type(boundary=boundary))
        assert (answer.status_code, stored_uids(answer)) == (200, [uid("series", 1)])

    def test_nothing_is_left_of_receiving(self, signed_in: TestClient, settings: Settings) -> None:
        store(signed_in, [image(), b"not DICOM"])
        assert files_in(settings, ".incoming") == []

    def test_the_answer_says_where_they_are(self, signed_in: TestClient) -> None:
        answer = store(signed_in, [image()], STUDY).json()
        root = "http://localhost:8000/dicomweb/studies/" + STUDY
        assert answer["00081190"] == {"vr": "UR", "Value": [root]}
        [item] = answer["00081199"]["Value"]
        address = f"{root}/series/{uid('series')}/instances/{uid('series', 1)}"
        assert item["00081190"] == {"vr": "UR", "Value": [address]}
        assert signed_in.get(address.removeprefix("http://localhost:8000") + "/metadata").status_code == 200

    def test_what_is_new_has_a_location(self, signed_in: TestClient) -> None:  # table 10.5.3-2
        root = "http://localhost:8000" + STUDIES
        assert store(signed_in, [image()]).headers["Location"] == f"{root}/{STUDY}"
        assert "Location" not in store(signed_in, [image()]).headers  # the same again

    def test_one_file_without_parts(self, signed_in: TestClient) -> None:
        answer = signed_in.post(
            STUDIES, content=to_bytes(image()), headers={"Content-Type": "application/dicom"}
        )
        assert (answer.status_code, len(stored_uids(answer))) == (200, 1)

    def test_an_object_that_cannot_be_shown(self, signed_in: TestClient) -> None:
        report = image(PixelData=None, Rows=None, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", Modality="SR")
        assert store(signed_in, [report]).status_code == 200

    def test_it_is_in_the_audit(self, signed_in: TestClient, database: Database) -> None:
        store(signed_in, [*volume(3), to_bytes(image(series="other"))[:-20]])
        with database.reading() as session:
            found = session.scalars(select(AuditEvent).where(AuditEvent.kind == "stored")).all()
        told = {(one.outcome, one.reason, one.series_instance_uid, one.sop_instance_uid) for one in found}
        assert told == {
            (Outcome.SUCCESS, "stored", uid("series"), None),
            (Outcome.FAILURE, "truncated", uid("other"), uid("other", 1)),
        }
        assert all(one.username == "ada" for one in found)


class TestStatus:
    def test_anonymous(self, client: TestClient) -> None:
        assert store(client, [image()]).status_code == 401

    def test_some_are_refused(self, signed_in: TestClient) -> None:
        whole, cut = to_bytes(image(instance=1)), to_bytes(image(instance=2))[:-1]
        answer = store(signed_in, [whole, cut])
        assert answer.status_code == 202
        assert stored_uids(answer) == [uid("series", 1)]
        assert reasons(answer) == {uid("series", 2): CANNOT_UNDERSTAND}

    def test_all_are_refused(self, signed_in: TestClient) -> None:
        answer = store(signed_in, [b"this is not DICOM"])
        assert answer.status_code == 409
        assert answer.json() == {
            "00081190": {"vr": "UR"},
            "0008119A": {
                "vr": "SQ",
                "Value": [{"00081197": {"vr": "US", "Value": [CANNOT_UNDERSTAND]}}],
            },
        }

    def test_of_another_study(self, signed_in: TestClient) -> None:
        answer = store(signed_in, [image()], uid("another"))
        assert (answer.status_code, reasons(answer)) == (409, {uid("series", 1): OTHER_STUDY})

    @pytest.mark.parametrize("text", [b"1.2.\xe9", b"1.2.3\r\nX-A: b", b"1.2\x01"])
    @pytest.mark.parametrize("place", [EXPLICIT, REPORT])
    @pytest.mark.parametrize("kind", ["json", "xml"])
    def test_a_uid_that_is_none(self, signed_in: TestClient, text: bytes, place: bytes, kind: str) -> None:
        report = to_bytes(
            image(PixelData=None, Rows=None, SOPClassUID=REPORT.decode(), Modality="SR"), EXPLICIT.decode()
        )
        odd = place + b"\0" * (len(place) % 2)
        answer = store(
            signed_in, [report.replace(odd, text.ljust(len(odd)))], Accept=f"application/dicom+{kind}"
        )
        assert answer.status_code == 409
        if kind == "json" and place == EXPLICIT:
            assert reasons(answer) == {uid("series", 1): CANNOT_UNDERSTAND}

    def test_one_bad_of_a_thousand(self, signed_in: TestClient, settings: Settings) -> None:
        made = [to_bytes(image(instance=number)) for number in range(1, 1001)]
        made[617] = made[617][:-1]
        answer = store(signed_in, made)
        assert (answer.status_code, len(stored_uids(answer))) == (202, 999)
        assert reasons(answer) == {uid("series", 618): CANNOT_UNDERSTAND}
        assert len(files_in(settings)) == 999

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"no boundary at all",
            related([to_bytes(image())])[:-6],
            related([to_bytes(image())], boundary="another"),
            b"--a-boundary\r\nContent-Type application/dicom\r\n\r\nx\r\n--a-boundary--",
            b"--a-boundary\r\n" + b"X-Long: " + b"x" * 2000 + b"\r\n\r\nx\r\n--a-boundary--",
            b"--a-boundary\r\n" + b"X: 1\r\n" * 17 + b"\r\nx\r\n--a-boundary--",
            b"--a-boundary--\r\n",
        ],
    )
    def test_malformed(self, signed_in: TestClient, settings: Settings, body: bytes) -> None:
        answer = signed_in.post(STUDIES, content=body, headers=content_type())
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")
        assert files_in(settings) == files_in(settings, ".incoming") == []

    @pytest.mark.parametrize("boundary", ["", "x" * 201, '"a;b "', '"ends with a blank "'])
    def test_malformed_boundary(self, signed_in: TestClient, boundary: str) -> None:
        headers = {"Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}'}
        assert signed_in.post(STUDIES, content=b"", headers=headers).status_code == 400

    @pytest.mark.parametrize(
        "kind", ["text/plain", "multipart/form-data; boundary=a", 'multipart/related; type="text/plain"']
    )
    def test_unsupported_type(self, signed_in: TestClient, kind: str) -> None:
        answer = signed_in.post(STUDIES, content=b"x", headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")

    @pytest.mark.parametrize("parameters", ODD_PARAMETERS)
    def test_parameters_in_odd_pieces(self, signed_in: TestClient, parameters: str) -> None:
        kind = f'multipart/related; {parameters}; type="application/dicom"; boundary=a-boundary'
        answer = signed_in.post(STUDIES, content=related([b"x"]), headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")

    @pytest.mark.parametrize(
        ("encoding", "status"), [("gzip", 415), ("identity, br", 415), ("identity", 200), ("Identity", 200)]
    )
    def test_content_encoding(self, signed_in: TestClient, encoding: str, status: int) -> None:
        assert store(signed_in, [image()], **{"Content-Encoding": encoding}).status_code == status

    def test_a_part_of_another_type(self, signed_in: TestClient) -> None:
        body = related([b"words"], "text/plain")
        answer = signed_in.post(STUDIES, content=body, headers=content_type())
        assert answer.status_code == 409
        assert answer.json()["0008119A"]["Value"][0]["00081197"]["Value"] == [CANNOT_UNDERSTAND]

    def test_too_many_parts(self, signed_in: TestClient, settings: Settings) -> None:
        body = related([to_bytes(image())])[: -len("--a-boundary--\r\n")] + related(
            [b""] * 10_000, "text/plain"
        )
        answer = signed_in.post(STUDIES, content=body, headers=content_type())
        assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")
        assert files_in(settings) == files_in(settings, ".incoming") == []

    def test_not_acceptable(self, signed_in: TestClient, settings: Settings) -> None:
        assert store(signed_in, [image()], Accept="text/html").status_code == 406
        assert files_in(settings) == []

    def test_xml(self, signed_in: TestClient) -> None:
        answer = store(signed_in, [image()], Accept="application/dicom+xml")
        assert answer.headers["Content-Type"] == "application/dicom+xml"
        assert b'keyword="ReferencedSOPSequence"' in answer.content

    def test_malformed_uid(self, signed_in: TestClient) -> None:
        assert store(signed_in, [image()], "1.2.x").status_code == 400

    def test_too_large_a_file(self, signed_in: TestClient, settings: Settings) -> None:
        signed_in.app.state.archive.store._file_bytes = 500  # type: ignore[attr-defined]
        assert store(signed_in, [image()]).status_code == 413
        assert files_in(settings) == files_in(settings, ".incoming") == []


class TestNotConfigured:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"store_dir": None})

    def test_the_answer_says_so(self, signed_in: TestClient) -> None:
        answer = store(signed_in, [image()])
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
        assert answer.json()["code"] == "store_not_configured"
        assert "IMAGESERVER_STORE_DIR" in answer.json()["detail"]


class TestDuplicates:
    def test_the_same_bytes_again(self, signed_in: TestClient, settings: Settings) -> None:
        assert store(signed_in, [image()]).status_code == 200
        assert store(signed_in, [image(), image()]).status_code == 200
        assert len(files_in(settings)) == 1

    def test_other_bytes(self, signed_in: TestClient, settings: Settings, database: Database) -> None:
        first, second = image(), image(PatientName="Roe^Richard")
        store(signed_in, [first])
        answer = store(signed_in, [second])
        assert (answer.status_code, reasons(answer)) == (409, {uid("series", 1): DUPLICATE})
        assert [path.read_bytes() for path in files_in(settings)] == [to_bytes(first)]
        assert [path.read_bytes() for path in files_in(settings, ".quarantine")] == [to_bytes(second)]
        with database.reading() as session:
            kinds = session.scalars(select(AuditEvent.kind).where(AuditEvent.outcome == Outcome.FAILURE))
            assert set(kinds) == {"stored", "security_alert"}

    def test_other_bytes_in_one_request(self, signed_in: TestClient, settings: Settings) -> None:
        answer = store(signed_in, [image(), image(PatientName="Roe^Richard")])
        assert (answer.status_code, reasons(answer)) == (202, {uid("series", 1): DUPLICATE})
        assert len(files_in(settings)) == 1
