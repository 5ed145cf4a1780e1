"""The decoder process: decodes one compressed frame after another for the server, within limits, and may die.

It is started as a script, with none of the server's settings in its environment, and imports nothing of the server.
Native decoders crash, hang and exhaust memory on hostile streams; here that costs one frame.

Requests come on standard input, answers go to standard output. Both are a 4-byte length, that many bytes of JSON, and
then raw bytes whose number the JSON tells (`length`). One zero byte on standard output says that the process is ready.
"""

import contextlib
import importlib.util
import json
import os
import resource
import struct
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

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


def _answer(
    decoder: Callable[..., tuple[np.ndarray, str]], request: dict[str, Any], source: bytes, out: BinaryIO
) -> None:
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


def serve(decoder: Callable[..., tuple[np.ndarray, str]]) -> None:
    """Answer requests until standard input ends."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # decoders print; that must not get between the answers
        os.dup2(nowhere, descriptor)
    _limit_memory()
    _lock_up()
    answers.write(b"\0")
    answers.flush()
    while (received := _read(requests)) is not None:
        _limit_cpu()
        _answer(decoder, *received, answers)


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
