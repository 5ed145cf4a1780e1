"""All routes, put together once per process: every application uses the same ones.

``FastAPI.include_router`` would analyse each route a second time per application, and look for the address of each
request twice.
"""

from functools import cache

from fastapi import APIRouter
from starlette.routing import BaseRoute

from imageserver.api import (
    auth,
    dicomweb,
    docs,
    frames,
    health,
    index,
    measurements,
    patient,
    program_tokens,
    reslice,
    setup,
    slice,
    slice_metadata,
    slices,
    studies,
    thumbnails,
    volume_arrays,
    volumes,
)
from imageserver.api.dicomweb.capabilities import options_routes

PARTS: tuple[APIRouter, ...] = (
    health.router,
    auth.router,
    program_tokens.router,
    setup.router,
    studies.router,
    thumbnails.router,
    volumes.router,
    volume_arrays.router,
    patient.router,
    slice.router,
    slices.router,
    slice_metadata.router,
    frames.router,
    reslice.router,
    index.router,
    measurements.router,
    *dicomweb.ROUTERS,
)


def routes(*, with_docs: bool) -> tuple[BaseRoute, ...]:
    """Return the routes of an application, in the order in which they are tried."""
    return (*_routes(), *docs.router.routes) if with_docs else _routes()


@cache
def _routes() -> tuple[BaseRoute, ...]:
    of_parts = tuple(route for part in PARTS for route in part.routes)
    return (*of_parts, *options_routes(of_parts))
