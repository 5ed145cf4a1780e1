"""One record is one line, whatever stands in it."""

import json
import logging

import pytest

from imageserver.logs import JsonLines

HOSTILE = [
    "two\nlines",
    "two\r\nlines",
    "\x1b[2Jcleared",
    "\x00",
    "\u2028separator",
    "\x85next",
    '"}\n{"level": "info"',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_value_can_forge_a_line_or_steer_a_terminal(text: str) -> None:
    record = logging.makeLogRecord({"msg": text, "name": "test", "levelname": "INFO", "field": text})
    line = JsonLines().format(record)
    assert line.isascii()
    assert line.isprintable()
    assert (json.loads(line)["message"], json.loads(line)["field"]) == (text, text)
