"""T20: no name, attribute or parameter leads outside the data directory, and no pipe or link holds a reader up."""

import itertools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from fuzz.report import Options
from fuzz.targets import symlink_races
from imageserver.archive import files
from imageserver.archive.files import DataDirectory, FileIdentity
from imageserver.archive.index_writer import Outcome
from imageserver.errors import AppError
from tests.builders import image
from tests.folders import Folder

Look = Callable[..., Outcome]

STEPS = ("..", "%2e%2e", "%252e%252e", "..%00", ".%00.", "．．", "\u202e..", "..;", "....//", "%c0%ae%c0%ae")
SLASHES = ("/", "\\", "%2f", "%5c", "%252f", "%c0%af", "∕", "//", "/./")
TARGETS = ("etc/passwd", "proc/self/environ", "secret", "dev/zero", "CON", "nul.dcm")
OTHERS = (
    "/etc/passwd", "file:///etc/passwd", "C:\\Windows\\win.ini", "\\\\host\\share", "~root", "$HOME", "`id`", "|id",
    "a" * 4096, "/dev/fd/0", "/proc/self/fd/3", "\0", "a\0b", "\n", "-rf", "*", "LPT1", "", " ", ".", "..", "...",
)  # fmt: skip
ATTRIBUTES = (
    "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "PatientID", "PatientName", "StudyID",
    "SeriesDescription", "Modality", "FrameOfReferenceUID", "AccessionNumber", "StudyDate", "RetrieveURI",
)  # fmt: skip


def payloads() -> list[str]:
    """More than 500 ways to say "outside"."""
    made = [
        slash.join([step] * depth + [target])
        for step, slash, target, depth in itertools.product(STEPS, SLASHES, TARGETS, (1, 6))
    ]
    return [*OTHERS, *made[::2]]


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Every path that Python opens meanwhile."""
    paths: list[str] = []
    is_on = [True]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if is_on[0] and event == "open" and isinstance(arguments[0], str | bytes):
            paths.append(os.fsdecode(arguments[0]))

    sys.addaudithook(hook)
    yield paths
    is_on[0] = False


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every path that is opened in the data directory, by the one function that does."""
    paths: list[bytes] = []
    open_beneath = files.open_beneath

    def spy(directory: int, path: bytes, flags: int) -> int:
        paths.append(path)
        return open_beneath(directory, path, flags)

    monkeypatch.setattr(files, "open_beneath", spy)
    return paths


def test_t20_there_are_enough_payloads() -> None:
    assert len(set(payloads())) >= 500


def test_t20_no_parameter_is_a_path(
    signed_in: TestClient, folder: Folder, opened: list[str], asked: list[bytes]
) -> None:
    folder.write("file", image())
    signed_in.app.state.archive.keeper.look_and_wait(60)  # type: ignore[attr-defined]
    opened.clear()
    ways: list[Callable[[str], Any]] = [
        lambda text: signed_in.get("/slice", params={"series": text}),
        lambda text: signed_in.get("/patient", params={"series": text}),
        lambda text: signed_in.get("/volumes/" + quote(text, safe="")),
    ]
    for number, text in enumerate(payloads()):
        answer = ways[number % len(ways)](text)
        assert answer.status_code in (200, 400, 404, 405, 422), text
        if answer.status_code == 200:  # an empty parameter, or a path that is another address
            assert b"root:" not in answer.content
    assert set(asked) <= {b"file", b"."}
    outside = [path for path in opened if "passwd" in path or "/proc/" in path or "secret" in path]
    assert outside == []


def test_t20_no_attribute_is_a_path(
    folder: Folder, look: Look, opened: list[str], asked: list[bytes]
) -> None:
    chosen = [text for text in payloads() if "\0" not in text and text.isascii()][::12]
    for number, text in enumerate(chosen):
        dataset = image(instance=number)
        for keyword in ATTRIBUTES:
            setattr(dataset, keyword, text)
        folder.write(f"file{number}", dataset)
    look()
    assert set(asked) <= {b".", *(f"file{number}".encode() for number in range(len(chosen)))}
    assert [path for path in opened if "passwd" in path or "/dev/" in path or "secret" in path] == []


@pytest.mark.parametrize("has_openat2", [True, False])
def test_t20_the_one_function_opens_nothing_outside(
    folder: Folder,
    directory: DataDirectory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    has_openat2: bool,
) -> None:
    folder.write("file", b"inside")
    secret = tmp_path / "secret"
    secret.write_bytes(b"outside")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_bytes(b"outside")
    if not has_openat2:
        monkeypatch.setattr("imageserver.archive.beneath.has_openat2", lambda: False)
    status = secret.stat()
    identity = FileIdentity(status.st_size, status.st_mtime_ns, status.st_ino)  # even if it were known
    for text in [*payloads(), "../secret", "../etc/passwd", str(secret), "x/../../secret"]:
        for path in (os.fsencode(text) if text < "\udc80" else text.encode(), text.encode("utf-16-le")):
            with pytest.raises((AppError, OSError)), directory.open(path, identity) as stream:
                pytest.fail(f"opened {path!r}: {stream.read()!r}")


def test_t20_names_of_files_are_only_names(folder: Folder, look: Look, asked: list[bytes]) -> None:
    names = [text for text in payloads() if 0 < len(text.encode()) < 256 and not set("/\0") & set(text)]
    names = [name for name in names if name not in (".", "..") and not name.startswith(".")][:100]
    for number, name in enumerate(names):
        folder.write(name, image(instance=number))
    look()
    assert len(names) > 50
    assert set(asked) <= {b".", *(name.encode() for name in names)}


def test_t20_races_with_links_and_pipes(tmp_path: Path) -> None:
    report = symlink_races.run(Options(500, None, 20, tmp_path))
    assert report.faults == {}
    assert report.outcomes["inside"] > 0
    assert report.outcomes["swaps"] >= 500
