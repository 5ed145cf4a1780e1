"""Addresses on which the servers listen: are they free, do they answer."""

from __future__ import annotations

import errno
import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

from scripts.preparation import SetupError


@dataclass(frozen=True)
class Address:
    """A host and port, and the setting that a person changes for another port."""

    variable: str
    host: str
    port: int

    @classmethod
    def of(cls, variable: str, host: str, port: str) -> Address:
        """Check the port's text."""
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise SetupError(f"{variable} must be a port, a number from 1 to 65535; it is '{port}'.")
        return cls(variable, host, int(port))

    @property
    def reachable_host(self) -> str:
        """The host to call from this machine: an address that means "all" cannot be called itself."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1", "127.0.0.1": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104

    @property
    def url(self) -> str:
        """The address as a person on this machine types it."""
        named = {"127.0.0.1": "localhost", "::1": "localhost"}.get(self.reachable_host, self.reachable_host)
        return f"http://{f'[{named}]' if ':' in named else named}:{self.port}"


def check_ports(*addresses: Address) -> None:
    """Refuse, before anything is started, ports that are taken, forbidden or the same; name the variable."""
    for address in addresses:
        for other in addresses:
            if other is not address and other.port == address.port:
                raise SetupError(
                    f"{other.variable} and {address.variable} are the same port, {address.port}."
                )
        _check_port(address)


def _check_port(address: Address) -> None:
    example = address.port + 10 if address.port < 65000 else address.port - 10
    another = f"choose another one with {address.variable}, for example: {address.variable}={example}"
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError:
        found = []
    codes = {_try_to_listen(*entry) for entry in found}
    if errno.EADDRINUSE in codes:
        raise SetupError(f"Port {address.port} is already in use; {another}")
    if errno.EACCES in codes:
        raise SetupError(f"Port {address.port} is not allowed for this user; {another}")
    if 0 not in codes:
        raise SetupError(f"IMAGESERVER_HOST names no address of this machine: {address.host}")
    # Browsers try ::1 first for "localhost": another server there would be shown instead of ours.
    if address.host in {"127.0.0.1", "0.0.0.0"} and _answers("::1", address.port):  # noqa: S104
        raise SetupError(f"Port {address.port} is already in use; {another}")


def _try_to_listen(family: int, kind: int, protocol: int, _name: str, place: Any) -> int:
    """Return 0, or the error number; "localhost" has two such places, and servers take both."""
    try:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # connections of the last run may linger
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(place)
            probe.listen()
    except OSError as error:
        return error.errno or errno.EADDRNOTAVAIL
    return 0


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=0.5).close()
    except OSError:
        return False
    return True


def get_json(address: Address, path: str) -> dict[str, Any] | None:
    """Fetch a small JSON document; None unless the answer is 200. Proxies of the environment are not asked."""
    connection = http.client.HTTPConnection(address.reachable_host, address.port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        found = json.loads(body) if answer.status == 200 else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return found if isinstance(found, dict) else {} if answer.status == 200 else None
