"""The address of the service in answers, by `Host` (RFC 9110, section 7.2) and the connection."""

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from imageserver.api.dicomweb.service_address import service_address
from tests.api.conftest import Index
from tests.builders import image, uid
from tests.folders import Folder
from tests.storing import STUDIES

REQUESTS = "python-requests/2.32.5"  # what `dicomweb-client` says that it is


def asked(server: tuple[str, int | None] | None, scheme: str = "http", **headers: str) -> Request:
    """A request as the server gives it."""
    headers.setdefault("user_agent", REQUESTS)
    listed = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({
        "type": "http", "method": "GET", "scheme": scheme, "path": "/dicomweb/studies", "root_path": "",
        "query_string": b"", "headers": listed, "server": server,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("host", "server", "scheme", "address"),
    [
        ("pacs:8000", ("10.0.0.1", 8000), "http", "http://pacs:8000/dicomweb"),
        ("pacs:9000", ("10.0.0.1", 8000), "http", "http://pacs:9000/dicomweb"),  # a mapped port
        ("pacs", ("10.0.0.1", 8000), "http", "http://pacs:8000/dicomweb"),
        ("[::1]", ("::1", 8000), "http", "http://[::1]:8000/dicomweb"),
        ("pacs", ("10.0.0.1", 80), "http", "http://pacs/dicomweb"),
        ("pacs", ("10.0.0.1", 443), "https", "https://pacs/dicomweb"),
        ("pacs", ("/run/socket", None), "http", "http://pacs/dicomweb"),
        ("pacs", None, "http", "http://pacs/dicomweb"),
    ],
)
def test_a_port_that_the_client_leaves_out_is_that_of_the_connection(
    host: str, server: tuple[str, int | None] | None, scheme: str, address: str
) -> None:
    assert service_address(asked(server, scheme, host=host)) == address


@pytest.mark.parametrize("program", ["curl/8.5.0", "python-httpx/0.28.1", ""])
def test_others_mean_what_they_say(program: str) -> None:
    """Port 80 of the host may be mapped to any port of a container."""
    request = asked(("10.0.0.1", 8000), host="pacs", user_agent=program)
    assert service_address(request) == "http://pacs/dicomweb"


@pytest.mark.parametrize("header", ["forwarded", "via", "x_forwarded_for", "x_forwarded_proto"])
def test_behind_a_proxy_the_connection_says_nothing(header: str) -> None:
    request = asked(("10.0.0.1", 8000), "https", host="pacs.example.org", **{header: "1"})
    assert service_address(request) == "https://pacs.example.org/dicomweb"


def test_every_answer_names_it(signed_in: TestClient, folder: Folder, index: Index) -> None:
    folder.write("a", image())
    index()
    signed_in.headers.update({"Host": "localhost", "User-Agent": REQUESTS})
    root = "http://localhost:8000/dicomweb"
    described = signed_in.get("/dicomweb", headers={"Accept": "application/json"})
    assert f"<{root}/conformance>" in described.headers["Link"]
    [study] = signed_in.get(STUDIES).json()
    assert study["00081190"]["Value"] == [f"{root}/studies/{uid('study of', 'series')}"]
    [one] = signed_in.get(f"{STUDIES}/{uid('study of', 'series')}/metadata").json()
    assert one["7FE00010"]["BulkDataURI"].startswith(f"{root}/studies/")
