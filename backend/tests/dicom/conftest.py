from collections.abc import Iterator

import pytest

from imageserver.dicom.decoder_pool import DecoderPool


@pytest.fixture(scope="session")
def decoders() -> Iterator[DecoderPool]:
    """One pool for all tests that only decode; tests that break processes make their own."""
    pool = DecoderPool(size=1)
    yield pool
    pool.close()
