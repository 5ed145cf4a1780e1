"""Waiting for the index of a running application."""

from collections.abc import Callable

import pytest
from fastapi import FastAPI

Index = Callable[[], None]


@pytest.fixture
def index(app: FastAPI) -> Index:
    """Function that brings the index of the started application up to date."""

    def run() -> None:
        assert app.state.archive.keeper.look_and_wait(120)

    return run
