"""Reads documents of the Native DICOM Model, which may come from anybody (PS3.19 A.1)."""

from collections.abc import Iterable
from typing import Any, NoReturn
from xml.parsers import expat  # a document type, and with it every entity, is refused below

from imageserver.dicom.dicom_xml_values import (
    ATTRIBUTE,
    ITEM,
    NAME_COMPONENTS,
    PERSON_NAME,
    ROOT,
    MalformedDicomXml,
    Node,
    value_of,
)
from imageserver.dicom.json_values import PN_GROUPS, Json
from imageserver.dicom.limits import DEFAULT_LIMITS, Limits

NAMESPACE = "http://dicom.nema.org/PS3.19/models/NativeDICOM"

_COMPONENTS = frozenset(NAME_COMPONENTS)
_CHILDREN: dict[str, frozenset[str]] = {
    "": frozenset({ROOT}),
    ROOT: frozenset({ATTRIBUTE}),
    ITEM: frozenset({ATTRIBUTE}),
    ATTRIBUTE: frozenset({"Value", ITEM, PERSON_NAME, "BulkData", "InlineBinary"}),
    PERSON_NAME: frozenset(PN_GROUPS),
    **dict.fromkeys(PN_GROUPS, _COMPONENTS),
}
_LEAVES = {"Value", "InlineBinary", *_COMPONENTS}


def read_dicom_xml(content: bytes | Iterable[bytes], limits: Limits = DEFAULT_LIMITS) -> Json:
    """Read a document of the Native DICOM Model.

    Parameters
    ----------
    content : bytes, or iterable of bytes
        The document, whole or in pieces. A document type is refused, so there are no entities but XML's own five.
    limits : Limits
        `depth`, `elements`, `most_elements` (of values, items and names) and `loaded_bytes` hold.

    Returns
    -------
    dict
        The data set in the DICOM JSON model: tags in upper case with their private block, values converted as
        `dicom_json.header_json` does it. ``BulkData`` by UUID is ``urn:uuid:…``.

    Raises
    ------
    MalformedDicomXml

    References
    ----------
    DICOM PS3.19 A.1.5, A.1.6
    """
    reader = _Reader(limits)
    try:
        for piece in (content,) if isinstance(content, bytes) else content:
            reader.feed(piece)
        return reader.close()
    except (expat.ExpatError, UnicodeError, LookupError) as error:  # LookupError: there is no such encoding
        raise MalformedDicomXml(f"The document is not well-formed XML ({type(error).__name__}).") from error


class _Reader:
    """Builds the data set from the events of the parser, from the innermost outwards."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open = [Node("", {})]
        self._attributes = self._values = self._bytes = 0
        parser = self._parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_document_type
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters

    def feed(self, piece: bytes) -> None:
        self._bytes += len(piece)
        if self._bytes > self._limits.loaded_bytes:
            raise MalformedDicomXml("The document is longer than is taken.")
        self._parser.Parse(piece, False)

    def close(self) -> Json:
        self._parser.Parse(b"", True)
        [(_, dataset)] = self._open[0].children
        return dataset  # type: ignore[no-any-return]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        if space not in ("", NAMESPACE) or local not in _CHILDREN.get(self._open[-1].name, ()):
            raise MalformedDicomXml("An element stands where the Native DICOM Model has none of its name.")
        self._attributes += local == ATTRIBUTE
        self._values += local not in (ATTRIBUTE, *NAME_COMPONENTS)
        limits = self._limits
        depth = sum(node.name == ITEM for node in self._open) + (local == ITEM)
        is_large = self._attributes > limits.elements or self._values > limits.most_elements
        if is_large or depth > limits.depth:
            raise MalformedDicomXml("The document has more attributes, values or levels than are taken.")
        self._open.append(Node(local, attributes))

    def _characters(self, text: str) -> None:
        node = self._open[-1]
        if node.name in _LEAVES:
            node.texts.append(text)
        elif text.strip():
            raise MalformedDicomXml("Text stands between the elements of the Native DICOM Model.")

    def _end(self, _name: str) -> None:
        node = self._open.pop()
        self._open[-1].children.append((node, value_of(node)))
        node.children, node.texts = [], []


def _refuse_document_type(*_: Any) -> NoReturn:
    raise MalformedDicomXml("The document declares a document type, which is not taken.")
