"""Which methods an address answers to, over all routes: the framework tells those of the first route alone."""

from collections.abc import Iterable
from functools import lru_cache

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")  # in this order

_compiled = lru_cache(compile_path)


def in_order(methods: Iterable[str]) -> tuple[str, ...]:
    """Bring methods into the order in which they are told."""
    return tuple(sorted(methods, key=METHODS.index))


def allowed_methods(app: FastAPI, path: str) -> str:
    """Return the value of the header ``Allow`` (RFC 9110, section 10.2.1)."""
    found = {
        method
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
        if _compiled(str(route.path))[0].match(path)
    }
    if "GET" in found:
        found.add("HEAD")  # answered as GET
    return ", ".join(in_order(found))
