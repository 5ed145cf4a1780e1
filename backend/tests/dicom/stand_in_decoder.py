"""A decoder that does what it is told, inside the real processes with their real limits; started as a script.

Its argument is the path of the real script, `decoder_process.py`.
"""

import importlib.util
import os
import resource
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

spec = importlib.util.spec_from_file_location("decoder_process", sys.argv[1])
assert spec is not None
assert spec.loader is not None
process = importlib.util.module_from_spec(spec)
spec.loader.exec_module(process)
LIMITS = ("CORE", "FSIZE", "NOFILE", "NPROC")


def spin() -> None:
    """Use up the processor time of a frame."""
    process._CPU_SECONDS = 0
    process._limit_cpu()
    while True:
        pass


def decode(_request: dict[str, Any], source: bytes) -> tuple[np.ndarray, str]:
    """Do what the stream says; the process id is the answer to anything else."""
    match source.decode():
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "abort":
            os.abort()
        case "hang":
            time.sleep(3600)
        case "spin":
            spin()
        case "eat":
            return np.ones(1 << 29, np.float64), ""
        case "refuse":
            raise ValueError("no")
        case "environment":
            return np.frombuffer(" ".join(sorted(os.environ)).encode(), np.uint8), ""
        case "write":
            Path("/tmp/never").write_bytes(b"x")
        case "read":
            Path("/etc/hostname").read_bytes()
        case "connect":
            socket.socket()
        case "limits":
            return np.array(
                [resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[1] for name in LIMITS]
            ), ""
        case "print":
            os.write(1, b"noise from a decoder")
    return np.array([os.getpid()]), "MONOCHROME2"


if __name__ == "__main__":
    process.serve(decode)
