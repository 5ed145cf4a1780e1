"""What the elements of the Native DICOM Model become in the DICOM JSON model (PS3.19 A.1.5, PS3.18 F.3)."""

import base64
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from imageserver.dicom.element_vrs import BINARY, CODES, NUMBERS, TEXTS, WHOLE_TEXTS
from imageserver.dicom.json_values import (
    PN_GROUPS,
    Json,
    Unreadable,
    decimal_value,
    exact_integer,
    integer_value,
)
from imageserver.dicom.private_blocks import PrivateBlocks, is_private_key

ROOT, ATTRIBUTE, ITEM, PERSON_NAME = "NativeDicomModel", "DicomAttribute", "Item", "PersonName"
NAME_COMPONENTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")

_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_MOST_LEFT_OUT = 16  # values in a row; who has more empty ones writes them down
_VRS = BINARY.keys() | NUMBERS.keys() | CODES | WHOLE_TEXTS | TEXTS | {"AT", "PN", "SQ"}


class MalformedDicomXml(ValueError):
    """The document is not one of the Native DICOM Model, or is larger than is taken. The message quotes no value."""


class Node:
    """An element of the document with what was made of the ones inside it."""

    __slots__ = ("attributes", "children", "name", "texts")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.texts: list[str] = []
        self.children: list[tuple[Node, Any]] = []


class _Attribute(NamedTuple):
    """An attribute as it was read: the tag may stand for one in a private block."""

    tag: str
    creator: str
    content: Json


def _text(node: Node) -> str:
    return "".join(node.texts)


def _attribute(node: Node) -> _Attribute:
    tag, vr = node.attributes.get("tag", "").upper(), node.attributes.get("vr", "")
    if _TAG.fullmatch(tag) is None or vr not in _VRS:
        raise MalformedDicomXml(
            "An attribute has no tag of eight hexadecimal digits, or no VR of the standard."
        )
    try:
        content = _content(node, vr)
    except (Unreadable, ValueError, OverflowError) as error:
        if isinstance(error, MalformedDicomXml):
            raise
        raise MalformedDicomXml(f"({tag[:4]},{tag[4:]}) has a value that is none of VR {vr}.") from error
    creator = node.attributes.get("privateCreator", "").strip() if is_private_key(tag) else ""
    return _Attribute(tag, creator, {"vr": vr, **content})


def _content(node: Node, vr: str) -> Json:
    names = {child.name for child, _ in node.children}
    if not names:
        return {}
    if names <= {"BulkData", "InlineBinary"}:
        [(child, found)] = node.children  # raises ValueError for several
        if child.name == "BulkData":
            return {"BulkDataURI": found}
        if vr not in BINARY:
            raise ValueError
        value = base64.b64decode("".join(found.split()), validate=True)
        return {"InlineBinary": base64.b64encode(value).decode("ascii")} if value else {}
    if names != {{"SQ": ITEM, "PN": PERSON_NAME}.get(vr, "Value")}:
        raise ValueError
    values = _in_order(node.children, _CONVERSIONS.get(vr, str.strip))
    return {"Value": values} if any(value is not None for value in values) else {}


def _in_order(children: list[tuple[Node, Any]], convert: Callable[[Any], Any]) -> list[Any]:
    """Put values in the order of their numbers; a number that is left out is an empty value."""
    numbers = [int(child.attributes.get("number", str(at))) for at, (child, _) in enumerate(children, 1)]
    is_count = min(numbers) >= 1 and len(set(numbers)) == len(numbers)
    if not is_count or max(numbers) > 2 * len(numbers) + _MOST_LEFT_OUT:
        raise ValueError
    values: list[Any] = [None] * max(numbers)
    for number, (_, value) in zip(numbers, children, strict=True):
        values[number - 1] = convert(value) if value not in ("", None) else None
    return [None if value == "" else value for value in values]


def _person_name(node: Node) -> Json | None:
    return {child.name: text for child, text in node.children if text} or None


def _name_group(node: Node) -> str:
    parts = {child.name: text for child, text in node.children}
    return "^".join(parts.get(name, "") for name in NAME_COMPONENTS).rstrip("^ ").strip()


def _bulk_data(node: Node) -> str:
    uri, uuid = node.attributes.get("uri", ""), node.attributes.get("uuid", "")
    if not (uri or uuid):
        raise MalformedDicomXml("Bulk data has neither URI nor UUID.")
    return uri or f"urn:uuid:{uuid}"


def _dataset(node: Node) -> Json:
    # ``gggg0000`` is a group length, but beside a creator the first element of its block.
    attributes: list[_Attribute] = [
        one for _, one in node.children if one.creator or not one.tag.endswith("0000")
    ]
    dataset = {one.tag: one.content for one in attributes if not one.creator}
    if any(one.creator for one in attributes):
        blocks = PrivateBlocks(dataset)  # of all creators that are named, wherever they stand
        try:
            dataset.update(
                {blocks.key(one.tag, one.creator): one.content for one in attributes if one.creator}
            )
        except ValueError as error:
            raise MalformedDicomXml("A data set has more private creators than fit into a group.") from error
    if len({(one.tag, one.creator) for one in attributes}) < len(attributes):
        raise MalformedDicomXml("An attribute stands twice in one data set.")
    return dict(sorted(dataset.items()))


def _whole_number(text: str) -> int | str:
    if _INTEGER.fullmatch(text.strip()) is None:
        raise ValueError
    return exact_integer(int(text))


def _float(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text.strip()


def _tag(text: str) -> str:
    if _TAG.fullmatch(text.strip()) is None:
        raise ValueError
    return text.strip().upper()


def _same(value: Any) -> Any:
    return value


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(NUMBERS, _whole_number),
    **dict.fromkeys(("FL", "FD"), _float),
    **dict.fromkeys(("SQ", "PN"), _same),
    **dict.fromkeys(WHOLE_TEXTS, lambda text: text.rstrip(" ")),
    "DS": decimal_value,
    "IS": integer_value,
    "AT": _tag,
}
_BUILDERS: dict[str, Callable[[Node], Any]] = {
    ROOT: _dataset,
    ITEM: _dataset,
    ATTRIBUTE: _attribute,
    PERSON_NAME: _person_name,
    **dict.fromkeys(PN_GROUPS, _name_group),
    "BulkData": _bulk_data,
}


def value_of(node: Node) -> Any:
    """Return what an element stands for, when all inside it has been read.

    Raises
    ------
    MalformedDicomXml
    """
    return _BUILDERS.get(node.name, _text)(node)
