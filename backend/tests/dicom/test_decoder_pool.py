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

STAND_IN = Path(__file__).with_name("stand_in_decoder.py")
FAILURES = {"crash": "broke on it", "abort": "broke on it", "eat": "too much memory", "hang": "too long"}


@pytest.fixture
def command() -> list[str]:
    return [sys.executable, "-P", str(STAND_IN), str(decoder_process.__file__)]


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

    @pytest.mark.parametrize(("what", "times"), [("crash", 20), ("abort", 20), ("eat", 20), ("hang", 2)])
    def test_the_pool_is_refilled_within_a_second(self, what: str, times: int, command: list[str]) -> None:
        """T24; `python -m fuzz decoder_deaths` does each a hundred times, and looks at the slowest.

        Here it is the quickest: others may have to wait for other tests of a busy machine.
        """
        pool = DecoderPool(size=1, seconds=10 if what == "hang" else 60, command=command)
        served_by(pool)
        waits = []
        for _ in range(times):
            with pytest.raises(DecoderFailure, match=FAILURES[what]):
                pool.decode({}, what.encode())
            begin = time.monotonic()
            assert served_by(pool) in pool.pids()
            waits.append(time.monotonic() - begin)
        assert min(waits) < 1
        assert pool.ended >= times
        assert len(pool.pids()) == 1
        pool.close()

    def test_nothing_is_left_of_the_dead(self, pool: DecoderPool) -> None:
        pids = []
        for _ in range(5):
            pids.append(served_by(pool))
            with pytest.raises(DecoderFailure):
                pool.decode({}, b"abort")
        assert not any(is_alive(pid) for pid in pids)

    def test_a_template_that_dies_is_replaced(self, pool: DecoderPool) -> None:
        first = served_by(pool)
        template = pool._template._popen
        assert template is not None
        template.kill()
        template.wait()
        with pytest.raises(DecoderFailure):
            pool.decode({}, b"crash")
        assert served_by(pool) not in (first, 0)

    def test_decoders_that_do_not_start_are_busy(self) -> None:
        pool = DecoderPool(size=1, command=[sys.executable, "-c", "raise SystemExit(1)"])
        with pytest.raises(Busy, match="do not start"):
            pool.decode({}, b"decode")
        pool.close()

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
        while pool._idle:
            time.sleep(0.01)
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
        pid, deadline = int(run.stdout), time.monotonic() + 60
        while _is_running(pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not _is_running(pid)


def _is_running(pid: int) -> bool:
    """Whether a process runs that is not a zombie waiting for some parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:  # it ends while one looks
        return False


def test_gdcm_is_not_in_this_process() -> None:
    assert sys.modules.get("gdcm") is None


@pytest.mark.parametrize("module", ["imageserver.main", "imageserver.cli", "imageserver.archive.archive"])
def test_gdcm_is_not_in_the_server_whatever_is_imported_first(module: str) -> None:
    code = f"import sys, {module}; sys.exit(sys.modules.get('gdcm') is not None)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


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
