"""The examples of docs/api.md run as they stand, against a server with the sample volume.

All examples of one language below one heading are one program, after the lines that the document itself says to run
first. A fence ``text`` behind an example is what it prints; `…` there stands for anything. Files that an example
writes must be what their names say.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pydicom
import pytest
import uvicorn

from imageserver.accounts import program_tokens
from imageserver.accounts.models import Role, TokenRights
from imageserver.accounts.users import create_user
from imageserver.clock import utc_now
from imageserver.database import Database
from imageserver.main import create_app
from imageserver.migrations import migrate
from imageserver.settings import Settings
from tests.repository.conftest import ROOT

FENCE = re.compile(r"^```(sh|python|javascript|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)
LANGUAGES = ("sh", "python", "javascript")
FIRST = "DICOMweb"  # below this heading stand the lines that come before every example
PLACEHOLDERS = ("mis_…", "1.2.3.4.5")
MAGIC = {
    ".png": b"\x89PNG\r\n\x1a\n",
    ".jpg": b"\xff\xd8\xff",
    ".gz": b"\x1f\x8b",
    ".npy": b"\x93NUMPY",
    ".pdf": b"%PDF-",
    ".json": b"[",
    ".xml": b"<?xml",
    ".mp": b"--",  # multipart
    ".raw": b"",
}
SECONDS = 120


class Example(NamedTuple):
    """The program of one language below one heading, and what it prints."""

    heading: str
    language: str
    source: str
    output: str


def read_examples(text: str) -> list[Example]:
    """Collect the examples of a document in its order; FIRST's go in front of all others of their language."""
    heads = [(match.start(), match[1]) for match in HEADING.finditer(text)]
    found: dict[tuple[str, str], list[str]] = {}
    printed: dict[tuple[str, str], str] = {}
    last = None
    for fence in FENCE.finditer(text):
        heading = [name for start, name in heads if start < fence.start()][-1]
        if fence[1] == "text":
            assert last is not None, "there is an output without an example"
            printed[last] = printed.get(last, "") + fence[2]
            continue
        last = (heading, fence[1])
        found.setdefault(last, []).append(fence[2])
    return [
        Example(heading, language, "\n".join(parts), printed.get((heading, language), ""))
        for (heading, language), parts in found.items()
    ]


DOCUMENT = ROOT / "docs" / "api.md"
ALL = read_examples(DOCUMENT.read_text(encoding="utf-8")) if DOCUMENT.is_file() else []
PREPARATION = {example.language: example.source for example in ALL if example.heading == FIRST}
EXAMPLES = [example for example in ALL if example.heading != FIRST]


@pytest.fixture(scope="module")
def environment(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A server with the sample volume; what the document calls SERVER, TOKEN, STUDY, SERIES and INSTANCE."""
    folder = tmp_path_factory.mktemp("examples")
    shutil.copytree(root / "data" / "head-ct", folder / "data" / "head-ct")
    places = {"state_dir": folder / "state", "data_dir": folder / "data", "store_dir": folder / "store"}
    for place in places.values():
        place.mkdir(exist_ok=True, mode=0o700)
    settings = Settings.model_validate({**places, "store_reserve_mib": 0})
    token = make_token(settings)
    app = create_app(settings)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    assert app.state.archive.keeper.look_and_wait(60)
    middle = pydicom.dcmread(sorted((folder / "data" / "head-ct").iterdir())[34], stop_before_pixels=True)
    yield {
        "SERVER": f"http://127.0.0.1:{listener.getsockname()[1]}",
        "TOKEN": token,
        "STUDY": str(middle.StudyInstanceUID),
        "SERIES": str(middle.SeriesInstanceUID),
        "INSTANCE": str(middle.SOPInstanceUID),
    }
    server.should_exit = True
    thread.join()
    listener.close()


def make_token(settings: Settings) -> str:
    database = Database(settings.effective_database_url)
    migrate(database)
    now = utc_now()
    with database.writing() as session:
        user = create_user(session, "ada", "no password", Role.ADMIN, now)
        expires = now + timedelta(days=1)
        made = program_tokens.make_token(session, user.id, "examples", TokenRights.READ_WRITE, expires, now)
    database.dispose()
    return made.secret


def command_of(example: Example, folder: Path) -> list[str]:
    """Write the program, and return how it is run."""
    prepared = {"python": PREPARATION["python"] + "\n", "javascript": PREPARATION["javascript"]}
    source = prepared.get(example.language, "set -e\n") + example.source
    names = {"sh": "example.sh", "python": "example.py", "javascript": "example.mjs"}
    path = folder / names[example.language]
    path.write_text(source, encoding="utf-8")
    programs = {"sh": ("bash",), "python": (sys.executable, "-W", "error"), "javascript": ("node",)}
    program, *options = programs[example.language]
    needed = [program] + (["curl"] if "curl" in example.source else [])
    for name in needed:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
    return [program, *options, str(path)]


def matches(printed: str, expected: str) -> bool:
    parts = (re.escape(part) for part in expected.strip().split("…"))
    return re.fullmatch(".*?".join(parts), printed.strip(), re.DOTALL) is not None


def check_file(path: Path) -> None:
    content = path.read_bytes()
    assert content, path.name
    if path.suffix == ".dcm":
        pydicom.dcmread(path)
    else:
        assert path.suffix in MAGIC, f"say in MAGIC what {path.name} begins with"
        assert content.startswith(MAGIC[path.suffix]), path.name


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one.language}: {one.heading}")
def test_it_does_what_the_document_says(
    example: Example, environment: dict[str, str], tmp_path: Path
) -> None:
    command = command_of(example, tmp_path)
    before = set(tmp_path.iterdir())
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    if example.output:
        assert matches(done.stdout, example.output), done.stdout
    assert '"/problems/' not in done.stdout
    made = set(tmp_path.iterdir()) - before
    for path in made:
        if path.is_file():
            check_file(path)
    assert made or done.stdout.strip(), "an example that shows nothing cannot fail"


class TestDocument:
    def test_there_are_examples_of_every_language(self, root: Path) -> None:
        assert {example.language for example in EXAMPLES} == set(LANGUAGES), root
        assert set(PREPARATION) == set(LANGUAGES)
        assert all(placeholder in PREPARATION["sh"] for placeholder in PLACEHOLDERS)

    def test_curl_fails_where_the_server_refuses(self, root: Path) -> None:
        without = [example.heading for example in EXAMPLES if example.language == "sh"
                   for line in example.source.replace("\\\n", "").splitlines()
                   if "curl" in line and "--fail" not in line]  # fmt: skip
        assert without == [], root

    def test_nothing_of_this_machine_is_in_them(self, root: Path) -> None:
        assert [
            one.heading for one in EXAMPLES if re.search(r"localhost|127\.0\.0\.1|mis_", one.source)
        ] == [], root


class TestReading:
    TEXT = "## A\n```sh\none\n```\n```text\n1…3\n```\n### B\n```python\nx\n```\n```sh\ntwo\n```\n```python\ny\n```\n"

    def test_examples_of_a_heading_are_one_program(self) -> None:
        assert read_examples(self.TEXT) == [
            Example("A", "sh", "one\n", "1…3\n"),
            Example("B", "python", "x\n\ny\n", ""),
            Example("B", "sh", "two\n", ""),
        ]

    def test_anything_may_stand_for_dots(self) -> None:
        assert matches("1 2 3\n", "1…3\n")
        assert not matches("1 2 4\n", "1…3\n")
        assert not matches("0 1 2 3", "1…3")
