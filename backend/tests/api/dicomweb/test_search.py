"""Search over HTTP (PS3.18 10.6): parameters, answers and status codes."""

import json
import os
import shutil
import xml.etree.ElementTree as ET
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import httpx
import pytest
from anyio import to_thread
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydicom.sequence import Sequence as Items
from sqlalchemy import select

from imageserver.api.costly_requests import CostlyRequests
from imageserver.api.dicomweb import search_query
from imageserver.archive import instance_search
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from imageserver.settings import Settings
from tests.api.conftest import Index
from tests.builders import image, item, uid, volume
from tests.folders import Folder

XML = 'multipart/related; type="application/dicom+xml"'
CORPUS = os.environ.get("DICOM_CORPUS_DIR", "")


def ask(client: TestClient, path: str, **headers: str) -> httpx.Response:
    return client.get(f"/dicomweb{path}", headers=headers)


def found(client: TestClient, path: str) -> list[dict[str, Any]]:
    answer = ask(client, path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/dicom+json"
    results: list[dict[str, Any]] = answer.json()
    return results


def values(results: list[dict[str, Any]], tag: str) -> list[Any]:
    return [one[tag].get("Value", [None])[0] for one in results]


@pytest.fixture
def three(folder: Folder, index: Index, signed_in: TestClient) -> TestClient:
    """A client of an archive of three studies of two patients; the second study has two series."""
    steps = Items([item(ScheduledProcedureStepID="S1", RequestedProcedureID="R1")])
    folder.write_all(
        [
            *volume(
                2, series="a", study=1, StudyDate="20200101", StudyTime="1030", AccessionNumber="A%1",
                RequestAttributesSequence=steps, StudyDescription="Head",
            ),
            image(series="b", study=2, StudyDate="20210101", SeriesNumber=2, PatientAge="040Y"),
            image(series="c", study=2, StudyDate="20210101", SeriesNumber=1, Modality="MR"),
            image(
                series="d", study=3, StudyDate="20220101", PatientID="TEST-2", SpecificCharacterSet="ISO_IR 192",
                PatientName="Müller^Änne=山田",
            ),
        ]
    )  # fmt: skip
    index()
    return signed_in


STUDIES = [uid("study of", number) for number in (3, 2, 1)]  # newest first


class TestWhoMaySearch:
    @pytest.mark.parametrize("path", ["/studies", "/series", "/instances", "/studies/1.2/series"])
    def test_anonymous(self, client: TestClient, path: str) -> None:
        assert ask(client, path).status_code == 401

    def test_what_was_told_is_recorded(self, three: TestClient, database: Database) -> None:
        found(three, "/studies?PatientID=TEST-2")
        with database.reading() as session:
            rows = session.scalars(select(AuditEvent).where(AuditEvent.kind == "search")).all()
        assert {row.study_instance_uid for row in rows} == {None, STUDIES[0]}


class TestLevels:
    def test_studies(self, three: TestClient) -> None:  # table 10.6.3-3
        results = found(three, "/studies")
        assert values(results, "0020000D") == STUDIES
        second = results[1]
        assert second["00080061"] == {"vr": "CS", "Value": ["CT", "MR"]}
        assert second["00080005"] == {"vr": "CS", "Value": ["ISO_IR 192"]}
        assert second["00201206"] == {"vr": "IS", "Value": [2]}
        assert second["00201208"] == {"vr": "IS", "Value": [2]}
        assert second["00080056"] == {"vr": "CS", "Value": ["ONLINE"]}
        assert second["00100030"] == {"vr": "DA"}
        address = f"http://localhost:8000/dicomweb/studies/{STUDIES[1]}"
        assert second["00081190"] == {"vr": "UR", "Value": [address]}
        assert list(second) == sorted(second)

    def test_series_of_a_study(self, three: TestClient) -> None:  # table 10.6.3-4
        results = found(three, f"/studies/{STUDIES[1]}/series")
        assert values(results, "00200011") == [1, 2]
        assert values(results, "00080060") == ["MR", "CT"]
        assert values(results, "00201209") == [1, 1]
        assert "00100010" not in results[0]
        assert results[0]["00081190"]["Value"] == [
            f"http://localhost:8000/dicomweb/studies/{STUDIES[1]}/series/{uid('c')}"
        ]

    def test_series_of_all_studies_tell_of_their_studies(self, three: TestClient) -> None:
        results = found(three, "/series?Modality=MR&PatientID=TEST-1")
        assert values(results, "0020000E") == [uid("c")]
        assert values(results, "00080020") == ["20210101"]

    def test_instances(self, three: TestClient) -> None:  # table 10.6.3-5
        path = f"/studies/{STUDIES[2]}/series/{uid('a')}/instances"
        results = found(three, path)
        assert values(results, "00200013") == [1, 2]
        assert values(results, "00280010") == [8, 8]
        assert values(results, "00080016") == ["1.2.840.10008.5.1.4.1.1.2"] * 2
        assert "00080060" not in results[0]
        assert results[0]["00081190"]["Value"][0].endswith(
            f"{path[:-9]}instances/{results[0]['00080018']['Value'][0]}"
        )
        assert "00080060" in found(three, f"/studies/{STUDIES[2]}/instances")[0]
        assert len(found(three, "/instances")) == 5

    def test_unknown_studies_have_nothing(self, three: TestClient) -> None:
        assert found(three, "/studies/1.2.3/series") == []
        assert found(three, f"/studies/{STUDIES[0]}/series/{uid('a')}/instances") == []

    def test_requests_of_a_series(self, three: TestClient) -> None:
        [one] = found(three, "/series?RequestAttributesSequence.RequestedProcedureID=R1")
        assert one["00400275"]["Value"][0]["00400009"]["Value"] == ["S1"]


class TestMatching:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("PatientName=doe*", [1, 2]),
            ("PatientName=doe^jane", [1, 2]),
            ("PatientName=山田", [0]),
            ("PatientName=mulle&fuzzymatching=true", [0]),
            ("PatientName=mulle&fuzzymatching=false", []),
            ("PatientID=TEST-2", [0]),
            ("PatientID=test-2", []),
            ("00100020=TEST-?", [0, 1, 2]),
            ("PatientID=TEST-2%5CX&multiplevaluematching=true", [0]),
            ("StudyDate=20200601-20211231", [1]),
            ("StudyDate=20200101&StudyTime=10-11", [2]),
            ("AccessionNumber=A%25*", [2]),
            ('AccessionNumber=""&emptyvaluematching=true', [0, 1]),
            ("ModalitiesInStudy=MR", [1]),
            ("ModalitiesInStudy=CT,MR", [0, 1, 2]),
            (f"StudyInstanceUID={STUDIES[0]},{STUDIES[2]}", [0, 2]),
            (f"StudyInstanceUID={STUDIES[0]}&StudyInstanceUID={STUDIES[2]}", [0, 2]),
            ("NumberOfStudyRelatedSeries=2", [1]),
            ("StudyDescription=Head&PatientSex=", [2]),
        ],
    )
    def test_studies(self, three: TestClient, query: str, expected: list[int]) -> None:
        results = found(three, f"/studies?{query}")
        assert values(results, "0020000D") == [STUDIES[place] for place in expected]

    def test_attributes_that_only_instances_have(self, three: TestClient) -> None:
        assert len(found(three, "/instances?Rows=8&ImagePositionPatient=0")) > 0
        assert found(three, "/instances?Rows=9") == []

    def test_attributes_that_were_asked_for_are_answered(self, three: TestClient) -> None:
        assert values(found(three, "/studies?PatientAge=040Y"), "00101010") == ["040Y"]


class TestIncludefield:
    def test_listed_and_repeated(self, three: TestClient) -> None:
        [one] = found(
            three,
            f"/series?SeriesInstanceUID={uid('a')}&includefield=00180050,ImageType&includefield=PatientAge",
        )
        assert "00101010" not in one
        path = (
            f"/instances?SeriesInstanceUID={uid('a')}&includefield=ImageType,00200032&includefield=PatientID"
        )
        one = found(three, path)[0]
        assert one["00080008"]["Value"] == ["ORIGINAL", "PRIMARY", "AXIAL"]
        assert {"00200032", "00100020"} <= one.keys()

    def test_what_there_is_not_is_left_out(self, three: TestClient) -> None:
        usual = found(three, "/studies")
        assert found(three, "/studies?includefield=Foo,Rows,,00091001&includefield=") == usual

    def test_all(self, three: TestClient) -> None:
        one = found(three, f"/instances?SeriesInstanceUID={uid('a')}&includefield=all")[0]
        assert {"00280030", "00400275", "00081190", "00201206"} <= one.keys()
        assert "7FE00010" not in one  # bulk data are the metadata's

    def test_sequences(self, three: TestClient) -> None:
        path = f"/studies/{STUDIES[2]}/instances?includefield=RequestAttributesSequence.RequestedProcedureID"
        assert found(three, path)[0]["00400275"]["Value"][0]["00401001"]["Value"] == ["R1"]


class TestPages:
    def test_limit_and_offset(self, three: TestClient) -> None:
        pages = [found(three, f"/studies?limit=1&offset={offset}") for offset in range(4)]
        assert [values(page, "0020000D") for page in pages] == [[STUDIES[0]], [STUDIES[1]], [STUDIES[2]], []]
        assert "warning" not in ask(three, "/studies?limit=1&offset=2").headers

    def test_a_warning_where_the_client_cuts(self, three: TestClient) -> None:  # 8.3.4.4.1: remaining > 0
        answer = ask(three, "/studies?limit=1")
        text = "There are additional results that can be requested"
        assert answer.headers["warning"] == f"299 http://localhost:8000/dicomweb: {text}"

    def test_a_warning_where_the_server_cuts(
        self, three: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:  # 8.3.4.4
        monkeypatch.setattr(search_query, "MOST_RESULTS", 2)
        for path in ("/studies", "/studies?limit=3"):
            answer = ask(three, path)
            assert len(answer.json()) == 2
            text = "There are 1 additional results that can be requested"
            assert answer.headers["warning"] == f"299 http://localhost:8000/dicomweb: {text}"


class TestForms:
    def test_xml_has_a_part_for_each(self, three: TestClient) -> None:  # PS3.19 A.1
        for answer in (ask(three, "/studies", Accept=XML), ask(three, f"/studies?accept={XML}")):
            assert answer.status_code == 200
            head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
            message = BytesParser(EmailMessage, policy=HTTP).parsebytes(head + answer.content)
            parts = list(message.iter_parts())
            assert [part.get_content_type() for part in parts] == ["application/dicom+xml"] * 3
            roots = [ET.fromstring(part.get_payload(decode=True)) for part in parts]  # type: ignore[arg-type]
            uids = [
                next(one[0].text for one in root if one.attrib["keyword"] == "StudyInstanceUID")
                for root in roots
            ]
            assert uids == STUDIES

    def test_nothing_found(self, three: TestClient) -> None:
        assert found(three, "/studies?PatientID=X") == []
        answer = ask(three, "/studies?PatientID=X", Accept=XML)
        assert (answer.status_code, answer.content) == (204, b"")

    @pytest.mark.parametrize(
        ("accept", "expected"),
        [
            ("*/*", "application/dicom+json"),
            ("application/json", "application/json"),
            ("text/html, application/dicom+json;q=0.5", "application/dicom+json"),
        ],
    )
    def test_json(self, three: TestClient, accept: str, expected: str) -> None:
        answer = ask(three, "/studies", Accept=accept)
        assert answer.headers["content-type"] == expected
        assert answer.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize(
        "accept", ["text/html", "application/dicom", 'multipart/related; type="image/jpeg"']
    )
    def test_what_there_is_not(self, three: TestClient, accept: str) -> None:
        answer = ask(three, "/studies", Accept=accept)
        assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
        assert "application/dicom+json" in answer.json()["detail"]


class TestBadQueries:
    @pytest.mark.parametrize(
        "query",
        [
            "Foo=1", "PatientName=a&Nonsense=b", "limit=-1", "limit=x", "limit=1&limit=2", "offset=99999999999",
            "fuzzymatching=yes", "StudyDate=2020", "StudyDate=20200101-x", "StudyInstanceUID=a", "SeriesNumber=1",
            "PatientID=A%5CB", "PatientID=A&PatientID=B", "RequestAttributesSequence=x", "Rows=8",
            "PatientName=" + "*a" * 20, "PatientName=" + "a" * 600, "PatientID=%00", "00020010=1", "Modality=CT",
        ],
    )  # fmt: skip
    def test_are_400_and_name_the_parameter(self, three: TestClient, query: str) -> None:
        answer = ask(three, f"/studies?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter"), answer.text
        assert answer.headers["content-type"] == "application/problem+json"

    def test_what_has_not_the_form_of_an_attribute_is_ignored(self, three: TestClient) -> None:  # 8.3
        answer = ask(three, f"/studies?_=1&orderby=-StudyDate&a%0D%0Ab=1&=1&StudyInstanceUID={STUDIES[0]}")
        assert values(answer.json(), "0020000D") == [STUDIES[0]]
        text = "These query parameters are not supported and were ignored: _ orderby a?parameter ?"
        assert answer.headers["warning"] == f"299 http://localhost:8000/dicomweb: {text}"

    @pytest.mark.parametrize(
        "query",
        [
            "multiplevaluematching=true&PatientID=" + "%5C".join(f"{number}*" for number in range(1000)),
            "&".join(f"RequestAttributesSequence.0009{number:04X}=1" for number in range(0x1000, 0x1400)),
        ],
        ids=["wild cards", "keys"],
    )
    def test_more_than_the_database_takes(self, three: TestClient, query: str) -> None:  # T33
        answer = ask(three, f"/series?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter"), answer.text
        assert "At most 100 conditions" in answer.json()["detail"]

    def test_no_value_comes_back(self, three: TestClient) -> None:
        assert "Secret" not in ask(three, "/studies?StudyDate=Secret").text

    def test_a_malformed_uid_in_the_address(self, three: TestClient) -> None:
        assert ask(three, "/studies/x/series").status_code == 400

    def test_too_much_to_look_into(self, three: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(instance_search, "MOST_EXAMINED", 2)
        monkeypatch.setattr(instance_search, "AT_ONCE", 1)
        answer = ask(three, "/instances?Columns=9")
        assert (answer.status_code, answer.json()["code"]) == (413, "search_too_broad")


class TestPlaces:
    """Looking into headers takes one of the places that an account has for costly requests (T33)."""

    @pytest.mark.parametrize("path", ["/instances?ImageType=zzz", f"/studies/{STUDIES[0]}/instances?Rows=8"])
    def test_searches_that_look_into_headers_are_limited(
        self, three: TestClient, app: FastAPI, path: str
    ) -> None:
        app.state.costly_requests = CostlyRequests(0)
        answer = ask(three, path)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
        assert answer.headers["Retry-After"] == "1"

    def test_what_the_index_answers_is_not(self, three: TestClient, app: FastAPI) -> None:
        app.state.costly_requests = CostlyRequests(0)
        assert len(found(three, "/studies?PatientID=TEST*")) == 3
        assert len(found(three, f"/instances?Modality=MR&SeriesInstanceUID={uid('c')}")) == 1
        assert ask(three, "/instances?Foo=1").status_code == 400

    def test_places_are_given_back(
        self, three: TestClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        app.state.costly_requests = CostlyRequests(1)
        monkeypatch.setattr(instance_search, "MOST_EXAMINED", 2)
        monkeypatch.setattr(instance_search, "AT_ONCE", 1)
        for path, expected in (
            ("/instances?Columns=9", 413),
            ("/series?Rows=8", 400),
            ("/instances?Rows=8", 413),
        ):
            assert ask(three, path).status_code == expected
        assert len(found(three, f"/studies/{STUDIES[0]}/instances?Rows=8")) == 1

    def test_anonymous_ones_take_none(self, client: TestClient, app: FastAPI) -> None:
        app.state.costly_requests = CostlyRequests(0)
        assert ask(client, "/instances?Rows=8").status_code == 401


def test_no_file_is_opened(three: TestClient, settings: Settings) -> None:
    before = [ask(three, path).json() for path in ("/studies", "/instances?includefield=all")]
    for path in settings.data_dir.iterdir():
        path.write_bytes(b"")
    assert [ask(three, path).json() for path in ("/studies", "/instances?includefield=all")] == before


@pytest.mark.skipif(not CORPUS, reason="DICOM_CORPUS_DIR is not set")
def test_over_real_files(signed_in: TestClient, index: Index, settings: Settings) -> None:
    shutil.copytree(CORPUS, settings.data_dir / "corpus", copy_function=_old)
    index()
    studies = found(signed_in, "/studies?includefield=all")
    assert len(studies) > 20
    instances = 0
    for study in studies:
        [study_uid] = study["0020000D"]["Value"]
        series = found(signed_in, f"/studies/{study_uid}/series?includefield=all")
        assert len(series) == study["00201206"]["Value"][0]
        own = found(signed_in, f"/studies/{study_uid}/instances?includefield=all")
        assert len(own) == study["00201208"]["Value"][0]
        assert sum(values(series, "00201209")) == len(own)
        instances += len(own)
        for tag in ("00100010", "00100020", "00080020", "00081030"):
            _is_found_by_its_own_value(signed_in, study, tag)
        assert (
            ask(signed_in, f"/studies/{study_uid}/instances?includefield=all", Accept=XML).status_code == 200
        )
    assert instances == len(found(signed_in, "/instances"))


def _old(source: str, target: str) -> None:
    shutil.copy(source, target)
    os.utime(target, (0, 1_000_000_000))


def _is_found_by_its_own_value(client: TestClient, study: dict[str, Any], tag: str) -> None:
    for value in study.get(tag, {}).get("Value", ())[:1]:
        text = (
            "=".join(value.get(group, "") for group in ("Alphabetic", "Ideographic", "Phonetic"))
            if isinstance(value, dict)
            else str(value)
        )
        if "\\" in text or not text.strip("="):
            continue
        answer = client.get("/dicomweb/studies", params={tag: text})
        assert answer.status_code == 200, json.dumps([tag, answer.text])
        assert study["0020000D"]["Value"][0] in values(answer.json(), "0020000D")


def test_a_search_takes_one_turn_of_threads(signed_in: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes longer than what many a search asks of the database."""
    turns: list[object] = []
    run = to_thread.run_sync

    async def count(work: Any, *arguments: Any, **options: Any) -> Any:
        turns.append(work)
        return await run(work, *arguments, **options)

    monkeypatch.setattr(to_thread, "run_sync", count)
    assert signed_in.get("/dicomweb/studies?PatientID=A").status_code == 200
    assert len(turns) == 1, turns
