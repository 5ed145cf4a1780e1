"""Deny by default: every route asks who calls, or stands on the list of public ones; else the server does not start."""

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from imageserver.api.authentication import get_current_user

PUBLIC = frozenset({
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/docs",
    "/docs/start.js",
    "/docs/{name}",
    "/auth/token",
    "/auth/refresh",
    "/auth/logout",
    "/auth/status",
    "/auth/setup",
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
        if not is_protected and route.path not in PUBLIC:
            raise UnprotectedRoute(f"{route.path} neither depends on CurrentUser nor is it declared public")


def _asks_for_user(dependant: Dependant) -> bool:
    return dependant.call is get_current_user or any(map(_asks_for_user, dependant.dependencies))
