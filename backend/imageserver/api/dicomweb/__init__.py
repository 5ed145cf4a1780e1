"""DICOMweb (PS3.18), as far as it goes: what it does lies in `archive`, here is only how HTTP says it."""

from fastapi import APIRouter

from imageserver.api.dicomweb import (
    bulk_data,
    bulk_data_sets,
    capabilities,
    delete,
    frames,
    metadata,
    rendered,
    rendered_mpr,
    retrieve,
    search,
    store,
    thumbnail,
    wado_uri,
)

ROUTERS: tuple[APIRouter, ...] = (
    search.router,
    retrieve.router,
    metadata.router,
    frames.router,
    bulk_data.router,
    rendered.router,
    rendered_mpr.router,
    thumbnail.router,
    store.router,
    delete.router,
    bulk_data_sets.router,
    wado_uri.router,
    capabilities.router,
)
