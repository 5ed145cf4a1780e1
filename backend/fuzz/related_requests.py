"""Requests that store instances, each broken in one way or some: headers, boundaries, parts, metadata, lengths, cuts.

Each is the bytes of a request of HTTP/1.1 behind its request line and `Authorization`; `CANARY` stands in all that a
careless server might repeat in the headers of its answer.
"""

import copy
import json
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fuzz.mutation import break_elements
from imageserver.dicom.dicom_xml import write_dicom_xml
from tests.builders import image, to_bytes

CANARY = "cAnArY"
BOUNDARY = "a-boundary"
DICOM, JSON, XML = "application/dicom", "application/dicom+json", "application/dicom+xml"
BULK_URI = "pixels"
_LEGAL = "0123456789ABCXYZabcxyz'()+_,-./:=?"
_INJECTED = f"\r\nX-Injected: {CANARY}"
_ODD_TEXTS = (
    "", " ", "\t", "=", ";", ",", '"', "\\", "\0", "\x7f", "é", "\ud83d\ude00", "%0d%0aX: y", "..", "../../etc/passwd",
    "a" * 69, "a" * 70, "a" * 71, "a" * 1000, "a" * 1100, "--", "utf-8''%0d%0a", CANARY, f"{CANARY}\n", _INJECTED,
    f"{_INJECTED}\r\n\r\n", "(comment)", "q=0.1", "file:///etc/passwd", "http://localhost/", "1e309", "-1", "9" * 400,
)  # fmt: skip
_PARAMETERS = (
    "charset=utf-8", "charset=utf-7", "start=<1>", "a*0=x; a*=y", "a*9999999999=x", "type*=utf-8''application%2Fdicom",
    "boundary*=utf-8''a-boundary", "boundary*0=a-; boundary*1=boundary", "boundary=b; boundary=c", "boundary",
    "=", ";;;", "type=text/html", f"x={CANARY}", f'filename="{CANARY}"', f"filename*=utf-8''{CANARY}%0d%0aX%3A%20y",
)  # fmt: skip
_PART_NAMES = (
    "Content-Type", "Content-Location", "Content-ID", "Content-Length", "Content-Disposition", "Content-Encoding",
    "Content-Transfer-Encoding", "Transfer-Encoding", "X", "x" * 1020, "x" * 1030, "Bad Name", "Bad\x01", "", "é",
)  # fmt: skip
_PART_TYPES = (
    DICOM,
    JSON,
    XML,
    "text/plain",
    "application/octet-stream",
    "image/jp2",
    "multipart/related",
    "video/mp4",
)


class Request(NamedTuple):
    """The rest of a request, and whether the connection ends behind it."""

    rest: bytes
    is_cut: bool = False


def odd_request(chance: random.Random) -> Request:
    """Make one up."""
    kind = chance.choices((DICOM, JSON, XML), (5, 3, 2))[0]
    boundary = _boundary(chance)
    body = _related(chance, kind, boundary)
    if chance.random() < 0.15:
        body = _broken(body, chance, boundary)
    head = _head(chance, kind, boundary)
    return _framed(chance, head, body)


def _boundary(chance: random.Random) -> str:
    if chance.random() < 0.7:
        return BOUNDARY
    if chance.random() < 0.8:
        return "".join(chance.choices(_LEGAL, k=chance.randint(1, 70)))
    return chance.choice(_ODD_TEXTS)


def _head(chance: random.Random, kind: str, boundary: str) -> list[str]:
    parameters = [f'type="{kind}"' if chance.random() < 0.8 else f"type={kind}", f'boundary="{boundary}"']
    while chance.random() < 0.12:
        parameters.insert(chance.randint(0, 2), chance.choice(_PARAMETERS))
    if chance.random() < 0.03:
        parameters.pop(chance.randrange(len(parameters)))
    media_type = "multipart/related"
    if chance.random() < 0.04:
        media_type = chance.choice(
            (kind, "MULTIPART/Related", "multipart/form-data", "text/html", *_ODD_TEXTS)
        )
    head = [f"Content-Type: {'; '.join([media_type, *parameters])}"]
    while chance.random() < 0.08:
        name = chance.choice(
            ("Accept", "Content-Type", "Content-Encoding", "Content-Location", "Expect", "Origin")
        )
        value = chance.choice((*_ODD_TEXTS, XML, JSON, "gzip", "identity", "100-continue", "*/*"))
        head.append(f"{name}: {value}")
    return head


def _related(chance: random.Random, kind: str, boundary: str) -> bytes:
    """A body of `multipart/related` with odd heads of its parts."""
    if kind == DICOM:
        contents = [(DICOM, _file(chance)) for _ in range(chance.choice((1, 1, 2, 3)))]
    else:
        contents = _with_metadata(chance, kind)
    delimiter = b"--" + _encoded(boundary)
    body = chance.choice((b"", b"", b"", b"preamble\r\n", b"\r\n", delimiter + b"-longer\r\n"))
    for media_type, content in contents:
        padding = chance.choice((b"", b"", b"", b" ", b"\t \t"))
        body += delimiter + padding + b"\r\n" + _part_head(chance, media_type) + b"\r\n" + content + b"\r\n"
    return body + delimiter + b"--" + chance.choice((b"", b"\r\n", b"\r\nepilogue"))


def _part_head(chance: random.Random, media_type: str) -> bytes:
    lines = [f"Content-Type: {media_type}"]
    if media_type not in (DICOM, JSON, XML):
        lines.append(f"Content-Location: {BULK_URI}")
    if chance.random() < 0.1:
        lines[0] = f"Content-Type: {chance.choice(_PART_TYPES)}; {chance.choice(_PARAMETERS)}"
    for _ in range(chance.choices((0, 1, 2, 15, 20), (16, 2, 1, 1, 1))[0]):
        value = chance.choice((*_ODD_TEXTS, *_PARAMETERS))
        lines.insert(chance.randint(0, len(lines)), f"{chance.choice(_PART_NAMES)}: {value}")
    if chance.random() < 0.02:
        lines.append(" folded")
    if chance.random() < 0.03:
        lines.pop(0)
    return b"".join(_encoded(line) + b"\r\n" for line in lines)


def _file(chance: random.Random) -> bytes:
    content = to_bytes(_instance(chance))
    if chance.random() < 0.4:
        content = break_elements(content, chance)
    return content if chance.random() < 0.9 else content[: chance.randrange(len(content))]


def _instance(chance: random.Random) -> Any:
    # Of few UIDs, so that the same and others come again; of many bytes, so that some contradict.
    return image(
        series=chance.randrange(20), instance=chance.randrange(20), PatientID=str(chance.randrange(3))
    )


def _with_metadata(chance: random.Random, kind: str) -> list[tuple[str, bytes]]:
    """Metadata and their bulk data: some of it missing, twice, or asked for by nobody."""
    dataset = _instance(chance)
    pixels = bytes(dataset.PixelData)
    values = {**dataset.to_json_dict(), "7FE00010": {"vr": "OW", "BulkDataURI": BULK_URI}}
    while chance.random() < 0.6:
        _break_values(values, chance)
    content = _json(values, chance) if kind == JSON else _xml(values, chance)
    parts = [(kind, content), ("application/octet-stream", pixels)]
    while chance.random() < 0.25:
        change = chance.choice(
            (parts.clear, parts.reverse, lambda: parts.append(chance.choice(parts or [("", b"")])))
        )
        change()
    return parts


_ODD_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 2**63, 2**70, 10**400, 1e308, "", "x", "\ud800", "\0", "\u202e", "9" * 5000, [], [None], {},
    [[]], [{}], {"vr": "SQ"}, {"Value": {}}, {"vr": None}, {"vr": "SQ", "Value": ["x"]}, {"vr": "PN", "Value": [1]},
    {"vr": "ZZ", "Value": ["x"]}, {"vr": "US", "Value": [-1, 70_000, "x"]}, {"vr": "DS", "Value": ["1e999", {}]},
    {"vr": "OW", "InlineBinary": "===="}, {"vr": "OW", "InlineBinary": 5}, {"vr": "OB", "BulkDataURI": None},
    {"vr": "OB", "BulkDataURI": [BULK_URI]}, {"vr": "UN", "BulkDataURI": "nobody sent it"},
    {"vr": "UI", "Value": ["1.2\r\n"]},
    {"vr": "OB", "BulkDataURI": "file:///etc/passwd"}, {"vr": "AT", "Value": ["00100010", "x"]}, ["\udfff"],
)  # fmt: skip
_ODD_TAGS = (
    "00080016", "00080018", "0020000D", "0020000E", "00080005", "00020010", "00000000", "FFFEE000", "FFFFFFFF",
    "7FE00010", "7FE00011", "00280010", "00280100", "00280103", "00091001", "0", "PatientName", "\ud800",
    "0010001G", " 00100010",
)  # fmt: skip


def _break_values(values: dict[str, Any], chance: random.Random) -> None:
    """Change the type, a value, the name or the depth of one attribute."""
    tag = chance.choice(list(values) or ["00080018"])
    change = chance.randrange(5)
    if change == 0:
        values[tag] = copy.deepcopy(chance.choice(_ODD_VALUES))
    elif change == 1 and isinstance(values.get(tag), dict):
        key = chance.choice(("vr", "Value", "BulkDataURI", "InlineBinary", "odd"))
        values[tag][key] = copy.deepcopy(chance.choice(_ODD_VALUES))
    elif change == 2:
        values[chance.choice(_ODD_TAGS)] = values.pop(tag, None)
    elif change == 3:
        values.pop(tag, None)
    elif "00081140" not in values:
        nested: Any = {}
        for _ in range(chance.choice((3, 30, 40, 70, 200))):
            nested = {"00081140": {"vr": "SQ", "Value": [nested]}}
        values.update(nested)


def _json(values: dict[str, Any], chance: random.Random) -> bytes:
    text = json.dumps([values] if chance.random() < 0.8 else values)
    while chance.random() < 0.15:
        at = chance.randrange(len(text) + 1)
        odd = (
            "[",
            "{",
            "]",
            "}",
            ",",
            ":",
            "null",
            "NaN",
            "-Infinity",
            '"',
            "\\ud800",
            "1e999",
            "\ufeff",
            "[" * 5000,
            "/*",
        )
        text = text[:at] + chance.choice(odd) + text[at + chance.choice((0, 1, 5)) :]
    return text.encode("utf-8", "surrogatepass")


_BOMB = (
    '<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;">]>'
)
_XML_PIECES = (
    _BOMB, '<!DOCTYPE a SYSTEM "file:///etc/passwd">', "&d;", "&#0;", "&#xD800;", "<![CDATA[x]]>", "<!-- -->",
    "<?xml?>", "<a>" * 3000, "</NativeDicomModel>", "<DicomAttribute>", '<DicomAttribute tag="x" vr="y">',
    'tag="00080018"',
    "<", ">", "&", '"', "\0", 'number="0"', 'number="99999999999"', 'number="-1"',
    '<BulkData uri="file:///etc/passwd"/>',
    "\ufeff", '<?xml version="1.0" encoding="utf-7"?>', '<?xml version="1.0" encoding="nothing"?>',
    "xmlns:a='b'", "<Value/>",
)  # fmt: skip


def _xml(values: dict[str, Any], chance: random.Random) -> bytes:
    try:
        text = write_dicom_xml(values).decode()
    except Exception:  # broken beyond what XML can say
        text = write_dicom_xml(image().to_json_dict()).decode()
    while chance.random() < 0.5:
        at = chance.choice((0, chance.randrange(len(text) + 1)))
        text = text[:at] + chance.choice(_XML_PIECES) + text[at + chance.choice((0, 0, 1, 20)) :]
    encoding = chance.choices(("utf-8", "utf-16", "utf-32", "latin-1"), (20, 1, 1, 1))[0]
    return text.encode(encoding, "replace")


def _broken(body: bytes, chance: random.Random, boundary: str) -> bytes:
    """Change single bytes, and put the marks of the format where they do not belong."""
    broken = bytearray(body)
    marks = (b"\r\n", b"\r", b"\n", b"\0", b"--", b":", b"--" + _encoded(boundary), b"\r\n\r\n", b"x" * 1100)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(len(broken) or 1)
        change = chance.randrange(3)
        if change == 0 and broken:
            broken[at] = chance.randrange(256)
        elif change == 1:
            del broken[at : at + chance.randint(1, 40)]
        else:
            broken[at:at] = chance.choice(marks)
    return bytes(broken)


Framing = Callable[[random.Random, list[str], bytes], Request]


def _framed(chance: random.Random, head: list[str], body: bytes) -> Request:
    framings: Sequence[Framing] = (_with_length, _in_chunks, _with_a_lie, _cut)
    return chance.choices(framings, (76, 10, 7, 7))[0](chance, head, body)


def _request(head: list[str], body: bytes) -> bytes:
    return b"".join(_encoded(line) + b"\r\n" for line in head) + b"\r\n" + body


def _with_length(_chance: random.Random, head: list[str], body: bytes) -> Request:
    return Request(_request([*head, f"Content-Length: {len(body)}"], body))


def _in_chunks(chance: random.Random, head: list[str], body: bytes) -> Request:
    chunked = b""
    while body:
        size = chance.choice((1, 7, 100, 5000))
        chunked += f"{len(body[:size]):x}\r\n".encode() + body[:size] + b"\r\n"
        body = body[size:] if len(chunked) < 20_000 else b""
    is_sound = chance.random() < 0.7
    end = (
        b"0\r\n\r\n"
        if is_sound
        else chance.choice((b"", b"0\r\n", b"-1\r\n\r\n", b"f" * 17 + b"\r\n", b"x\r\n"))
    )
    return Request(_request([*head, "Transfer-Encoding: chunked"], chunked + end), is_cut=not is_sound)


def _with_a_lie(chance: random.Random, head: list[str], body: bytes) -> Request:
    length = chance.choice((0, 1, len(body) - 1, len(body) + 1, len(body) * 2, 2**31, 2**63, 10**30, -1))
    lines = [f"Content-Length: {length}"]
    if chance.random() < 0.3:
        lines.append(
            chance.choice((f"Content-Length: {len(body)}", "Transfer-Encoding: chunked", "Content-Length: x"))
        )
    return Request(_request([*head, *lines], body), is_cut=True)


def _cut(chance: random.Random, head: list[str], body: bytes) -> Request:
    whole = _request([*head, f"Content-Length: {len(body)}"], body)
    return Request(whole[: chance.randrange(len(whole))], is_cut=True)


def cut_at_each_byte() -> list[Request]:
    """A sound request of two small files, cut behind each byte."""
    parts = [to_bytes(image(series="cut", instance=number)) for number in (1, 2)]
    line = f"--{BOUNDARY}\r\nContent-Type: {DICOM}\r\n\r\n".encode()
    body = b"".join(line + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--".encode()
    head = [
        f'Content-Type: multipart/related; type="{DICOM}"; boundary={BOUNDARY}',
        f"Content-Length: {len(body)}",
    ]
    whole = _request(head, body)
    return [Request(whole[:end], is_cut=True) for end in range(len(whole))]


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
