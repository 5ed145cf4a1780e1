"""T26: a deflated data set that grows without end is stopped before memory or time runs out."""

import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from imageserver.dicom.limits import DEFAULT_LIMITS
from tests.builders import image, to_bytes
from tests.hostile.encoding import explicit, outcome

MEBIBYTE = 1024 * 1024
PROGRAM = """
import resource, sys, time
from imageserver.dicom.reading import FileRefused, read_header
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.process_time()
try:
    read_header(open(sys.argv[1], "rb"))
except FileRefused as error:
    code = error.code
print(code, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, time.process_time() - start)
"""


def deflated_file(body: bytes) -> bytes:
    """The meta information of a deflated file, and this behind it."""
    whole = to_bytes(image(), DeflatedExplicitVRLittleEndian)
    body_length = len(to_bytes(image(), DeflatedExplicitVRLittleEndian, meta=False))
    return whole[: len(whole) - body_length] + body


def zeros(mebibytes: int) -> bytes:
    """The head of an image with pixel data of many zeros, deflated; made of one piece that is repeated."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    head = to_bytes(image(PixelData=None), meta=False) + explicit(0x7FE00010, b"OW", b"", 0x7FFFFFFE)
    start = deflater.compress(head) + deflater.flush(zlib.Z_FULL_FLUSH)
    piece = deflater.compress(bytes(MEBIBYTE)) + deflater.flush(zlib.Z_FULL_FLUSH)
    return start + piece * mebibytes + deflater.flush()


@pytest.mark.parametrize(
    ("mebibytes", "most"),
    [(1_000, 256), (100_000, 600)],
    ids=["1 MB to 1 GB", "100 MB to 100 GB"],  # the ceiling of all inflated data sets is 512 MiB
)
def test_memory_and_time_are_bounded(tmp_path: Path, mebibytes: int, most: int) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(deflated_file(zeros(mebibytes)))
    answer = subprocess.run([sys.executable, "-c", PROGRAM, path], capture_output=True, text=True, check=True)
    code, grown, seconds = answer.stdout.split()
    assert code == "too_large_inflated"
    assert int(grown) < most
    assert float(seconds) < 5


def test_a_bomb_inside_a_bomb_is_not_opened() -> None:
    """Fifty gigabytes, deflated twice. The inner one is bytes, of which nobody makes a data set."""
    inner = zlib.compress(bytes(100 * MEBIBYTE))
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    raw = deflater.compress(inner * 500) + deflater.flush()
    start = time.process_time()
    assert outcome(deflated_file(raw)) in {"truncated", "malformed", "no_transfer_syntax", "bad_image"}
    assert time.process_time() - start < 1


def test_the_ceiling_holds_for_large_files_too() -> None:
    assert DEFAULT_LIMITS.inflated_length(10**12) == 512 * MEBIBYTE
