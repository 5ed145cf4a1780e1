"""Folders that were laid out to hurt: names, depths, loops, and what is no file at all."""

import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuzz.served import Served, serve
from tests.builders import image, to_bytes, uid, volume

NAMES = (
    b"x" * 255,
    "画像".encode() * 41,
    b"caf\xe9",
    b"\xff\xfe\xfd",
    b"\xed\xa0\x80 lone surrogate",
    b"new\nline",
    b"\x1b]0;title\x07 and \x1b[2J",
    "\u202egnp.dcm".encode(),
    b"-rf *",
    b"$(reboot)`id`;'\"",
    b"a..dcm",
    b"b... ",
    b"%2e%2e%2f",
    b"con.dcm:stream",
    b"tab\tand\x7f",
    b"<script>alert(1)<script>",
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path) as served:
        for number, dataset in enumerate(volume(3, series="good")):
            served.write(f"good{number}", to_bytes(dataset))
        yield served


def middle(served: Served) -> str:
    answer = served.get("/slice", series=uid("good"))
    assert (answer.status_code, answer.headers["X-Slice-Count"]) == (200, "3")
    return str(answer.headers["X-SOP-Instance-UID"])


def index_counts(served: Served) -> tuple[int, int]:
    state = served.get("/volumes").json()["index"]
    return state["indexed"], state["refused"]


def write_bytes_name(served: Served, name: bytes, content: bytes) -> None:
    path = Path(os.fsdecode(os.fsencode(served.folder) + b"/" + name))
    path.write_bytes(content)
    os.utime(path, (1e9, 1e9))


def test_every_name_is_indexed_and_listed(served: Served) -> None:
    for number, name in enumerate(NAMES):
        write_bytes_name(served, name, to_bytes(image(series=f"named {number}")))
        write_bytes_name(served, b"bad" + name[:250], b"no DICOM")
    served.look()
    assert index_counts(served) == (3 + len(NAMES), len(NAMES))
    served.ask_everything()
    problems = served.get("/index/problems", limit="100")
    assert problems.status_code in (200, 403)
    assert b"\x1b" not in problems.content
    assert len(problems.json()["problems"]) == len(NAMES)
    assert middle(served)


def test_ten_thousand_empty_files(served: Served) -> None:
    folder = served.folder / "empty"
    folder.mkdir()
    for number in range(10_000):
        path = folder / f"{number}"
        path.touch()
        os.utime(path, (1e9, 1e9))
    served.look()
    assert index_counts(served) == (3, 10_000)
    assert middle(served)


def test_folders_deeper_than_a_path_may_be_long(served: Served) -> None:
    """Each step is made from the last one: no path of 25,500 bytes can be opened by its name."""
    name = "d" * 255
    here = os.open(served.folder, os.O_RDONLY)
    for _ in range(100):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    descriptor = os.open("unreachable", os.O_CREAT | os.O_WRONLY, dir_fd=here)
    os.write(descriptor, to_bytes(image(series="deep")))
    os.close(descriptor)
    os.close(here)
    served.look()
    assert middle(served)
    served.look()  # and again, with the rows of what could not be read
    assert index_counts(served)[0] == 3


def test_a_thousand_folders_in_one_another_are_walked(served: Served) -> None:
    deepest = served.folder
    for _ in range(1000):
        deepest = deepest / "d"
        deepest.mkdir()
    path = deepest / "image"
    path.write_bytes(to_bytes(image(series="deep")))
    os.utime(path, (1e9, 1e9))
    served.look()
    assert served.get("/slice", series=uid("deep")).status_code == 200


def test_links_in_circles_and_what_is_no_file(served: Served) -> None:
    folder = served.folder
    (folder / "itself").symlink_to("itself")
    (folder / "parent").symlink_to("..")
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("one")
    (folder / "passwd").symlink_to("/etc/passwd")
    (folder / "proc").symlink_to("/proc/self/root")
    (folder / "nowhere").symlink_to("/nowhere")
    os.mkfifo(folder / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
        if os.geteuid() == 0:
            with contextlib.suppress(
                PermissionError
            ):  # root without the right to make devices, as in a container
                os.mknod(folder / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        served.look()
    assert index_counts(served) == (3, 0)
    assert middle(served)


def test_a_file_swapped_for_a_fifo_after_indexing(served: Served) -> None:
    served.look()
    victim = served.folder / "good1"
    victim.unlink()
    os.mkfifo(victim)
    answer = served.get("/slice", series=uid("good"))
    assert answer.status_code == 410
    served.look()
    assert served.get("/slice", series=uid("good")).headers["X-Slice-Count"] == "2"


def test_a_file_of_a_terabyte_of_holes(served: Served) -> None:
    """A sparse file is as long as it says, and none of it is there."""
    for name, head in (("zeros", b""), ("image", to_bytes(image(series="holes"))[:-1])):
        path = served.write(name, head)
        with path.open("ab") as stream:
            stream.truncate(1 << 40)
        os.utime(path, (1e9, 1e9))
    served.look()
    assert middle(served)
