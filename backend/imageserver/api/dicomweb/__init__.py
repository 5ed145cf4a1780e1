"""DICOMweb (PS3.18), as far as it goes: what it does lies in `archive`, here is only how HTTP says it."""

from fastapi import APIRouter

from imageserver.api.dicomweb import (
    bulk_data,
    capabilities,
    delete,
    frames,
    metadata,
    rendered,
    rendered_mpr,
    retrieve,
    store,
    thumbnail,
)

router = APIRouter()
for part in (
    retrieve,
    metadata,
    frames,
    bulk_data,
    rendered,
    rendered_mpr,
    thumbnail,
    store,
    delete,
    capabilities,
):
    router.include_router(part.router)
