"""A folder whose files change while others read it, and the knowledge of what may be seen at any time."""

import itertools
import os
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.builders import image, to_bytes, uid

SIDE = 256
_VALUES = 251
_PAUSE_INSIDE_A_WRITE = 0.002
_AGE_SECONDS = 3600.0


@dataclass
class Version:
    """An object that stands in a file, or nothing that could be shown (`value` is None), and since when."""

    value: int | None
    begin: float
    end: float = float("inf")


@dataclass
class ChangingFile:
    """One file, which is a series of its own; its pictures have one grey value, another one for each version."""

    number: int
    path: Path
    versions: list[Version] = field(default_factory=list)

    @property
    def series_instance_uid(self) -> str:
        return uid(f"changing {self.number}")

    @property
    def present(self) -> int | None:
        return self.versions[-1].value

    def content(self, value: int) -> bytes:
        pixels = np.full((SIDE, SIDE), value, np.uint8)
        # This window leaves 8-bit values as they are (PS3.3 C.11.2.1.2).
        return to_bytes(image(pixels, series=f"changing {self.number}", WindowCenter=128, WindowWidth=256))

    def could_show(self, value: int, begin: float, end: float) -> bool:
        """Tell whether this version stood in the file at any time between two moments."""
        return any(
            version.value == value and version.begin <= end and begin <= version.end
            for version in list(self.versions)
        )


class ChangingFolder:
    """Writes files and changes them: replaces, rewrites in place, cuts, continues, removes, renames, brings back."""

    def __init__(self, folder: Path, count: int, seed: int) -> None:
        self.folder = folder
        self.random = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self._names = itertools.count()
        self._values = itertools.count(1)
        self._writing = threading.Lock()
        self.files = [ChangingFile(number, folder / f"file{number}") for number in range(count)]
        for file in self.files:
            value = self._next_value()
            file.path.write_bytes(file.content(value))
            moment = time.time() - _AGE_SECONDS
            os.utime(file.path, (moment, moment + file.number / 1000))
            file.versions.append(Version(value, time.monotonic()))
        (folder / "constant").write_bytes(b"so that the folder is never empty")

    def mutate(self) -> str:
        """Change one file and return how."""
        file = self.random.choice(self.files)
        kinds = ("replace", "rewrite", "cut", "append", "remove", "exchange", "spoil", "rename")
        kind = self.random.choice(kinds) if file.present is not None else "replace"
        getattr(self, f"_{kind}")(file)
        return kind

    def _next_value(self) -> int:
        return next(self._values) % _VALUES + 2

    def _begin(self, file: ChangingFile, value: int | None) -> None:
        """Note that from now on another version may be seen; the former one may be until `_end`."""
        file.versions.append(Version(value, time.monotonic()))

    def _end(self, file: ChangingFile) -> None:
        file.versions[-2].end = time.monotonic()

    def _put(self, file: ChangingFile, content: bytes, value: int | None) -> None:
        """Put another file in its place, in one step."""
        temporary = self.folder / f".{next(self._names)}"
        temporary.write_bytes(content)
        self._begin(file, value)
        temporary.replace(file.path)
        self._end(file)

    def _replace(self, file: ChangingFile) -> None:
        value = self._next_value()
        self._put(file, file.content(value), value)

    def _rewrite(self, file: ChangingFile) -> None:
        """Write over it in place; between both halves the file holds neither version."""
        value = self._next_value()
        content = file.content(value)
        half = len(content) // 2
        self._begin(file, value)
        with file.path.open("r+b") as stream:
            stream.write(content[:half])
            stream.flush()
            time.sleep(_PAUSE_INSIDE_A_WRITE)
            stream.write(content[half:])
            stream.truncate()
        self._end(file)

    def _cut(self, file: ChangingFile) -> None:
        self._begin(file, None)
        os.truncate(file.path, file.path.stat().st_size // 2)
        self._end(file)

    def _append(self, file: ChangingFile) -> None:
        """Bytes behind the pixel data lose nothing: the picture stays."""
        with file.path.open("ab") as stream:
            stream.write(b"behind")

    def _remove(self, file: ChangingFile) -> None:
        self._begin(file, None)
        file.path.unlink()
        self._end(file)

    def _exchange(self, file: ChangingFile) -> None:
        """Put another series in its place."""
        self._put(file, to_bytes(image(series=f"another {next(self._names)}")), None)

    def _spoil(self, file: ChangingFile) -> None:
        self._put(file, b"this is no image, and long enough to be looked at" * 10, None)

    def _rename(self, file: ChangingFile) -> None:
        path = self.folder / f"file{file.number}.{next(self._names)}"
        file.path.rename(path)
        file.path = path
