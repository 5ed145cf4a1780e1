"""The loop that all targets share: try inputs one by one, time them, count what came, keep what broke."""

import gc
import hashlib
import os
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType

from fuzz.report import Criterion, Options, Report

MEBIBYTE = 1024 * 1024
KEPT_PER_FAULT = 5
# By then all modules, caches and arenas are there that the work needs; what grows later, grows with the inputs.
_SHARE_OF_WARMING_UP = 10
_LOOK_AT_MEMORY_EVERY = 20


class Fault(AssertionError):
    """What must not happen happened, without an exception of its own; the message says what."""


class Campaign:
    """One run over many inputs.

    Parameters
    ----------
    options : Options
    slowest_seconds : float
        Time that no single input may take.
    growth_mib : float
        What the resident memory of this process may grow by after the first tenth of the run.
    inputs_at_once : int
        How many inputs one try stands for.
    """

    def __init__(
        self, options: Options, *, slowest_seconds: float, growth_mib: float, inputs_at_once: int = 1
    ) -> None:
        self._inputs_at_once = inputs_at_once
        self._options = options
        self._slowest_seconds = slowest_seconds
        self._growth_mib = growth_mib
        self._begin = time.monotonic()
        self._tries = 0
        self._memory_before = 0.0
        self._memory_peak = 0.0
        self._slowest = 0.0
        self.report = Report(seed=options.seed)

    def run(self, inputs: Iterable[bytes], act: Callable[[bytes], str]) -> Report:
        """Try inputs until they, the count or the time are used up.

        `act` returns the name of the outcome; an exception that leaves it is a fault.
        """
        for data in inputs:
            if self.is_over():
                break
            self.try_one(data, lambda data=data: act(data))  # type: ignore[misc]
        return self.finish()

    def is_over(self) -> bool:
        """Tell whether the count or the time is used up."""
        seconds = self._options.seconds
        is_late = seconds is not None and time.monotonic() - self._begin > seconds
        return is_late or self.report.tried >= self._options.count

    def try_one(self, data: bytes, act: Callable[[], str]) -> None:
        """Try one input; `data` is what is kept of it when it breaks something."""
        start = time.perf_counter()
        try:
            outcome = act()
        except Exception as error:
            outcome = "FAULT"
            self._note_fault(data, error)
        took = time.perf_counter() - start
        if took > max(self._slowest, self._slowest_seconds):
            self._keep("slow", data)
        self._slowest = max(self._slowest, took)
        self.report.outcomes[outcome] += 1
        self.report.tried += self._inputs_at_once
        self._look_at_memory()

    def _note_fault(self, data: bytes, error: Exception) -> None:
        name = (
            f"{error}"
            if isinstance(error, Fault)
            else f"{type(error).__name__} {_place(error.__traceback__)}"
        )
        self.report.faults[name] += 1
        if self.report.faults[name] <= KEPT_PER_FAULT:
            self._keep(name, data)

    def _keep(self, name: str, data: bytes) -> None:
        folder = self._options.findings / "".join(c if c.isalnum() else "-" for c in name)[:100]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{hashlib.sha256(data).hexdigest()[:16]}.dcm").write_bytes(data)

    def _look_at_memory(self) -> None:
        self._tries += 1
        if self._tries % _LOOK_AT_MEMORY_EVERY and self._inputs_at_once == 1 and not self.is_over():
            return
        self._memory_peak = max(self._memory_peak, resident_mib())
        progress = self.report.tried / self._options.count
        if self._options.seconds:
            progress = max(progress, (time.monotonic() - self._begin) / self._options.seconds)
        if progress * _SHARE_OF_WARMING_UP <= 1:
            self._memory_before = self._memory_peak

    def finish(self) -> Report:
        """Return the report with the criteria that all targets share."""
        gc.collect()
        growth = max(0.0, resident_mib() - self._memory_before) if self._memory_before else 0.0
        self.report.seconds = time.monotonic() - self._begin
        self.report.criteria += [
            Criterion("slowest input (p100)", round(self._slowest, 3), self._slowest_seconds, "s"),
            Criterion("growth of resident memory", round(growth, 1), self._growth_mib, "MiB"),
            Criterion("faults", sum(self.report.faults.values()), 0),
        ]
        return self.report


def resident_mib() -> float:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE


def _place(trace: TracebackType | None) -> str:
    """Name the innermost line of the server's own code, or of the fuzzer, that the error came through."""
    frames = traceback.extract_tb(trace)
    ours = [frame for frame in frames if "/imageserver/" in frame.filename] or frames
    return f"in {Path(ours[-1].filename).name}:{ours[-1].lineno} {ours[-1].name}"
