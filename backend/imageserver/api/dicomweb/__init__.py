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

router = APIRouter()
for part in (
    search,
    retrieve,
    metadata,
    frames,
    bulk_data,
    rendered,
    rendered_mpr,
    thumbnail,
    store,
    delete,
    bulk_data_sets,
    wado_uri,
    capabilities,
):
    router.include_router(part.router)
