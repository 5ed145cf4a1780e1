"""T21: a cut file is refused, or has no picture; it never passes for a whole one."""

import pytest

from fuzz.campaign import Fault
from fuzz.seeds import bundled, synthetic
from fuzz.targets.truncation import end_of_image, judge

EVERY = 97


@pytest.mark.parametrize("name", synthetic())
def test_no_cut_of_a_synthetic_file_passes(name: str) -> None:
    data = synthetic()[name]
    end = end_of_image(data)
    assert judge(data, end) == (
        "accepted without a picture" if name == "structured report" else "accepted whole"
    )
    for length in {*range(0, len(data), EVERY), *range(max(0, end - 20), end)}:
        judge(data[:length], end)


@pytest.mark.parametrize("name", bundled(48 * 1024))
def test_no_cut_of_a_bundled_file_passes(name: str) -> None:
    data = bundled(48 * 1024)[name]
    end = end_of_image(data)
    for length in range(0, len(data), 5 * EVERY):
        judge(data[:length], end)


def test_a_cut_that_passed_would_be_seen() -> None:
    data = synthetic()["explicit little endian"]
    with pytest.raises(Fault):
        judge(data, len(data) + 1)
