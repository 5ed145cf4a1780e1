"""What the API asks of the archive."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from imageserver.archive.archive import Archive
from imageserver.errors import InstanceNotFound
from tests.builders import image, uid
from tests.folders import Folder


def test_metadata_of_an_instance(app: FastAPI, client: TestClient, folder: Folder) -> None:
    folder.write("file", image())
    archive: Archive = app.state.archive
    assert archive.keeper.look_and_wait(60)
    assert archive.metadata(uid("series", 1)).dataset["00080060"] == {"vr": "CS", "Value": ["CT"]}
    with pytest.raises(InstanceNotFound):
        archive.metadata("1.2.3")
