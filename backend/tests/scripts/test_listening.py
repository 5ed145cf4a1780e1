"""Ports are checked before anything is started, in one line that names the variable."""

import random
import socket
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from scripts.listening import Address, check_ports, get_json
from scripts.preparation import SetupError


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free_port() -> int:
    """A port that stays free: not one of those that the system gives to whoever asks for any (from 32768 on)."""
    while True:
        port = random.randrange(20_000, 30_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class TestCheckPorts:
    def test_free_ports_pass(self) -> None:
        first, second = free_port(), free_port()
        while second == first:
            second = free_port()
        check_ports(
            Address("IMAGESERVER_PORT", "127.0.0.1", first),
            Address("IMAGESERVER_WEB_PORT", "127.0.0.1", second),
        )

    @pytest.mark.parametrize("variable", ["IMAGESERVER_PORT", "IMAGESERVER_WEB_PORT"])
    @pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
    def test_a_port_in_use_is_one_line_naming_the_variable(
        self, taken_port: int, variable: str, host: str
    ) -> None:
        with pytest.raises(SetupError) as refused:
            check_ports(Address(variable, host, taken_port))
        message = str(refused.value)
        assert f"Port {taken_port} is already in use" in message
        assert variable in message
        assert "\n" not in message

    def test_a_server_on_the_ipv6_loopback_counts_as_in_use(self) -> None:
        try:
            server = socket.create_server(("::1", 0), family=socket.AF_INET6)
        except OSError:
            pytest.skip("this machine has no IPv6 loopback address")
        with server, pytest.raises(SetupError, match="already in use"):
            check_ports(Address("IMAGESERVER_PORT", "127.0.0.1", server.getsockname()[1]))

    def test_the_same_port_twice(self) -> None:
        port = free_port()
        with pytest.raises(SetupError, match="IMAGESERVER_WEB_PORT and IMAGESERVER_PORT are the same port"):
            check_ports(
                Address("IMAGESERVER_PORT", "127.0.0.1", port),
                Address("IMAGESERVER_WEB_PORT", "127.0.0.1", port),
            )

    def test_a_foreign_address(self) -> None:
        # 192.0.2.0/24 is reserved for documentation (RFC 5737): no machine has it.
        with pytest.raises(SetupError, match="IMAGESERVER_HOST names no address of this machine"):
            check_ports(Address("IMAGESERVER_PORT", "192.0.2.1", free_port()))


class TestAddress:
    @pytest.mark.parametrize("port", ["", "0", "65536", "-1", "80a", "8000.0", "٨٠٠٠"])
    def test_what_is_no_port_is_refused_by_name(self, port: str) -> None:
        with pytest.raises(SetupError, match="IMAGESERVER_PORT must be a port"):
            Address.of("IMAGESERVER_PORT", "127.0.0.1", port)

    @pytest.mark.parametrize(
        ("host", "url"),
        [
            ("127.0.0.1", "http://localhost:8000"),
            ("0.0.0.0", "http://localhost:8000"),
            ("::", "http://localhost:8000"),
            ("192.168.1.5", "http://192.168.1.5:8000"),
            ("fd00::5", "http://[fd00::5]:8000"),
        ],
    )
    def test_url_for_people(self, host: str, url: str) -> None:
        assert Address("IMAGESERVER_PORT", host, 8000).url == url


class Answers(BaseHTTPRequestHandler):
    bodies: ClassVar = {
        "/ready": (200, b'{"status": "ready"}'),
        "/busy": (503, b"{}"),
        "/words": (200, b"hello"),
    }

    def do_GET(self) -> None:
        status, body = self.bodies[self.path]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class TestGetJson:
    @pytest.mark.parametrize(
        ("path", "expected"), [("/ready", {"status": "ready"}), ("/busy", None), ("/words", None)]
    )
    def test_only_a_good_answer_counts(
        self, path: str, expected: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://192.0.2.1:3128")  # must not be asked
        with HTTPServer(("127.0.0.1", 0), Answers) as server:
            Thread(target=server.handle_request, daemon=True).start()
            assert get_json(Address("IMAGESERVER_PORT", "127.0.0.1", server.server_port), path) == expected

    def test_nobody_there(self) -> None:
        assert get_json(Address("IMAGESERVER_PORT", "127.0.0.1", free_port()), "/ready") is None
