"""Nothing outside the directory is opened, by either way of opening."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imageserver.archive import beneath

Opener = Callable[[int, bytes, int], int]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "secret").write_bytes(b"secret")
    inside = tmp_path / "inside"
    (inside / "folder").mkdir(parents=True)
    (inside / "folder" / "file").write_bytes(b"content")
    (inside / "link").symlink_to("folder/file")
    (inside / "way out").symlink_to(tmp_path)
    (inside / "folder link").symlink_to("folder")
    descriptor = os.open(inside, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture(params=["openat2", "walk"])
def opener(request: pytest.FixtureRequest) -> Opener:
    if request.param == "openat2" and not beneath.has_openat2():
        pytest.skip("this kernel or sandbox has no openat2")
    return beneath._openat2 if request.param == "openat2" else beneath._walk


def test_a_file_in_a_folder_is_opened(root: int, opener: Opener) -> None:
    descriptor = opener(root, b"folder/file", os.O_RDONLY)
    assert os.read(descriptor, 100) == b"content"
    os.close(descriptor)


@pytest.mark.parametrize(
    "path",
    [
        b"../secret",
        b"folder/../../secret",
        b"folder/../folder/../../secret",
        b"/etc/hostname",
        b"way out/secret",
        b"link",
        b"folder link/file",
        b"folder/file/..",
        b"",
        b"folder/file\0.dcm",
        b"folder" + b"/a" * 3000,
        b"\xff" * 300,
    ],
)
def test_nothing_else_is(root: int, opener: Opener, path: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beneath, "has_openat2", lambda: opener is beneath._openat2)
    before = open_descriptors()
    with pytest.raises(OSError):  # noqa: PT011 - the number differs by system
        beneath.open_beneath(root, path, os.O_RDONLY)
    assert open_descriptors() == before, "a descriptor was left open"


def open_descriptors() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0
