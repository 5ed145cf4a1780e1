"""Odd Accept, Range and query of what DICOMweb retrieves: no 5xx, no echo in headers, little processor time (T30)."""

import json
import random
import tempfile
import time
from functools import partial
from pathlib import Path
from urllib.parse import quote

from fuzz.campaign import Campaign, Fault
from fuzz.report import Criterion, Options, Report
from fuzz.served import Served, serve
from tests.builders import image, to_bytes, uid, volume

COUNT = 20_000
SLOWEST_SECONDS = 5.0
GROWTH_MIB = 96.0
LOG_IN_EVERY = 500  # inputs; a token lasts a quarter of an hour
MOST_PROCESSOR_SECONDS = 0.05  # of nearly all; a collection of garbage in the midst is nobody's fault
# Names of parameters that were ignored are told in a `Warning`, without what could do harm (docs/decisions/0084).
CANARY = "cAn<ArY"
ECHOES = (CANARY.lower(), quote(CANARY).lower())
ALLOWED = frozenset({200, 204, 206, 304, 400, 404, 406, 410, 416, 422, 431})
_STUDY = f"/dicomweb/studies/{uid('study of', 'series')}"
_SERIES = f"{_STUDY}/series/{uid('series')}"
_INSTANCE = f"{_SERIES}/instances/{uid('series', 2)}"
_VALUE = f"{_SERIES}/instances/{uid('series', 9)}/bulkdata"
PATHS = (
    *(_STUDY, _SERIES, _INSTANCE, f"{_STUDY}/metadata", f"{_SERIES}/metadata", f"{_INSTANCE}/metadata"),
    *(f"{_INSTANCE}/frames/1", f"{_INSTANCE}/frames/1,1", f"{_INSTANCE}/rendered", f"{_INSTANCE}/thumbnail"),
    *(f"{_INSTANCE}/bulkdata/7FE00010", f"{_VALUE}/7FE00010", f"{_VALUE}/00420011", "/dicomweb/studies"),
    *("/dicomweb/series", f"{_STUDY}/instances", "/dicomweb/wado", f"{_SERIES}/rendered"),
)
_NAMES = (
    "Accept",
    "Range",
    "If-Range",
    "If-None-Match",
    "Accept-Encoding",
    "Accept-Charset",
    "Accept-Language",
)
_MEDIA_TYPES = (
    "application/dicom", "application/dicom+json", "application/dicom+xml", "application/json",
    "application/octet-stream",
    "multipart/related", "image/jpeg", "image/jls", "image/x-dicom-rle", "image/*", "*/*", "*", "text/html",
    "a/b/c", "/",
)  # fmt: skip
_PARAMETERS = (
    'type="application/dicom"', "type=application/dicom+xml", 'type="application/octet-stream"', 'type="', "type=*",
    "transfer-syntax=*", "transfer-syntax=1.2.840.10008.1.2.1", "transfer-syntax=1.2.840.10008.1.2.4.90",
    "transfer-syntax=",
    f"transfer-syntax={CANARY}", "q=0.5", "q=0", "q=nan", "q=-1", "q=1e400", "q=", "charset=utf-8", f"charset={CANARY}",
    f"boundary={CANARY}", f'x="{CANARY}', "=;=", '"\\', "x=" + "y" * 3000,
)  # fmt: skip
_RANGES = (
    "bytes=0-", "bytes=0-0", "bytes=-1", "bytes=5-4", "bytes=0-1,3-4", "bytes=" + ",".join(["0-0"] * 33), "bytes=",
    "bytes=" + "0-," * 2000, "bytes=9999999999999999999-", "bytes=1-" + "9" * 400, "bytes=-0", "bytes=a-b",
    "octets=0-1",
    "bytes=0-1,x", "bytes = 0-1", "bytes=٣-", f"bytes={CANARY}", "-", "",
)  # fmt: skip
_QUERIES = (
    "accept", "accept", "limit", "offset", "includefield", "viewport", "window", "quality", "annotation", "PatientName",
    "StudyDate", "requestType", "studyUID", "objectUID", "contentType", "fuzzymatching", CANARY, "00100010",
    "x" * 500, "",
)  # fmt: skip
_TEXTS = (
    "", "*", "?", "\\", "%", "-", "0", "1", "-1", "1e309", "nan", "9" * 40, "WADO", "1,2,3,4", "0,0,-1,-1",
    "20260101-", "é",
    "\x00", "\r\nX-Injected: " + CANARY, CANARY, "a" * 2000, "(" * 200, "application/dicom+json", "image/jpeg;q=0.1",
)  # fmt: skip


def run(options: Options) -> Report:
    """Ask for what is there, and look at status and headers of each answer."""
    campaign = Campaign(options, slowest_seconds=SLOWEST_SECONDS, growth_mib=GROWTH_MIB)
    chance = random.Random(options.seed)  # noqa: S311 - chance, not secrecy
    spent: list[float] = []
    with tempfile.TemporaryDirectory(prefix="imageserver-fuzz-") as folder, serve(Path(folder)) as served:
        for number, dataset in enumerate(volume(3)):
            served.write(f"{number}", to_bytes(dataset))
        document = image(
            instance=9, MIMETypeOfEncapsulatedDocument="text/plain", EncapsulatedDocument=b"words " * 50
        )
        served.write("document", to_bytes(document))
        served.look()
        for path in PATHS:  # what is made once is not what the headers cost
            served.client.get(path)
        while not campaign.is_over():
            if campaign.report.tried % LOG_IN_EVERY == 0:
                served.log_in()
            address, headers = odd_question(chance)
            kept = json.dumps([address, headers]).encode()
            campaign.try_one(kept, partial(ask, served, address, headers, spent))
    report = campaign.finish()
    slow = sorted(spent)[len(spent) * 99 // 100]
    report.criteria.append(Criterion("processor time (p99)", round(slow, 4), MOST_PROCESSOR_SECONDS, "s"))
    return report


def ask(served: Served, address: str, headers: list[tuple[str, str]], spent: list[float]) -> str:
    """Ask once; the outcome. What must not be is a fault."""
    encoded = [(name.encode(), value.encode("utf-8")) for name, value in headers]
    began = time.process_time()
    answer = served.client.get(address, headers=encoded)
    spent.append(time.process_time() - began)
    status, place = answer.status_code, address.partition("?")[0].rpartition("/")[2]
    if status not in ALLOWED:
        raise Fault(f"{status} of {place}")
    told = "\n".join(f"{name}: {value}" for name, value in answer.headers.items()).lower()
    if any(echo in told for echo in ECHOES):
        raise Fault(f"a header of the answer repeats the request, of {place}")
    if status >= 400 and answer.headers["Content-Type"] != "application/problem+json":
        raise Fault(f"{status} {answer.headers['Content-Type']} is no problem document")
    return f"{status}"


def odd_question(chance: random.Random) -> tuple[str, list[tuple[str, str]]]:
    """Make up an address with a query, and a few headers."""
    headers = []
    for _ in range(chance.choice((0, 1, 1, 1, 2, 4))):
        name = chance.choice(_NAMES)
        headers.append((name, _ranges(chance) if name == "Range" else _accept(chance)))
    if chance.random() < 0.01:
        headers += [("Accept", "a/b")] * chance.choice((60, 70, 200))
    address = chance.choice(PATHS)
    if "/bulkdata/" in address and chance.random() < 0.7:
        headers = [*headers[: chance.randint(0, 1)], ("Range", _ranges(chance))]
    query = [(chance.choice(_QUERIES), _text(chance)) for _ in range(chance.choice((0, 0, 1, 2, 5)))]
    if query:
        address += "?" + "&".join(f"{quote(name)}={quote(text)}" for name, text in query)
    return address, headers


def _accept(chance: random.Random) -> str:
    ranges = []
    for _ in range(chance.choice((1, 1, 1, 2, 3, 65))):
        parameters = chance.sample(_PARAMETERS, chance.choice((0, 1, 1, 2, 3)))
        ranges.append("; ".join([chance.choice(_MEDIA_TYPES), *parameters]))
    return ", ".join(ranges)


def _ranges(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return chance.choice(_RANGES)
    specs = [f"{chance.randrange(400)}-{chance.randrange(400)}" for _ in range(chance.randint(1, 40))]
    return f"bytes={','.join(specs)}"


def _text(chance: random.Random) -> str:
    return _accept(chance) if chance.random() < 0.3 else chance.choice(_TEXTS)
