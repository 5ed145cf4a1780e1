"""How many costly requests one user may have open."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydicom.dataset import Dataset

from imageserver.api.costly_requests import CostlyRequests
from imageserver.errors import TooManyRequests
from tests.api.conftest import Index
from tests.api.dicomweb.addresses import instance_of
from tests.builders import image
from tests.folders import Folder


def test_one_user_does_not_take_the_places_of_another() -> None:
    places = CostlyRequests(2)
    places.enter("a")
    places.enter("a")
    with pytest.raises(TooManyRequests):
        places.enter("a")
    places.enter("b")
    places.leave("a")
    places.enter("a")


@pytest.fixture
def dataset(folder: Folder, index: Index) -> Dataset:
    dataset = image()
    folder.write("a", dataset)
    index()
    return dataset


def test_too_many(signed_in: TestClient, app: FastAPI, dataset: Dataset) -> None:
    app.state.costly_requests = CostlyRequests(0)
    answer = signed_in.get(f"{instance_of(dataset)}/rendered")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    assert answer.headers["Retry-After"] == "1"


def test_places_are_given_back(signed_in: TestClient, app: FastAPI, dataset: Dataset) -> None:
    app.state.costly_requests = CostlyRequests(1)
    for address in (
        "rendered",
        "rendered?quality=0",
        "thumbnail",
        "frames/1,1/rendered",
        "frames/2/rendered",
    ):
        assert signed_in.get(f"{instance_of(dataset)}/{address}").status_code in (200, 400, 404)
    app.state.costly_requests.enter("anybody")  # and the account has its place again
    assert signed_in.get(f"{instance_of(dataset)}/rendered").status_code == 200
