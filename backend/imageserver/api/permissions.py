"""Deny by default: every route asks who calls, or stands on the list of public ones; else the server does not start."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from imageserver.api.authentication import AuthenticatedFirst, asks_for_user

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
        If one of them would answer anybody without being declared public, or read anybody's body.
    """
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        is_protected = dependant is not None and asks_for_user(dependant)
        if not is_protected and not _operations(route) <= PUBLIC:
            raise UnprotectedRoute(f"{route.path} neither depends on CurrentUser nor is it declared public")
        if is_protected and getattr(route, "body_field", None) and not _is_authenticated_first(route):
            raise UnprotectedRoute(f"{route.path} reads its body before it knows who asks")


def _operations(route: Any) -> set[tuple[str, str]]:
    # A mounted application has no methods: it answers to all of them.
    methods = getattr(route, "methods", None) or {"*"}
    return {("GET" if method == "HEAD" else method, route.path) for method in methods}


def _is_authenticated_first(route: Any) -> bool:
    # An included route comes wrapped in what the including router adds.
    return isinstance(getattr(route, "original_route", route), AuthenticatedFirst)
