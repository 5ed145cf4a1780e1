"""The Native DICOM Model: data sets as XML, written from and read to the DICOM JSON model.

References
----------
DICOM PS3.19 A.1; PS3.18 8.7.3.2, F
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from pydicom.datadict import keyword_for_tag

from imageserver.dicom.dicom_xml_reading import NAMESPACE, read_dicom_xml
from imageserver.dicom.dicom_xml_values import NAME_COMPONENTS, MalformedDicomXml
from imageserver.dicom.json_values import PN_GROUPS, Json
from imageserver.dicom.private_blocks import PrivateBlocks

# What XML 1.0 has no way to say, not even by a reference (XML 1.0, 2.2): control characters and lone surrogates.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_ENDS = {"\r": "&#13;"}  # as it is, a reader of XML makes a line feed of it


def write_dicom_xml(dataset: Json) -> bytes:
    """Write a data set as a document of the Native DICOM Model.

    Parameters
    ----------
    dataset : dict
        In the DICOM JSON model, as `dicom_json.header_json` makes it. Group lengths are left out.

    Returns
    -------
    bytes
        In UTF-8. Characters that XML cannot hold (form feed among them) are U+FFFD.

    References
    ----------
    DICOM PS3.19 A.1.5, A.1.6
    """
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xmlns="{NAMESPACE}" xml:space="preserve">'
    )
    return "".join([head, *_attributes(dataset), "</NativeDicomModel>"]).encode()


def _attributes(dataset: Json) -> Iterator[str]:
    blocks = PrivateBlocks(dataset)
    for key in sorted(dataset):
        if key.endswith("0000"):
            continue
        attribute = dataset[key]
        tag, creator = blocks.normalized(key)
        keyword = keyword_for_tag(int(key, 16))
        names = [("tag", tag), ("vr", attribute["vr"]), ("keyword", keyword), ("privateCreator", creator)]
        yield f"<DicomAttribute{''.join(f' {name}={_quoted(text)}' for name, text in names if text)}"
        content = "".join(_content(attribute))
        yield f">{content}</DicomAttribute>" if content else "/>"


def _content(attribute: Json) -> Iterator[str]:
    if "BulkDataURI" in attribute:
        yield f"<BulkData uri={_quoted(attribute['BulkDataURI'])}/>"
    elif "InlineBinary" in attribute:
        yield f"<InlineBinary>{_text(attribute['InlineBinary'])}</InlineBinary>"
    else:
        write = {"SQ": _item, "PN": _person_name}.get(attribute["vr"], _value)
        for number, value in enumerate(attribute.get("Value", ()), 1):
            yield from write(number, value)


def _value(number: int, value: Any) -> Iterable[str]:
    if value is None:
        return (f'<Value number="{number}"/>',)
    text = repr(value) if isinstance(value, float) else str(value)
    return (f'<Value number="{number}">', _text(text), "</Value>")


def _item(number: int, item: Json | None) -> Iterator[str]:
    yield f'<Item number="{number}">'
    yield from _attributes(item or {})
    yield "</Item>"


def _person_name(number: int, name: Json | None) -> Iterator[str]:
    yield f'<PersonName number="{number}">'
    for group in PN_GROUPS:
        if text := (name or {}).get(group):
            # A sixth component is none of the standard's; it stays with the fifth.
            parts = zip(NAME_COMPONENTS, text.split("^", 4), strict=False)
            yield f"<{group}>{''.join(f'<{tag}>{_text(part)}</{tag}>' for tag, part in parts if part)}</{group}>"
    yield "</PersonName>"


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text), _LINE_ENDS)


def _quoted(text: str) -> str:
    return quoteattr(_NOT_XML.sub("\ufffd", text), _LINE_ENDS)


__all__ = ["NAMESPACE", "MalformedDicomXml", "read_dicom_xml", "write_dicom_xml"]
