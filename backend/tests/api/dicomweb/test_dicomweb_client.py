"""A client that others wrote searches and retrieves as it is: `dicomweb-client` (Python) over a socket."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from dicomweb_client.api import DICOMwebClient
from dicomweb_client.session_utils import create_session
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.api.conftest import Index
from tests.builders import image, uid, volume
from tests.folders import Folder


@pytest.fixture
def address(app: FastAPI, signed_in: TestClient, folder: Folder, index: Index) -> Iterator[str]:
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
def dicomweb(address: str, signed_in: TestClient) -> Iterator[DICOMwebClient]:
    """The client, as its documentation says to use it, with an access token."""
    session = create_session()
    session.headers["Authorization"] = signed_in.headers["Authorization"]
    yield DICOMwebClient(url=address, session=session)
    session.close()


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
        assert {one.SOPInstanceUID for one in dicomweb.retrieve_series(study, series)} == expected
        for kinds in (None, (("application/dicom", "1.2.840.10008.1.2.5"),), ("application/dicom",)):
            one = dicomweb.retrieve_instance(study, series, uid("a", 2), media_types=kinds)
            assert one.SOPInstanceUID == uid("a", 2)
            assert one.pixel_array.tobytes() == image().PixelData
            assert (one.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.5") == (
                kinds is not None and len(kinds[0]) == 2
            )

    def test_metadata(self, dicomweb: DICOMwebClient) -> None:
        study, series = uid("study of", "a"), uid("a")
        assert len(dicomweb.retrieve_study_metadata(study)) == 3
        assert len(dicomweb.retrieve_series_metadata(study, series)) == 3
        one = dicomweb.retrieve_instance_metadata(study, series, uid("a", 1))
        assert one["00080018"]["Value"] == [uid("a", 1)]

    def test_frames(self, dicomweb: DICOMwebClient) -> None:
        place = uid("study of", "a"), uid("a"), uid("a", 3)
        assert dicomweb.retrieve_instance_frames(*place, [1]) == [image().PixelData]
        [encoded] = dicomweb.retrieve_instance_frames(
            *place, [1], media_types=(("image/jls", "1.2.840.10008.1.2.4.80"),)
        )
        assert encoded.startswith(b"\xff\xd8")

    def test_bulk_data(self, dicomweb: DICOMwebClient, address: str) -> None:
        path = f"{address}/studies/{uid('study of', 'a')}/series/{uid('a')}/instances/{uid('a', 1)}/bulkdata"
        assert dicomweb.retrieve_bulkdata(f"{path}/7FE00010") == [image().PixelData]

    def test_pictures(self, dicomweb: DICOMwebClient) -> None:
        place = uid("study of", "a"), uid("a"), uid("a", 1)
        rendered = dicomweb.retrieve_instance_rendered(*place, media_types=("image/png",))
        assert rendered.startswith(b"\x89PNG")
