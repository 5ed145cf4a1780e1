"""Capabilities: what is told is what is answered (PS3.18 8.9)."""

import re
from xml.etree import ElementTree

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from imageserver.api.dicomweb.capabilities import CONFORMANCE, offered_resources

WADL = "application/vnd.sun.wadl+xml"
NS = {"w": "http://wadl.dev.java.net/2009/02"}
SERIES = "/dicomweb/studies/1.2/series/1.3"
PAGE = "http://localhost:3000"


def described(body: bytes) -> dict[str, set[str]]:
    """Paths of a description with their methods."""
    root = ElementTree.fromstring(body)
    return {
        f"/{resource.attrib['path']}": {method.attrib["name"] for method in resource.findall("w:method", NS)}
        for resource in root.findall("w:resources/w:resource", NS)
    }


class TestGet:
    @pytest.mark.parametrize("path", ["/dicomweb", "/dicomweb/", "/dicomweb/conformance"])
    def test_anonymous(self, client: TestClient, path: str) -> None:
        assert client.get(path).status_code == client.options(path).status_code == 401

    @pytest.mark.parametrize("path", ["/dicomweb", "/dicomweb/"])
    def test_every_resource_is_told(self, app: FastAPI, signed_in: TestClient, path: str) -> None:
        answer = signed_in.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, WADL)
        found = described(answer.content)
        paths = {re.sub(r":\w+}", "}", one.path) for one in offered_resources(app)}
        assert set(found) == paths
        metadata = "/dicomweb/studies/{study_instance_uid}/series/{series_instance_uid}/metadata"
        assert found[metadata] == {"GET"}

    def test_parameters_and_media_types_are_told(self, signed_in: TestClient) -> None:
        root = ElementTree.fromstring(signed_in.get("/dicomweb").content)
        base = root.find("w:resources", NS)
        assert base is not None
        assert base.attrib["base"] == "http://localhost:8000/"
        method = root.find(".//w:method[@id='get_series_metadata']", NS)
        assert method is not None
        types = {one.attrib["mediaType"] for one in method.iterfind(".//w:representation", NS)}
        assert "application/dicom+json" in types
        assert {one.attrib["status"] for one in method.iterfind("w:response", NS)} >= {
            "200",
            "401",
            "404",
            "406",
        }
        method = root.find(".//w:method[@id='get_rendered_series']", NS)
        assert method is not None
        names = {one.attrib["name"] for one in method.iterfind("w:request/w:param", NS)}
        assert {"window", "viewport", "quality"} <= names

    def test_json(self, app: FastAPI, signed_in: TestClient) -> None:
        document = signed_in.get("/dicomweb", headers={"Accept": "application/json"}).json()
        assert document["version"] == app.version
        assert document["conformance"] == "http://localhost:8000/dicomweb/conformance"
        assert {one["path"] for one in document["resources"]} >= {"/dicomweb", "/dicomweb/conformance"}

    def test_other_media_types(self, signed_in: TestClient) -> None:
        for accept, status in (("*/*", 200), (WADL, 200), ("text/html", 406), (f"{WADL};q=0", 406)):
            assert signed_in.get("/dicomweb", headers={"Accept": accept}).status_code == status, accept

    def test_the_conformance_statement_is_linked(self, signed_in: TestClient) -> None:
        link = signed_in.get("/dicomweb").links["describedby"]["url"]
        answer = signed_in.get(link)
        assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
        assert answer.content == CONFORMANCE.read_bytes()
        assert answer.text.startswith("# DICOM conformance statement")


class TestOptions:
    def test_allow_is_what_is_answered(self, app: FastAPI, signed_in: TestClient) -> None:
        """No method that is allowed is 405, every other is."""
        for resource in offered_resources(app):
            path = re.sub(r"{\w+_uid}", "1.2.3", resource.path)
            path = re.sub(r"{[\w:]+}", "1", path)
            answer = signed_in.options(path)
            assert answer.status_code == 200, path
            allowed = set(answer.headers["allow"].split(", "))
            assert {"OPTIONS"} < allowed, path
            for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
                status = signed_in.request(method, path).status_code
                assert (status == 405) is (method not in allowed), (method, path, status)

    def test_it_describes_this_resource_alone(self, signed_in: TestClient) -> None:
        answer = signed_in.options(f"{SERIES}/metadata")
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
        assert list(described(answer.content)) == [
            "/dicomweb/studies/{study_instance_uid}/series/{series_instance_uid}/metadata"
        ]
        assert len(described(signed_in.options("/dicomweb/").content)) > 5

    def test_an_unknown_address(self, signed_in: TestClient) -> None:
        for method in ("OPTIONS", "GET"):
            assert signed_in.request(method, "/dicomweb/nothing").status_code == 404

    def test_a_preflight_is_a_preflight(self, client: TestClient) -> None:
        headers = {"Origin": PAGE, "Access-Control-Request-Method": "GET",
                   "Access-Control-Request-Headers": "authorization"}  # fmt: skip
        answer = client.options(f"{SERIES}/metadata", headers=headers)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, PAGE)
        assert "GET" in answer.headers["access-control-allow-methods"]


def test_a_refused_method_tells_all_that_are_answered(signed_in: TestClient) -> None:
    for path, allow in (("/measurements/11111111-2222-4333-8444-555555555555", "GET, HEAD, PUT, DELETE"),
                        (f"{SERIES}/metadata", "GET, HEAD, OPTIONS")):  # fmt: skip
        answer = signed_in.post(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allow)
