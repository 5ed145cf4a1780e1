"""`imageserver index`, alone and beside a running server."""

import shutil
from functools import partial

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from imageserver.archive.lease import LeaseLost
from tests.builders import volume
from tests.commands.conftest import Run
from tests.folders import Folder


@pytest.fixture
def run(run: Run) -> Run:
    """Run `imageserver index` with arguments; returns its exit code."""
    return partial(run, "index")


def test_what_it_says(run: Run, folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.write_all(volume(3))
    folder.write("junk", b"junk")
    assert run() == 0
    assert capsys.readouterr().out == "4 files seen, 3 indexed, 1 refused\n"


def test_the_list_of_refused_files(run: Run, folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.write("über\nline", b"junk")
    (folder.path / "link").symlink_to("nowhere")
    assert run("--refused") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[:2] for line in lines[:2]] == [
        ["link", "symbolic_link"],
        [r"\xfcber\nline", "not_dicom"],
    ]


def test_a_vanished_folder_is_forgotten_only_when_told_so(
    run: Run, folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write_all(volume(3))
    run()
    shutil.rmtree(folder.path)
    folder.path.mkdir()
    assert run() == 1
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == "3 files seen, 3 indexed, 0 refused"
    assert "--forget-missing" in captured.err
    assert run("--forget-missing") == 0
    assert capsys.readouterr().out == "0 files seen, 0 indexed, 0 refused\n"


def test_beside_a_running_server(run: Run, folder: Folder, app: FastAPI, signed_in: TestClient) -> None:
    keeper = app.state.archive.keeper
    folder.write_all(volume(3))
    assert keeper.look_and_wait(120)
    shutil.rmtree(folder.path)
    folder.path.mkdir()
    assert keeper.look_and_wait(120)
    assert signed_in.get("/volumes").json()["index"]["state"] == "unavailable"
    assert run("--forget-missing") == 0
    assert keeper.look_and_wait(120), "the server keeps the index again"
    app.state.archive.catalogue.forget()  # or half a second later
    answer = signed_in.get("/volumes").json()
    assert (answer["index"]["state"], answer["total"]) == ("ready", 0)


def test_another_process_that_takes_over_is_told(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object, **__: object) -> None:
        raise LeaseLost

    monkeypatch.setattr("imageserver.commands.index.look_once", lose)
    assert run() == 1
    assert (
        capsys.readouterr().err == "imageserver: another process took the index over, and goes on with it.\n"
    )
