"""Processes that crash, hang or eat memory cost one frame, and nothing else."""

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import imageserver.dicom.decoder_process as decoder_process
from imageserver.dicom.decoder_pool import DecoderFailure, DecoderPool
from imageserver.errors import Busy

# A decoder that does what it is told, inside the real process loop with its real limits.
_STAND_IN = """
import importlib.util, os, signal, socket, sys, time
import numpy as np
import resource
spec = importlib.util.spec_from_file_location("decoder_process", sys.argv[1])
process = importlib.util.module_from_spec(spec)
spec.loader.exec_module(process)

def decode(request, source):
    what = source.decode()
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "abort":
        os.abort()
    if what == "hang":
        time.sleep(3600)
    if what == "spin":
        process._CPU_SECONDS = 0
        process._limit_cpu()
        while True:
            pass
    if what == "eat":
        return np.ones(1 << 29, np.float64), ""
    if what == "refuse":
        raise ValueError("no")
    if what == "environment":
        return np.frombuffer(" ".join(sorted(os.environ)).encode(), np.uint8), ""
    if what == "write":
        with open("/tmp/never", "wb") as file:
            file.write(b"x")
    if what == "read":
        open("/etc/hostname").close()
    if what == "connect":
        socket.socket()
    if what == "limits":
        names = "CORE", "FSIZE", "NOFILE", "NPROC"
        return np.array([resource.getrlimit(getattr(resource, "RLIMIT_" + name))[1] for name in names]), ""
    if what == "print":
        os.write(1, b"noise from a decoder")
    return np.array([os.getpid()]), "MONOCHROME2"

process.serve(decode)
"""


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    script = tmp_path / "stand_in.py"
    script.write_text(_STAND_IN)
    return [sys.executable, "-P", str(script), str(decoder_process.__file__)]


@pytest.fixture
def pool(command: list[str]) -> Iterator[DecoderPool]:
    pool = DecoderPool(size=2, seconds=2, wait_seconds=5, command=command)
    yield pool
    pool.close()


def served_by(pool: DecoderPool, what: str = "decode") -> int:
    values, _ = pool.decode({}, what.encode())
    return int(values[0])


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class TestFailures:
    @pytest.mark.parametrize(
        ("what", "reason"),
        [
            ("crash", "the decoder broke on it"),
            ("abort", "the decoder broke on it"),
            ("hang", "takes too long"),
            ("spin", "the decoder broke on it|takes too long"),
            ("eat", "takes too much memory"),
            ("refuse", "no decoder accepts it"),
        ],
    )
    def test_cost_one_frame(self, what: str, reason: str, pool: DecoderPool) -> None:
        with pytest.raises(DecoderFailure, match=reason):
            pool.decode({}, what.encode())
        assert served_by(pool) != os.getpid()

    def test_a_broken_process_is_replaced_at_once(self, pool: DecoderPool) -> None:
        first = served_by(pool)
        with pytest.raises(DecoderFailure):
            pool.decode({}, b"hang")
        assert not is_alive(first)
        assert len(pool.pids()) == 1
        assert served_by(pool) in pool.pids()

    def test_the_neighbour_is_unharmed(self, pool: DecoderPool) -> None:
        results: list[int] = []
        served_by(pool)

        def work() -> None:
            results.extend(served_by(pool) for _ in range(20))

        neighbour = threading.Thread(target=work)
        neighbour.start()
        for _ in range(3):
            with pytest.raises(DecoderFailure):
                pool.decode({}, b"crash")
        neighbour.join()
        assert len(results) == 20

    def test_what_a_decoder_prints_does_not_get_into_the_answer(self, pool: DecoderPool) -> None:
        assert served_by(pool, "print") == served_by(pool)

    @pytest.mark.parametrize("what", ["write", "read", "connect"])
    def test_the_process_can_open_neither_files_nor_connections(self, what: str, pool: DecoderPool) -> None:
        with pytest.raises(DecoderFailure, match="Too many open files"):
            pool.decode({}, what.encode())

    def test_what_it_does_not_need_is_taken_away(self, pool: DecoderPool) -> None:
        values, _ = pool.decode({}, b"limits")
        assert values.tolist() == [0, 0, 0, 0]


class TestProcesses:
    def test_nothing_starts_before_the_first_compressed_frame(self, pool: DecoderPool) -> None:
        assert pool.pids() == []

    def test_one_process_serves_many_frames(self, pool: DecoderPool) -> None:
        assert len({served_by(pool) for _ in range(5)}) == 1

    def test_threads_are_served_at_the_same_time_and_not_by_more_than_the_size(
        self, pool: DecoderPool
    ) -> None:
        threads = [threading.Thread(target=served_by, args=(pool,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 1 <= len(pool.pids()) <= 2

    def test_who_waits_too_long_is_told(self, command: list[str]) -> None:
        pool = DecoderPool(size=1, seconds=3, wait_seconds=0.05, command=command)
        served_by(pool)

        def hang() -> None:
            with pytest.raises(DecoderFailure):
                pool.decode({}, b"hang")

        hanging = threading.Thread(target=hang)
        hanging.start()
        time.sleep(0.2)
        with pytest.raises(Busy):
            served_by(pool)
        hanging.join()
        pool.close()

    def test_secrets_of_the_server_are_not_in_its_environment(
        self, pool: DecoderPool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IMAGESERVER_DATABASE_URL", "postgresql://user:password@host/name")
        values, _ = pool.decode({}, b"environment")
        assert b"IMAGESERVER" not in values.tobytes()

    def test_close_leaves_no_process(self, pool: DecoderPool) -> None:
        pid = served_by(pool)
        pool.close()
        assert not is_alive(pid)

    def test_processes_end_with_the_server_even_if_it_is_killed(self, tmp_path: Path) -> None:
        code = (
            "import os, signal, sys; from imageserver.dicom.decoder_pool import DecoderPool\n"
            "pool = DecoderPool(size=1); pool.warm_up(); print(pool.pids()[0], flush=True)\n"
            "os.kill(os.getpid(), signal.SIGKILL)"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        pid, deadline = int(run.stdout), time.monotonic() + 20
        while _is_running(pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not _is_running(pid)


def _is_running(pid: int) -> bool:
    """Whether a process runs that is not a zombie waiting for some parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_gdcm_is_not_in_this_process() -> None:
    assert sys.modules.get("gdcm") is None


def test_large_frames_come_back_whole(decoders: DecoderPool) -> None:
    pixels = np.random.default_rng(1).integers(0, 65535, (1024, 1500), np.uint16)
    options = {
        "rows": 1024, "columns": 1500, "samples_per_pixel": 1, "photometric_interpretation": "MONOCHROME2",
        "planar_configuration": 0, "bits_allocated": 16, "bits_stored": 16, "pixel_representation": 0,
        "number_of_frames": 1, "pixel_keyword": "PixelData",
    }  # fmt: skip
    request = {"transfer_syntax_uid": "1.2.840.10008.1.2.4.90", "options": options}
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG2000", no_jp2=True, irreversible=False)
    values, _ = decoders.decode(request, buffer.getvalue())
    np.testing.assert_array_equal(values, pixels)
