"""Fixtures for the tests of the launchers."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def programs_folder(tmp_path: Path) -> Path:
    """A temporary folder in which files may be programs; a container's /tmp forbids that."""
    probe = tmp_path / "probe"
    probe.touch(mode=0o755)
    may_execute = os.access(probe, os.X_OK)
    probe.unlink()
    if not may_execute:
        pytest.skip("the temporary folder is mounted noexec, as in a container")
    return tmp_path
