"""The way from an address to its route: the one that the router itself would take, without trying all."""

import re

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import Match
from starlette.types import Scope

from imageserver.api.route_index import RouteIndex

ODD = [
    "",
    "/",
    "//",
    "/nowhere",
    "/dicomweb//studies",
    "/dicomweb/studies/",
    "/dicomweb/studies/1/series//metadata",
]


def scope_of(path: str) -> Scope:
    return {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}


def first_match(routes: list[APIRoute], path: str) -> APIRoute | None:
    return next((route for route in routes if route.matches(scope_of(path))[0] is Match.FULL), None)


def addresses(app: FastAPI) -> list[str]:
    """One address of each route, and one a segment longer and shorter."""
    found = [re.sub(r"{[^}]*}", "1.2", route.path) for route in app.routes if isinstance(route, APIRoute)]
    return [*found, *(f"{path}/more" for path in found), *(path.rpartition("/")[0] for path in found), *ODD]


def test_every_address_has_the_route_that_the_router_would_find(app: FastAPI) -> None:
    routes = [route for route in app.router.routes if isinstance(route, APIRoute)]
    index = RouteIndex(app.router)
    for path in addresses(app):
        assert first_match(index.candidates(path), path) is first_match(routes, path), path


def test_a_parameter_may_hold_slashes_where_it_says_so() -> None:
    app = FastAPI()
    app.add_api_route("/files/{path:path}", lambda path: {"path": path})
    app.add_api_route("/files/{name}/size", lambda name: {"name": name})
    app.router.middleware_stack = RouteIndex(app.router)
    assert TestClient(app).get("/files/a/b").json() == {"path": "a/b"}
    assert TestClient(app).get("/files/a/size").json() == {"path": "a/size"}  # the first, as ever


def test_a_request_is_compared_with_its_own_route_only(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    matches = APIRoute.matches

    def count(route: APIRoute, scope: Scope) -> tuple[Match, Scope]:
        compared.append(route.path)
        return matches(route, scope)

    monkeypatch.setattr(APIRoute, "matches", count)
    client.get("/dicomweb/studies/1.2/series/1.3/instances/1.4/frames/1")
    assert len(compared) == 1
