"""The decoder processes: each decodes one compressed frame after another for the server, within limits, and may die.

A script, started with none of the server's settings in its environment; it imports nothing of the server. It loads the
decoders once and then makes copies of itself (fork): a process that dies is replaced in a few milliseconds. The first
process, the template, never decodes anything itself.

Native decoders crash, hang and exhaust memory on hostile streams; here that costs one frame.

The template has a socket as standard input. It says with one zero byte that it is ready. Orders are 5 bytes: ``+`` and
4 bytes of nothing, with two pipes, starts a process that reads requests from the first and writes answers to the
second; ``-`` and a process id ends that process. The answer to both is the process id, 4 bytes.

Requests and answers are a 4-byte length, that many bytes of JSON, and then raw bytes whose number the JSON tells
(`length`).
"""

import contextlib
import importlib.util
import json
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

Decoder = Callable[..., tuple[np.ndarray, str]]

_MEMORY_BEYOND_START = 1024 * 1024 * 1024
_CPU_SECONDS = 10


def _limit_memory() -> None:
    """Allow so much address space beyond what the libraries took."""
    with contextlib.suppress(OSError, ValueError):  # not everywhere is there a /proc
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY_BEYOND_START,) * 2)


def _lock_up() -> None:
    """Take away what decoding does not need: files, connections, other processes, core dumps.

    With no descriptor left to give, neither a file nor a socket can be opened; those that are open stay.
    """
    for limit in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC):
        resource.setrlimit(limit, (0, 0))


def _limit_cpu() -> None:
    """Allow so many seconds from now on; the system ends the process when they are used up."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + _CPU_SECONDS, hard))


def _read(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    head = stream.read(4)
    if len(head) < 4:
        return None
    request = json.loads(stream.read(struct.unpack("<L", head)[0]))
    return request, stream.read(request["length"])


def _write(stream: BinaryIO, answer: dict[str, Any], data: bytes | memoryview = b"") -> None:
    text = json.dumps({**answer, "length": len(data)}).encode()
    stream.write(struct.pack("<L", len(text)) + text)
    stream.write(data)
    stream.flush()


def _answer(decoder: Decoder, request: dict[str, Any], source: bytes, out: BinaryIO) -> None:
    try:
        values, photometric = decoder(request, source)
    except MemoryError:
        _write(out, {"error": "memory"})
        sys.exit(1)
    except Exception as error:  # the answer tells; the server decides
        _write(out, {"error": str(error)})
        return
    flat = np.ascontiguousarray(values)
    answer = {"shape": flat.shape, "dtype": flat.dtype.str, "photometric_interpretation": photometric}
    _write(out, answer, flat.data.cast("B"))


def _work(decoder: Decoder, requests: int, answers: int) -> None:
    """Answer requests until they end."""
    with os.fdopen(requests, "rb") as source, os.fdopen(answers, "wb") as out:
        _limit_memory()
        _lock_up()
        while (received := _read(source)) is not None:
            _limit_cpu()
            _answer(decoder, *received, out)


def _copy(decoder: Decoder, connection: socket.socket, requests: int, answers: int) -> int:
    """Start a process that works on these pipes; the process id."""
    pid = os.fork()
    if pid == 0:
        try:
            connection.close()
            _work(decoder, requests, answers)
        finally:
            os._exit(0)
    os.close(requests)
    os.close(answers)
    return pid


def _end(pid: int, children: set[int]) -> int:
    """End a process of ours and leave no zombie; until then no other process can get its id."""
    if pid in children:
        children.remove(pid)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return pid


def serve(decoder: Decoder) -> None:
    """Start and end processes as ordered, until the connection ends."""
    connection = socket.socket(fileno=os.dup(0))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # decoders print
        os.dup2(nowhere, descriptor)
    connection.sendall(b"\0")
    children: set[int] = set()
    while True:
        order, pipes, _, _ = socket.recv_fds(connection, 5, 2)
        if len(order) < 5:
            return
        if pipes:
            pid = _copy(decoder, connection, *pipes)
            children.add(pid)
        else:
            pid = _end(struct.unpack("<xL", order)[0], children)
        connection.sendall(struct.pack("<L", pid))


def _plugins() -> ModuleType:
    """Load the file beside this one; the package it lies in belongs to the server."""
    name = "decoder_plugins"
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.py")  # noqa: PTH100, PTH118, PTH120
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Load the decoders, and serve."""
    plugins = _plugins()
    plugins.add_plugins()
    serve(plugins.decode)


if __name__ == "__main__":
    main()
