"""Bodies that are larger than they may be, or lie about how large they are, sent to a real server process.

``python -m fuzz.large_bodies`` prints, for each case, the status, how much could be sent before the server closed the
connection, and how much the memory of the server grew at most. A stranger must be told before the body is read;
everybody else after no more than may be stored and a little that is on its way; nothing may be left in the store.
"""

import argparse
import contextlib
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.serving import Server, running_server
from fuzz.store_requests import STUDIES

MEBIBYTE = 1024 * 1024
LIMIT_MIB = 4  # of a request to this server
# What the server never asked for waits in the system's buffers of both ends; ours are made small.
ON_ITS_WAY = MEBIBYTE
UNREAD = 64 * 1024
MOST_GROWTH_MIB = 64.0
PIECE = bytes(65_536)
SECONDS = 120.0


@dataclass(frozen=True)
class Case:
    """How a request begins and goes on.

    Attributes
    ----------
    name : str
    lines : tuple of str
        Further lines of its head.
    is_anonymous : bool
    is_chunked : bool
        How the body is sent, whatever the head says.
    statuses : frozenset of int
        What the answer may be.
    most_sent : int
        How many bytes of the body the server may take.
    """

    name: str
    lines: tuple[str, ...]
    statuses: frozenset[int]
    is_anonymous: bool = False
    is_chunked: bool = False
    most_sent: int = LIMIT_MIB * MEBIBYTE + ON_ITS_WAY


def cases(size: int) -> list[Case]:
    """Return the cases for a body of this size."""
    length, chunked = f"Content-Length: {size}", "Transfer-Encoding: chunked"
    refused, stranger, large = frozenset({400}), frozenset({401}), frozenset({413})
    before = UNREAD + ON_ITS_WAY
    return [
        Case("a stranger", (f"Content-Length: {LIMIT_MIB * MEBIBYTE}",), stranger, True, most_sent=before),
        Case("a stranger, too long", (length,), stranger | large, is_anonymous=True, most_sent=before),
        Case("a stranger, in chunks", (chunked,), stranger, True, True, before),
        Case("a stranger, without a length", (), stranger | refused, True, most_sent=before),
        Case("too long", (length,), large, most_sent=before),
        Case("too long, in chunks", (chunked,), large, is_chunked=True),
        Case("longer than it says", ("Content-Length: 1000",), refused | {409}, most_sent=before),
        Case("negative", ("Content-Length: -1",), refused, most_sent=before),
        Case("no number", ("Content-Length: 1e9",), refused, most_sent=before),
        Case("beyond all numbers", (f"Content-Length: {10**30}",), refused | large, most_sent=before),
        Case("two lengths", ("Content-Length: 1000", length), refused, most_sent=before),
        Case("both kinds of length", (length, chunked), refused, is_chunked=True, most_sent=before),
        Case("both the other way", (chunked, length), refused, is_chunked=True, most_sent=before),
        Case("chunks that lie", (chunked,), refused, is_chunked=False, most_sent=before),
    ]


@dataclass
class Figures:
    """What was seen: status, bytes sent and growth in MiB by case; and what should not have been."""

    seen: dict[str, tuple[int, int, float]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def memory_mib(pid: int) -> float:
    """Return the memory that a process has to itself at present (Linux)."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def send(server: Server, case: Case, size: int) -> tuple[int, int, float]:
    """Send one request as far as it is taken; return the status, the bytes that were sent, and the growth in MiB."""
    lines = [
        f"POST {STUDIES} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/dicom",
        *([] if case.is_anonymous else [f"Authorization: {server.client.headers['Authorization']}"]),
        *case.lines,
    ]
    before = most = memory_mib(server.process.pid)
    sent = 0
    answer = b""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD)
    client.settimeout(SECONDS)
    with client:
        client.connect(("127.0.0.1", server.port))
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        with contextlib.suppress(OSError):
            for piece in _body(case, size):
                client.sendall(piece)
                sent += len(piece)
                most = max(most, memory_mib(server.process.pid))
                if answer := _received(client):
                    break
        with contextlib.suppress(OSError):
            answer = answer or client.recv(4096)
    most = max(most, memory_mib(server.process.pid))
    return int(answer.split()[1]) if answer else 0, sent, most - before


def _body(case: Case, size: int) -> Iterator[bytes]:
    head, tail = (f"{len(PIECE):x}\r\n".encode(), b"\r\n") if case.is_chunked else (b"", b"")
    for _ in range(0, size, len(PIECE)):
        yield head + PIECE + tail


def _received(client: socket.socket) -> bytes:
    """Return what came, if anything did."""
    client.setblocking(False)
    try:
        return client.recv(4096)
    except BlockingIOError:
        return b""
    finally:
        client.settimeout(SECONDS)


def run_cases(server: Server, store: Path, size: int) -> Figures:
    """Try all cases on a running server."""
    figures = Figures()
    for case in cases(size):
        status, sent, growth = figures.seen[case.name] = send(server, case, size)
        if status not in case.statuses:
            figures.faults.append(f"{case.name}: {status}")
        if sent > case.most_sent:
            figures.faults.append(f"{case.name}: {sent} bytes were taken")
        if growth > MOST_GROWTH_MIB:
            figures.faults.append(f"{case.name}: {growth:.0f} MiB of memory")
    until = time.monotonic() + SECONDS
    while (left := [path for path in store.rglob("*") if path.is_file()]) and time.monotonic() < until:
        time.sleep(0.05)
    if left:
        figures.faults.append(f"{len(left)} files are left")
    if server.client.get("/auth/me").status_code != 200 or server.deaths():
        figures.faults.append("the server does not answer any more")
    return figures


def main() -> int:
    """Run as a command; 1 where something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, store = Path(folder, "data"), Path(folder, "store")
        data.mkdir()
        more = {"STORE_DIR": str(store), "STORE_REQUEST_MIB": str(LIMIT_MIB), "STORE_RESERVE_MIB": "0"}
        with running_server(data, 1, 2, **more) as server:
            figures = run_cases(server, store, arguments.gib << 30)
    for name, (status, sent, growth) in figures.seen.items():
        print(f"{name:30} {status} {sent / MEBIBYTE:8.2f} MiB sent {growth:6.1f} MiB more memory")
    print(figures.faults or "as it should be")
    return 1 if figures.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
