"""A capabilities description as WADL (PS3.18 8.9 and annex H)."""

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from imageserver.api.dicomweb.description import Resource, Transaction

NAMESPACE = "http://wadl.dev.java.net/2009/02"
MEDIA_TYPE = "application/vnd.sun.wadl+xml"
_TEMPLATE = re.compile(r"{(\w+)(?::\w+)?}")

register_namespace("", NAMESPACE)


def write_wadl(resources: Iterable[Resource], base: str, title: str, conformance: str) -> bytes:
    """Describe resources; `base` is the address that their own begin at, without a slash at its end."""
    root = Element(_tag("application"))
    about = SubElement(root, _tag("doc"), title=title)
    about.text = f"DICOM conformance statement: {conformance}"
    parent = SubElement(root, _tag("resources"), base=f"{base}/")
    for resource in resources:
        _write_resource(parent, resource)
    body: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def _write_resource(parent: Element, resource: Resource) -> None:
    path = _TEMPLATE.sub(r"{\1}", resource.path).removeprefix("/")
    element = SubElement(parent, _tag("resource"), path=path)
    for name in _TEMPLATE.findall(resource.path):
        SubElement(element, _tag("param"), name=name, style="template", required="true")
    for transaction in resource.transactions:
        _write_method(element, transaction)


def _write_method(parent: Element, transaction: Transaction) -> None:
    method = SubElement(parent, _tag("method"), name=transaction.method, id=transaction.name)
    SubElement(method, _tag("doc")).text = transaction.title
    request = SubElement(method, _tag("request"))
    for name in transaction.parameters:
        SubElement(request, _tag("param"), name=name, style="query")
    for media_type in transaction.takes:
        SubElement(request, _tag("representation"), mediaType=media_type)
    for status in transaction.statuses:
        response = SubElement(method, _tag("response"), status=str(status))
        if 200 <= status < 300:
            for media_type in transaction.gives:
                SubElement(response, _tag("representation"), mediaType=media_type)


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
