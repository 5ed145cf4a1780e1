"""T46: a file that changes under readers gives the whole old or the whole new object, or a refusal by name."""

import io
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from fuzz.changing_folder import ChangingFolder, Version
from fuzz.readers import Answer, answer_of, judge
from fuzz.report import Options
from fuzz.targets import changing_files
from imageserver.settings import Settings


def test_t46_a_hundred_changes_under_readers(
    app: FastAPI, signed_in: TestClient, settings: Settings, tmp_path: Path
) -> None:
    folder = ChangingFolder(settings.data_dir, 20, seed=46)

    def ask(series_instance_uid: str) -> Answer:
        answer = signed_in.get("/slice", params={"series": series_instance_uid})
        code = answer.json()["code"] if answer.status_code >= 400 else ""
        return answer_of(answer.status_code, answer.headers, answer.content, code)

    report = changing_files.change(folder, ask, Options(100, None, 46, tmp_path), readers=4)
    assert report.faults == {}
    assert report.tried == 100
    assert report.outcomes["200"] > 20  # a busy machine answers less often


class TestJudge:
    """The judge itself: it lets nothing pass that is no single object of the right time."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> ChangingFolder:
        return ChangingFolder(tmp_path, 1, seed=1)

    @staticmethod
    def picture(*values: int) -> Answer:
        file = io.BytesIO()
        Image.fromarray(np.array([values], np.uint8)).save(file, "PNG")
        return Answer(200, "", file.getvalue())

    def test_the_version_of_the_time(self, folder: ChangingFolder) -> None:
        (file,) = folder.files
        file.versions[:] = [Version(5, 0.0, 2.0), Version(6, 1.0)]
        assert judge(file, self.picture(5, 5), 1.5, 3.0)[1] is None
        assert judge(file, self.picture(6, 6), 0.5, 1.5)[1] is None
        assert judge(file, self.picture(5, 5), 2.5, 3.0)[1] is not None
        assert judge(file, self.picture(6, 6), 0.0, 0.5)[1] is not None

    def test_a_mixture(self, folder: ChangingFolder) -> None:
        (file,) = folder.files
        file.versions[:] = [Version(5, 0.0, 2.0), Version(6, 1.0)]
        assert judge(file, self.picture(5, 6), 1.5, 1.6)[1] == "a mixture of two objects"

    def test_an_unexpected_error(self, folder: ChangingFolder) -> None:
        assert judge(folder.files[0], Answer(500, "internal", b""), 0.0, 1.0)[1] == "answer 500 internal"
        assert judge(folder.files[0], Answer(410, "file_gone", b""), 0.0, 1.0)[1] is None
