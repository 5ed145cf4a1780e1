"""A client that others wrote does all that it can, as it is: `dicomweb-client` (Python) over a socket."""

import inspect
import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import numpy as np
import pydicom
import pytest
import requests
import uvicorn
from dicomweb_client import cli
from dicomweb_client.api import DICOMwebClient
from dicomweb_client.session_utils import create_session_from_user_pass
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image
from pydicom.dataset import Dataset

from imageserver.accounts.models import Role
from imageserver.settings import Settings
from tests.api.conftest import Index
from tests.api.programs import make_token
from tests.builders import image, stream, uid, volume
from tests.conftest import AddUser
from tests.folders import Folder

GREY = 77
# PS3.3 C.11.2.1.2.1, LINEAR: stored values from 0 to 255 stay as they are.
UNCHANGED = {"WindowCenter": 128, "WindowWidth": 256}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a store."""
    return settings.model_copy(update={"store_dir": settings.state_dir / "store"})


@pytest.fixture
def address(app: FastAPI, client: TestClient, folder: Folder, index: Index) -> Iterator[str]:
    """Address of the started application on a socket, with two studies."""
    folder.write_all([*volume(3, series="a"), image(series="b", PatientName="Other^Name", PatientID="B")])
    index()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/dicomweb"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def secret(app: FastAPI, add_user: AddUser) -> str:
    """Token of an administrator's program."""
    return make_token(app, add_user("grace", Role.ADMIN)).secret


@pytest.fixture
def dicomweb(address: str, secret: str) -> DICOMwebClient:
    """The client, as its documentation says to use it."""
    client = DICOMwebClient(url=address, headers={"Authorization": f"Bearer {secret}"})
    client.set_http_retry_params(max_attempts=1)  # what fails is to fail at once
    return client


def copy_of(dataset: Dataset) -> Dataset:
    """What `pydicom.dcmread` makes of its file."""
    return pydicom.dcmread(stream(dataset))


class TestSearch:
    def test_studies(self, dicomweb: DICOMwebClient) -> None:
        found = dicomweb.search_for_studies(
            search_filters={"PatientName": "doe*"}, fields=["PatientAge"], limit=5
        )
        assert [one["0020000D"]["Value"] for one in found] == [[uid("study of", "a")]]
        assert len(dicomweb.search_for_studies()) == 2
        assert (
            len(dicomweb.search_for_studies(fuzzymatching=True, search_filters={"PatientName": "name oth"}))
            == 1
        )

    def test_series(self, dicomweb: DICOMwebClient) -> None:
        assert len(dicomweb.search_for_series()) == 2
        [one] = dicomweb.search_for_series(uid("study of", "b"), search_filters={"Modality": "CT"})
        assert one["0020000E"]["Value"] == [uid("b")]

    def test_instances(self, dicomweb: DICOMwebClient) -> None:
        assert len(dicomweb.search_for_instances()) == 4
        study, series = uid("study of", "a"), uid("a")
        pages = [dicomweb.search_for_instances(study, series, limit=2, offset=offset) for offset in (0, 2, 4)]
        assert [len(page) for page in pages] == [2, 1, 0]
        [one] = dicomweb.search_for_instances(study, search_filters={"SOPInstanceUID": uid("a", 2)})
        assert one["00200013"]["Value"] == [2]

    def test_everything(self, dicomweb: DICOMwebClient) -> None:
        assert len(dicomweb.search_for_instances(get_remaining=True, limit=1)) == 4


class TestRetrieve:
    def test_files(self, dicomweb: DICOMwebClient) -> None:
        study, series = uid("study of", "a"), uid("a")
        expected = {uid("a", number) for number in (1, 2, 3)}
        assert {one.SOPInstanceUID for one in dicomweb.retrieve_study(study)} == expected
        assert {one.SOPInstanceUID for one in dicomweb.iter_study(study)} == expected
        assert {one.SOPInstanceUID for one in dicomweb.retrieve_series(study, series)} == expected
        for kinds in (None, (("application/dicom", "1.2.840.10008.1.2.5"),), ("application/dicom",)):
            one = dicomweb.retrieve_instance(study, series, uid("a", 2), media_types=kinds)
            assert one.SOPInstanceUID == uid("a", 2)
            assert one.pixel_array.tobytes() == image().PixelData
            assert (one.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.5") == (
                kinds is not None and len(kinds[0]) == 2
            )

    def test_a_series_in_pieces_of_any_size(self, dicomweb: DICOMwebClient) -> None:
        for chunk_size in (7, 4096):
            dicomweb.set_chunk_size(chunk_size)
            found = list(dicomweb.iter_series(uid("study of", "a"), uid("a")))
            assert sorted(one.SOPInstanceUID for one in found) == sorted(uid("a", n) for n in (1, 2, 3))
            assert {one.PixelData for one in found} == {image().PixelData}

    def test_metadata(self, dicomweb: DICOMwebClient) -> None:
        study, series = uid("study of", "a"), uid("a")
        assert len(dicomweb.retrieve_study_metadata(study)) == 3
        assert len(dicomweb.retrieve_series_metadata(study, series)) == 3
        one = dicomweb.retrieve_instance_metadata(study, series, uid("a", 1))
        assert one["00080018"]["Value"] == [uid("a", 1)]

    def test_frames(self, dicomweb: DICOMwebClient) -> None:
        place = uid("study of", "a"), uid("a"), uid("a", 3)
        assert dicomweb.retrieve_instance_frames(*place, [1]) == [image().PixelData]
        assert list(dicomweb.iter_instance_frames(*place, [1])) == [image().PixelData]
        [encoded] = dicomweb.retrieve_instance_frames(
            *place, [1], media_types=(("image/jls", "1.2.840.10008.1.2.4.80"),)
        )
        assert encoded.startswith(b"\xff\xd8")

    def test_frames_of_a_list_in_its_order(
        self, dicomweb: DICOMwebClient, folder: Folder, index: Index
    ) -> None:
        pixels = np.arange(3 * 64, dtype=np.uint8).reshape(3, 8, 8)
        folder.write("film", image(pixels, series="film", NumberOfFrames=3))
        index()
        place = uid("study of", "film"), uid("film"), uid("film", 1)
        expected = [pixels[2].tobytes(), pixels[0].tobytes()]
        assert dicomweb.retrieve_instance_frames(*place, [3, 1]) == expected
        assert list(dicomweb.iter_instance_frames(*place, [3, 1])) == expected

    def test_bulk_data_is_where_the_metadata_say(self, dicomweb: DICOMwebClient) -> None:
        study, series = uid("study of", "a"), uid("a")
        for one in (
            dicomweb.retrieve_study_metadata(study)[0],
            dicomweb.retrieve_series_metadata(study, series)[0],
            dicomweb.retrieve_instance_metadata(study, series, uid("a", 1)),
        ):
            where = one["7FE00010"]["BulkDataURI"]
            assert dicomweb.retrieve_bulkdata(where) == [image().PixelData]
            assert list(dicomweb.iter_bulkdata(where)) == [image().PixelData]

    def test_pictures(self, dicomweb: DICOMwebClient, folder: Folder, index: Index) -> None:
        folder.write("flat", image(np.full((9, 7), GREY, np.uint16), series="flat", **UNCHANGED))
        index()
        series = uid("study of", "flat"), uid("flat")
        place = (*series, uid("flat", 1))
        for picture in (
            dicomweb.retrieve_series_rendered(*series, media_types=("image/png",)),
            dicomweb.retrieve_instance_rendered(*place, media_types=("image/png",)),
            dicomweb.retrieve_instance_frames_rendered(*place, [1], media_types=("image/png",)),
            dicomweb.retrieve_instance_frames_rendered(*place, [1], media_types=("image/jpeg",)),
            dicomweb.retrieve_instance_rendered(*place),
        ):
            shown = Image.open(io.BytesIO(picture)).convert("L")
            assert (shown.size, shown.getextrema()) == ((7, 9), (GREY, GREY))
        larger = dicomweb.retrieve_instance_rendered(
            *place, media_types=("image/png",), params={"viewport": "14,18", "window": "100,256,linear"}
        )
        # PS3.3 C.11.2.1.2.1: a window of 256 around 100, not 128, makes everything brighter by 28.
        shown = Image.open(io.BytesIO(larger)).convert("L")
        assert (shown.size, shown.getextrema()) == ((14, 18), (GREY + 28, GREY + 28))


class TestStore:
    def test_instances_are_found_and_the_same(self, dicomweb: DICOMwebClient) -> None:
        made = [copy_of(one) for one in volume(3, series="new", PatientName="Müller^Jürgen",
                                               SpecificCharacterSet="ISO_IR 192")]  # fmt: skip
        study, series = uid("study of", "new"), uid("new")
        answer = dicomweb.store_instances(made)
        assert [one.ReferencedSOPInstanceUID for one in answer.ReferencedSOPSequence] == [
            one.SOPInstanceUID for one in made
        ]
        assert "FailedSOPSequence" not in answer
        assert sorted(dicomweb.retrieve_series(study, series), key=lambda one: one.InstanceNumber) == made
        [found] = dicomweb.search_for_studies(search_filters={"PatientName": "Müller*"})
        assert found["0020000D"]["Value"] == [study]

    def test_chunk_by_chunk(self, dicomweb: DICOMwebClient) -> None:
        dicomweb.set_chunk_size(100)  # what is larger goes out with `Transfer-Encoding: chunked`
        made = copy_of(image(series="new"))
        answer = dicomweb.store_instances([made], study_instance_uid=made.StudyInstanceUID)
        assert len(answer.ReferencedSOPSequence) == 1
        assert dicomweb.retrieve_instance(uid("study of", "new"), uid("new"), made.SOPInstanceUID) == made

    def test_what_is_of_another_study_is_told(self, dicomweb: DICOMwebClient) -> None:
        mine, other = copy_of(image(series="mine")), copy_of(image(series="other"))
        answer = dicomweb.store_instances([mine, other], study_instance_uid=mine.StudyInstanceUID)
        assert [one.ReferencedSOPInstanceUID for one in answer.ReferencedSOPSequence] == [mine.SOPInstanceUID]
        [failed] = answer.FailedSOPSequence
        assert (failed.ReferencedSOPInstanceUID, failed.FailureReason) == (other.SOPInstanceUID, 0xA901)


class TestDelete:
    def test_at_every_level(self, dicomweb: DICOMwebClient) -> None:
        study, series = uid("study of", "a"), uid("a")
        dicomweb.delete_instance(study, series, uid("a", 1))
        assert len(dicomweb.search_for_instances(study)) == 2
        dicomweb.delete_series(study, series)
        assert dicomweb.search_for_instances(study) == []
        dicomweb.delete_study(uid("study of", "b"))
        assert dicomweb.search_for_studies() == []

    def test_what_is_not_there(self, dicomweb: DICOMwebClient) -> None:
        with pytest.raises(requests.HTTPError) as caught:
            dicomweb.delete_study("1.2.3")
        assert caught.value.response.status_code == HTTPStatus.NOT_FOUND


class TestSession:
    def test_basic_with_a_token_as_the_password(self, address: str, secret: str) -> None:
        session = create_session_from_user_pass("grace", secret)
        assert len(DICOMwebClient(url=address, session=session).search_for_studies()) == 2

    def test_without_a_token(self, address: str) -> None:
        with pytest.raises(requests.HTTPError) as caught:
            DICOMwebClient(url=address).search_for_studies()
        assert caught.value.response.status_code == HTTPStatus.UNAUTHORIZED


class TestCommandLine:
    """The program `dicomweb_client` that comes with it."""

    @pytest.fixture
    def run(
        self,
        address: str,
        secret: str,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> Callable[..., str]:
        """Function that runs it, and returns what it prints."""
        # It sets the root logger up for a process of its own; the tests that come after listen to that one too.
        monkeypatch.setattr(cli, "configure_logging", lambda _: logging.getLogger("dicomweb_client"))

        def run(*arguments: str) -> str:
            access = ["--url", address, "--user", "grace", "--password", secret]
            with pytest.raises(SystemExit) as ended:
                cli.main(cli._get_parser().parse_args([*access, *arguments]))
            printed = capsys.readouterr()
            assert ended.value.code == 0, printed.err
            return printed.out

        return run

    def test_it_searches(self, run: Callable[..., str]) -> None:
        assert "Other^Name" in run("search", "studies", "--filter", "PatientID=B", "--dicomize")

    def test_it_retrieves_and_stores(
        self, run: Callable[..., str], dicomweb: DICOMwebClient, tmp_path: Path
    ) -> None:
        place = ["--study", uid("study of", "b"), "--series", uid("b"), "--instance", uid("b", 1)]
        saved = tmp_path / "saved"
        saved.mkdir()
        run("retrieve", "instances", *place, "full", "--save", "--output-dir", str(saved))
        [path] = saved.iterdir()
        found = pydicom.dcmread(path)
        assert (found.PatientID, found.PixelData) == ("B", image().PixelData)
        found.StudyInstanceUID, found.SeriesInstanceUID = uid("study of", "c"), uid("c")
        found.SOPInstanceUID = found.file_meta.MediaStorageSOPInstanceUID = uid("c", 1)
        found.save_as(path)
        run("store", "instances", str(path))
        assert dicomweb.retrieve_study(uid("study of", "c")) == [found]


def test_nothing_that_the_client_can_do_is_left_out() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    local = {"lookup_keyword", "lookup_tag", "set_http_retry_params"}  # they ask no server
    methods = {name for name, _ in inspect.getmembers(DICOMwebClient, callable) if not name.startswith("_")}
    assert {name for name in methods - local if f".{name}(" not in source} == set()
