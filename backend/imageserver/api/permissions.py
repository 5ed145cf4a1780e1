"""Deny by default: every route asks who calls, or stands on the list of public ones; else the server does not start."""

from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from imageserver.api.authentication import get_current_user

PUBLIC = frozenset({
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/docs/start.js"),
    ("GET", "/docs/{name}"),
    ("POST", "/auth/token"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/logout"),
    ("GET", "/auth/status"),
    ("POST", "/auth/setup"),
})  # fmt: skip


class UnprotectedRoute(RuntimeError):
    """A route neither asks for a user nor is declared public."""


def check_permissions(app: FastAPI) -> None:
    """Look at every route of the finished application.

    Raises
    ------
    UnprotectedRoute
        If one of them would answer anybody without being declared public.
    """
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        is_protected = dependant is not None and _asks_for_user(dependant)
        if not is_protected and not _operations(route) <= PUBLIC:
            raise UnprotectedRoute(f"{route.path} neither depends on CurrentUser nor is it declared public")


def _operations(route: Any) -> set[tuple[str, str]]:
    # A mounted application has no methods: it answers to all of them.
    methods = getattr(route, "methods", None) or {"*"}
    return {("GET" if method == "HEAD" else method, route.path) for method in methods}


def _asks_for_user(dependant: Dependant) -> bool:
    return dependant.call is get_current_user or any(map(_asks_for_user, dependant.dependencies))
