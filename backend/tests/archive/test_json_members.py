"""Data sets as text with a member on each line; what JSON is comes from Python's own parser."""

import json
from typing import Any

import pytest

from imageserver.archive.json_members import dataset_of, members_of, text_of

ODD = {
    "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
    "00081030": {"vr": "LO", "Value": ['a "b",\n"00100010":{} \\ \u2028 ü', ""]},
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jane"}, None]},
    "00400275": {"vr": "SQ", "Value": [{"00400009": {"vr": "SH"}}, {}]},
}


@pytest.mark.parametrize("dataset", [{}, ODD, {"00080005": ODD["00080005"]}])
def test_the_text_is_json_and_its_members_are_its_lines(dataset: dict[str, Any]) -> None:
    text = text_of(dataset)
    assert json.loads(text) == dataset
    members = members_of(text)
    assert list(members) == list(dataset)
    assert {tag: dataset_of([member])[tag] for tag, member in members.items()} == dataset
    assert dataset_of(members.values()) == dataset


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_text_that_was_written_otherwise_has_the_same_members(separators: tuple[str, str]) -> None:
    assert members_of(json.dumps(ODD, separators=separators)) == members_of(text_of(ODD))
