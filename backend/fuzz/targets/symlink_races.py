"""Links and pipes swapped in while files are opened: nothing outside the folder is ever read (T20)."""

import errno
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from fuzz.report import Options, Report
from imageserver.archive import beneath
from imageserver.archive.files import DataDirectory, FoundFile
from imageserver.errors import AppError

COUNT = 10_000
INSIDE, OUTSIDE = b"inside", b"outside: must never be read"
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_PATH = b"folder/file"


class Swapper:
    """A folder in which a file, and the folder above it, turn into links to the outside, and back."""

    def __init__(self, place: Path) -> None:
        self.root, self.outside = place / "root", place / "outside"
        self.folder = self.root / "folder"
        self.folder.mkdir(parents=True)
        self.outside.mkdir()
        (self.outside / "file").write_bytes(OUTSIDE)
        self.file = self.folder / "file"
        self.file.write_bytes(INSIDE)
        (self.root / "another").write_bytes(INSIDE)  # so that the folder is never empty
        self.swaps = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._swap, daemon=True)

    def __enter__(self) -> "Swapper":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _swap(self) -> None:
        while not self._stop.is_set():
            self._exchange_file(lambda path: path.symlink_to(self.outside / "file"))
            self._exchange_file(os.mkfifo)
            self._exchange_folder()
            self.swaps += 3

    def _exchange_file(self, make: Callable[[Path], None]) -> None:
        other = self.root / ".other"
        make(other)
        other.replace(self.file)
        other.write_bytes(INSIDE)
        other.replace(self.file)

    def _exchange_folder(self) -> None:
        aside = self.root / ".aside"
        self.folder.rename(aside)
        self.folder.symlink_to(self.outside)
        self.folder.unlink()
        aside.rename(self.folder)


def run(options: Options) -> Report:
    """Open the file again and again by each way, and look at the folder, while it is swapped."""
    report = Report(seed=options.seed)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="imageserver-races-") as name, Swapper(Path(name)) as swapper:
        directory = DataDirectory(swapper.root)
        root = os.open(swapper.root, os.O_RDONLY | os.O_DIRECTORY)
        ways: list[Callable[[], str]] = [
            lambda: _open(beneath.open_beneath, root),
            lambda: _open(beneath._walk, root),
            lambda: _open_found(directory),
        ]
        while report.tried < options.count or swapper.swaps < options.count:
            if options.seconds is not None and time.monotonic() - begin > options.seconds:
                break
            outcome = ways[report.tried % len(ways)]()
            report.outcomes[outcome] += 1
            report.faults.update([outcome] if outcome.startswith("OUTSIDE") else [])
            report.tried += 1
        os.close(root)
    report.outcomes["swaps"] = swapper.swaps
    report.seconds = time.monotonic() - begin
    return report


def _open(opener: Callable[[int, bytes, int], int], root: int) -> str:
    """Open without the comparison of identities, which would hide what the opener lets through."""
    try:
        descriptor = opener(root, _PATH, _FLAGS)
    except OSError as error:
        return f"refused {_name(error)}"
    try:
        return _judge(os.read(descriptor, 64))
    except BlockingIOError:
        return "empty pipe"
    finally:
        os.close(descriptor)


def _open_found(directory: DataDirectory) -> str:
    """Find the file as the walk does, and open it."""
    for found in directory.walk():
        if isinstance(found, FoundFile) and found.path != b"another":
            try:
                with directory.open(found.path, found.identity) as stream:
                    content = stream.read(64)
            except AppError as error:
                return f"refused {error.code}"
            return _judge(content)
    return "nothing found"


def _judge(content: bytes) -> str:
    return "inside" if content in (INSIDE, b"") else "OUTSIDE was read"


def _name(error: OSError) -> str:
    """Return the name of a system error."""
    return errno.errorcode.get(error.errno or 0, "unknown")
