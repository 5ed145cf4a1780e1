"""Stored values of one compressed frame, the way to the decoder process and back included."""

import io
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.compressed import write_compressed
from benchmarks.result import Result
from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.decoding import decode_frame
from imageserver.dicom.reading import read_header
from imageserver.dicom.transfer_syntax import transfer_syntax_name

TIMES = 60
GOAL = 1.3
_BARE = Path(__file__).with_name("bare_decoder.py")


def measure_decoding(folder: Path) -> list[Result]:
    """One frame of each transfer syntax, against the bare decoder in a process of its own; in turns."""
    paths = write_compressed(folder / "compressed")
    pool = DecoderPool(size=1)
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-P", str(_BARE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as bare:
        results = [_measure(number, path, pool, bare) for number, path in paths.items()]
        bare.communicate()
    pool.close()
    return results


def _measure(number: str, path: Path, pool: DecoderPool, bare: "subprocess.Popen[str]") -> Result:
    data = path.read_bytes()
    header = read_header(io.BytesIO(data))
    ours, theirs = [], []
    for _ in range(TIMES + 5):
        begun = time.perf_counter()
        decode_frame(io.BytesIO(data), header, 0, pool)
        ours.append(time.perf_counter() - begun)
        theirs.append(_bare(path, bare))
    return _ratio(f"decode .{number}", ours[5:], theirs[5:], transfer_syntax_name(header.transfer_syntax_uid))


def _ratio(name: str, ours: list[float], bare: list[float], syntax: str) -> Result:
    """Compare the fastest tenths: on a busy machine each change of process waits for strangers, in the median too."""
    mine, theirs = (statistics.quantiles(times, n=10)[0] for times in (ours, bare))
    medians = f"medians {statistics.median(ours) * 1000:.2f} and {statistics.median(bare) * 1000:.2f}"
    details = f"{mine * 1000:.2f} ms against {theirs * 1000:.2f} ms, tenth fastest of {len(ours)}; {medians}; {syntax}"
    return Result(name, mine / theirs, GOAL, "x", details)


def _bare(path: Path, bare: "subprocess.Popen[str]") -> float:
    assert bare.stdin is not None
    assert bare.stdout is not None
    print(path, file=bare.stdin, flush=True)
    return float(bare.stdout.readline())
