"""What DICOMweb offers here, read from the routes of the application: documents made of it cannot promise more."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, compile_path

from imageserver.api.allowed_methods import METHODS, in_order

PROBLEM = "application/problem+json"
ROOTS = ("/dicomweb", "/wado")


class Transaction(NamedTuple):
    """One method of a resource: what it is called, what it takes and what it gives."""

    method: str
    name: str
    title: str
    parameters: tuple[str, ...]
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    statuses: tuple[int, ...]


class Resource(NamedTuple):
    """A kind of address, such as ``/dicomweb/studies/{study_instance_uid}``, with its transactions."""

    path: str
    transactions: tuple[Transaction, ...]

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods that the resource answers to."""
        own = {transaction.method for transaction in self.transactions}
        return in_order(own | {"OPTIONS"} | ({"HEAD"} if "GET" in own else set()))


def dicomweb_resources(routes: Sequence[BaseRoute]) -> tuple[Resource, ...]:
    """Return the resources of DICOMweb among these routes, in the order of their addresses."""
    found: dict[str, list[Transaction]] = {}
    for route in iter_route_contexts(routes):
        if is_dicomweb(str(route.path)):
            for method in set(route.methods or ()) - {"HEAD", "OPTIONS"}:
                found.setdefault(str(route.path), []).append(_transaction(method, route))
    return tuple(
        Resource(path, tuple(sorted(found[path], key=lambda one: METHODS.index(one.method))))
        for path in sorted(found)
    )


def is_dicomweb(path: str) -> bool:
    """Tell whether an address is one of DICOMweb."""
    return any(path == root or path.startswith(f"{root}/") for root in ROOTS)


def resources_at(resources: Iterable[Resource], path: str) -> tuple[Resource, ...]:
    """Return the resources that an address stands for."""
    return tuple(one for one in resources if _pattern(one.path).match(path))


@lru_cache
def _pattern(path: str) -> re.Pattern[str]:
    return compile_path(path)[0]


def _transaction(method: str, route: Any) -> Transaction:
    extra: dict[str, Any] = route.openapi_extra or {}
    responses: dict[int | str, dict[str, Any]] = route.responses or {}
    own = [str(one["name"]) for one in extra.get("parameters", ()) if one.get("in") == "query"]
    statuses = {int(status) for status in responses} | {int(route.status_code or 200)}
    return Transaction(
        method=method,
        name=str(route.name),
        title=str(route.description or "").split("\n\n")[0].replace("\n", " ").strip(),
        parameters=tuple(dict.fromkeys((*_query_parameters(route.dependant), *own))),
        takes=tuple(extra.get("requestBody", {}).get("content", ())),
        gives=tuple(_media_types(responses)),
        statuses=tuple(sorted(statuses)),
    )


def _query_parameters(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        yield field.alias
    for one in dependant.dependencies:
        yield from _query_parameters(one)


def _media_types(responses: dict[int | str, dict[str, Any]]) -> Iterator[str]:
    found = (
        str(media_type)
        for status, response in responses.items()
        if 200 <= int(status) < 300
        for media_type in response.get("content", {})
    )
    yield from dict.fromkeys(media_type for media_type in found if media_type != PROBLEM)
