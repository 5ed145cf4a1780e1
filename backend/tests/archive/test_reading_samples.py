"""Who changes what is read of a file is reminded to raise the version, so that old rows are read again."""

import json
from typing import Any

import pytest

from imageserver.archive import reading_rules
from tests.archive.reading_samples import RECORD, record

ADVICE = (
    "These files are read otherwise than before. If that is meant, raise {name} in archive/reading_rules.py, so that "
    "old rows are read again, and record it: python -m tests.archive.reading_samples"
)


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def present() -> dict[str, Any]:
    return record()


@pytest.mark.parametrize(
    ("part", "key", "name"),
    [
        ("index", "reading_version", "READING_VERSION"),
        ("metadata", "metadata_version", "METADATA_VERSION"),
    ],
)
def test_other_readings_have_another_version(
    recorded: dict[str, Any], present: dict[str, Any], part: str, key: str, name: str
) -> None:
    if recorded[key] < getattr(reading_rules, name):
        pytest.skip(f"{name} was raised; record it: python -m tests.archive.reading_samples")
    other = sorted(
        sample
        for sample in recorded[part].keys() | present[part].keys()
        if recorded[part].get(sample) != present[part].get(sample)
    )
    assert other == [], ADVICE.format(name=name)
