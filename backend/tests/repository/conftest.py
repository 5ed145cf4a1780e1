"""The repository's root, which a container image does not have."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def root() -> Path:
    """Folder with README.md, docs/ and data/."""
    if not (ROOT / "docs").is_dir():
        pytest.skip("the repository's root is not here: a container image holds only backend/")
    return ROOT
