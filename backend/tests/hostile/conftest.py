"""The way of a file through the server, for the tests of one module."""

from collections.abc import Iterator

import pytest

from fuzz.pipeline import Pipeline


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A pipeline with a folder and decoder processes of its own."""
    pipeline = Pipeline(tmp_path_factory.mktemp("pipeline"))
    yield pipeline
    pipeline.close()
