"""Clients that ask for slices as fast as they can while the files change, and judge every answer."""

import io
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from PIL import Image

from fuzz.changing_folder import ChangingFile, ChangingFolder
from fuzz.report import Report

SETTLED_SECONDS = 60.0
_NOT_NOW = (404, 410, 422, 503)


class Answer(NamedTuple):
    """What came back for a slice."""

    status: int
    code: str
    content: bytes


# Asks for the slice of a series.
Ask = Callable[[str], Answer]


class Readers:
    """Threads that read; their findings are put together at the end."""

    def __init__(self, folder: ChangingFolder, ask: Ask, count: int, seed: int) -> None:
        self.folder = folder
        self.ask = ask
        self.outcomes: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        chances = [random.Random(seed + number) for number in range(count)]  # noqa: S311 - chance, not secrecy
        self._threads = [threading.Thread(target=self._read, args=(chance,)) for chance in chances]

    def start(self) -> None:
        """Begin to read."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Wait for the last answers."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self, chance: random.Random) -> None:
        while not self._stop.is_set():
            self.read_one(chance.choice(self.folder.files))

    def read_one(self, file: ChangingFile) -> int | None:
        """Ask for one file and judge the answer; return the grey value of the picture, if one came."""
        begin = time.monotonic()
        try:
            answer = self.ask(file.series_instance_uid)
        except OSError as error:
            with self._lock:
                self.faults[f"no answer: {error}"] += 1
            return None
        end = time.monotonic()
        outcome, fault, value = judge(file, answer, begin, end)
        with self._lock:
            self.outcomes[outcome] += 1
            self.faults.update([fault] if fault else [])
        return value

    def settle(self) -> None:
        """Wait until each file that can be shown is, in its present version; what is not by then is a fault."""
        deadline = time.monotonic() + SETTLED_SECONDS
        waiting = list(self.folder.files)
        while waiting and time.monotonic() < deadline:
            waiting = [file for file in waiting if self.read_one(file) != file.present]
            time.sleep(0.2)
        self.faults.update(["a present version is not shown"] * len(waiting))

    def report_to(self, report: Report) -> None:
        """Hand over what was found."""
        report.outcomes.update(self.outcomes)
        report.faults.update(self.faults)


def judge(file: ChangingFile, answer: Answer, begin: float, end: float) -> tuple[str, str | None, int | None]:
    """Return outcome, fault and grey value of one answer; only versions of the time of the request are good ones."""
    if answer.status in _NOT_NOW:
        return f"{answer.status} {answer.code}", None, None
    if answer.status != 200:
        return f"{answer.status} {answer.code}", f"answer {answer.status} {answer.code}", None
    pixels = np.asarray(Image.open(io.BytesIO(answer.content)))
    if pixels.min() != pixels.max():
        return "200", "a mixture of two objects", None
    value = int(pixels.flat[0])
    if not file.could_show(value, begin, end):
        return "200", "an object that was not in the file at that time", value
    return "200", None, value


def answer_of(status: int, headers: Mapping[str, str], content: bytes, code: str) -> Answer:
    """Describe an answer; the code only where it is a problem document."""
    is_problem = headers.get("content-type", "").startswith("application/problem+json")
    return Answer(status, code if is_problem else "", content)
