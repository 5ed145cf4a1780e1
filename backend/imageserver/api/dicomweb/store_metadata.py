"""Storing metadata with bulk data beside them (PS3.18 10.5.2): the parts become files, stored as any other."""

import json
from collections.abc import Iterator
from typing import Any

from imageserver.api.dicomweb.related_parts import Part, read_content_type
from imageserver.archive.store import StoreRun
from imageserver.archive.store_outcomes import FailureReason
from imageserver.dicom.dicom_xml import MalformedDicomXml, read_dicom_xml
from imageserver.dicom.identifiers import is_address
from imageserver.dicom.instance_building import (
    OCTETS,
    SYNTAX_OF_MEDIA_TYPE,
    BulkValue,
    MetadataRefused,
    build_instance,
)
from imageserver.dicom.json_values import Json
from imageserver.errors import MalformedBody, TooLarge, UnsupportedMediaType

DICOM_JSON, DICOM_XML = "application/dicom+json", "application/dicom+xml"
METADATA_BYTES = 64 * 1024 * 1024
# Objects, lists and tags of XML in the metadata of a request: each takes far more memory than the bytes that write it.
METADATA_NODES = 3_000_000
MALFORMED = "malformed_metadata"


def receive_metadata(run: StoreRun, parts: Iterator[Part], kind: str, study: str | None) -> None:
    """Take all parts of a request, and let the run receive the files that they make.

    Raises
    ------
    MalformedBody
        If the metadata cannot be read.
    TooLarge
        If they are longer than any real ones.
    """
    datasets: list[Json] = []
    bulk: dict[str, BulkValue] = {}
    size = nodes = 0
    for part in parts:
        try:
            declared, parameters = read_content_type(part.headers.get("content-type", OCTETS))
        except UnsupportedMediaType as error:
            run.refuse(FailureReason.CANNOT_UNDERSTAND, error.code, str(error))
            continue
        if declared in (kind, "application/json", "text/xml"):
            content = bytearray()
            for chunk in part.content:
                content += chunk
                if size + len(content) > METADATA_BYTES:
                    raise TooLarge(f"Metadata may have at most {METADATA_BYTES} bytes.")
            size += len(content)
            nodes += sum(map(content.count, (b"{", b"[", b"<")))
            if nodes > METADATA_NODES:
                raise TooLarge(f"Metadata may have at most {METADATA_NODES} objects and lists.")
            datasets += _datasets(bytes(content), kind)
        else:
            _add_bulk(bulk, run, part, declared, parameters.get("transfer-syntax"))
    for dataset in datasets:
        try:
            chunks = build_instance(dataset, bulk)
        except MetadataRefused as error:
            run.refuse(FailureReason.CANNOT_UNDERSTAND, MALFORMED, str(error), *_named(dataset))
        else:
            run.receive(chunks, study)


def _datasets(content: bytes, kind: str) -> list[Json]:
    try:
        found: Any = [read_dicom_xml(content)] if kind == DICOM_XML else json.loads(content)
    except (ValueError, RecursionError, MalformedDicomXml):
        raise MalformedBody(f"A part is not {kind}.") from None
    found = [found] if isinstance(found, dict) else found
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise MalformedBody("The metadata are not data sets of the DICOM JSON model (PS3.18 F).")
    return found


def _add_bulk(
    bulk: dict[str, BulkValue], run: StoreRun, part: Part, declared: str, syntax: str | None
) -> None:
    """Keep a value; several of one location are the frames of compressed pixel data."""
    location = part.headers.get("content-location", "")
    piece = run.keep(part.content)
    bulk.setdefault(location, BulkValue(syntax or SYNTAX_OF_MEDIA_TYPE.get(declared, ""), [])).pieces.append(
        piece
    )


def _named(dataset: Json) -> tuple[str | None, str | None]:
    """Return SOP Class and Instance UID, where the metadata have them."""
    return _first(dataset, "00080016"), _first(dataset, "00080018")


def _first(dataset: Json, tag: str) -> str | None:
    element = dataset.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    value = values[0] if isinstance(values, list) and values else None
    return value if isinstance(value, str) and is_address(value) else None
