"""Answers in a form that can be compared: their parts, decoded."""

import io
import json
from email import policy
from email.parser import BytesParser
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import httpx
import numpy as np
from PIL import Image
from pydicom import Dataset, dcmread

Json = dict[str, Any]
# Specific Character Set and Retrieve URL: of the server, not of the file.
_OF_SERVERS = {"00080005", "00081190"}
# What follows from another encoding of the same pixels, and from file meta information.
_OF_ENCODING = {"PhotometricInterpretation", "PlanarConfiguration", "PixelData", "SpecificCharacterSet"}


class Part(NamedTuple):
    """A part of an answer, or all of it."""

    media_type: str
    content: bytes


def parts_of(answer: httpx.Response) -> list[Part]:
    """Take an answer apart; one that has no parts is one."""
    declared = answer.headers.get("content-type", "")
    if not declared.startswith("multipart/"):
        return [Part(declared.partition(";")[0], answer.content)] if answer.content else []
    head = b"Content-Type: " + declared.encode() + b"\r\n\r\n"
    message = BytesParser(policy=policy.HTTP).parsebytes(head + answer.content)
    return [
        Part(part.get_content_type(), part.get_payload(decode=True) or b"")  # type: ignore[arg-type]
        for part in message.iter_parts()
    ]


def compare_parts(one: Part, other: Part) -> str:
    """Tell how the contents of two parts of one media type differ; nothing where they say the same."""
    if one.content == other.content:
        return ""
    try:
        if one.media_type == "application/dicom":
            return _compare_files(one.content, other.content)
        if one.media_type.endswith("json"):
            return _compare_json(_read_json(one.content), _read_json(other.content))
        if one.media_type.endswith("xml"):
            return _compare_json(_read_xml(one.content), _read_xml(other.content))
        if one.media_type.startswith("image/"):
            return _compare_pictures(one.content, other.content)
    except Exception as error:  # whatever a library makes of a server's answer is a difference too
        return f"cannot be read: {type(error).__name__}"
    return f"bytes: {len(one.content)} and {len(other.content)}"


def _compare_files(one: bytes, other: bytes) -> str:
    first, second = (dcmread(io.BytesIO(content), force=True) for content in (one, other))
    found = _compare_attributes(_values(first), _values(second))
    syntaxes = {str(each.file_meta.get("TransferSyntaxUID", "")) for each in (first, second)}
    if len(syntaxes) > 1:
        found += f" transfer syntax {' and '.join(sorted(syntaxes))}"
    if "PixelData" in first and "PixelData" in second:
        left, right = _pixels(first), _pixels(second)
        if left is None or right is None:
            same = first.PixelData.rstrip(b"\0") == second.PixelData.rstrip(b"\0")
            found += "" if same else " pixels that cannot be decoded"
        elif left.shape != right.shape or not np.array_equal(left, right):
            found += " pixels"
    return found.strip()


def _values(dataset: Dataset) -> Json:
    return {
        f"{element.tag:08X}": repr(element.value)
        for element in dataset
        if element.keyword not in _OF_ENCODING and element.tag.element != 0
    }


def _pixels(dataset: Dataset) -> np.ndarray | None:
    try:
        return np.asarray(dataset.pixel_array)
    except Exception:  # no decoder, or a damaged image
        return None


def _compare_json(one: list[Json], other: list[Json]) -> str:
    if len(one) != len(other):
        return f"{len(one)} and {len(other)} data sets"
    one, other = (sorted(each, key=_uid) for each in (one, other))
    found = [_compare_attributes(first, second) for first, second in zip(one, other, strict=True)]
    return "; ".join(dict.fromkeys(filter(None, found)))[:600]


def _uid(dataset: Json) -> str:
    return str([dataset.get(tag) for tag in ("0020000D", "0020000E", "00080018")])


def _compare_attributes(one: Json, other: Json) -> str:
    one, other = (
        {tag: value for tag, value in each.items() if tag not in _OF_SERVERS} for each in (one, other)
    )
    only_one, only_other = sorted(one.keys() - other.keys()), sorted(other.keys() - one.keys())
    unequal = sorted(tag for tag in one.keys() & other.keys() if not _is_same(one[tag], other[tag]))
    told = ("only here", only_one), ("only there", only_other), ("other values", unequal)
    return " ".join(f"{text} {','.join(tags)}" for text, tags in told if tags)


def _is_same(one: Any, other: Any) -> bool:
    """Compare elements; a bulk value under another address is the same."""
    if isinstance(one, dict) and isinstance(other, dict):
        if "BulkDataURI" in one or "BulkDataURI" in other:  # by value or by address is the server's choice
            return not {"Value", "Alphabetic"} & (one.keys() ^ other.keys())
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(_is_same(*pair) for pair in zip(one, other, strict=True))
    if one == other:
        return True
    try:  # numbers, which may be written in several ways
        return abs(float(one) - float(other)) <= 1e-6 * max(1.0, abs(float(one)))
    except (TypeError, ValueError):
        return False


def _read_json(content: bytes) -> list[Json]:
    found = json.loads(content)
    return found if isinstance(found, list) else [found]


def _read_xml(content: bytes) -> list[Json]:
    def text_of(element: ET.Element) -> Any:
        found = [(child.tag.rpartition("}")[2], text_of(child)) for child in element]
        return found or (element.text or "")

    root = ET.fromstring(content)  # noqa: S314 - of a server that the caller named
    return [{child.attrib.get("tag", child.tag): text_of(child) for child in root}]


def _compare_pictures(one: bytes, other: bytes) -> str:
    first, second = (_grey(Image.open(io.BytesIO(content))) for content in (one, other))
    if first.shape != second.shape:
        return f"pictures of {first.shape} and {second.shape}"
    distance = float(np.abs(first - second).mean()) / max(1.0, float(first.max())) * 255
    return "" if distance < 3 else f"pictures differ by {'much' if distance > 20 else 'some'}"


def _grey(picture: Image.Image) -> np.ndarray:
    """Return its values; those of more than 8 bits as they are."""
    return np.asarray(picture if picture.mode.startswith("I") else picture.convert("L"), float)
