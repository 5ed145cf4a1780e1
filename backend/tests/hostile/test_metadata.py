"""T22: metadata of damaged headers are valid JSON, and lose no more than the damaged values."""

from itertools import islice

from fuzz.targets.metadata import damaged, judge

COUNT = 1_200


def test_t22_damaged_headers_have_metadata() -> None:
    outcomes = [judge(data) for data in islice(damaged(22), COUNT)]
    assert outcomes.count("whole") > COUNT / 4
    assert outcomes.count("with findings") > 0
