"""Requests that store instances, broken in every way, over real connections: no 5xx, nothing half-stored (T30, T38)."""

import json
import random
import tempfile
import time
from collections import deque
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from fuzz.campaign import Campaign, Fault
from fuzz.listening import Answer, exchange, listening
from fuzz.related_requests import CANARY, Request, cut_at_each_byte, odd_request
from fuzz.report import Options, Report
from fuzz.served import Served, serve
from imageserver.archive.models import Instance
from imageserver.dicom.dicom_xml import read_dicom_xml

COUNT = 20_000
SLOWEST_SECONDS = 5.0
GROWTH_MIB = 96.0
_EMPTY_SECONDS = 60.0  # on a machine that is busy with other things
_MOST_LATE = 5
LOG_IN_EVERY = 500  # inputs; a token lasts a quarter of an hour
_CUTS_EVERY = 10  # of the requests that are cut at each byte
_PROBLEM = "application/problem+json"
_TYPES = {
    200: ("application/dicom+json", "application/dicom+xml", "application/json"),
    202: ("application/dicom+json", "application/dicom+xml", "application/json"),
    409: ("application/dicom+json", "application/dicom+xml", "application/json"),
    400: (_PROBLEM, "text/plain"),  # the latter of what is no HTTP, from uvicorn itself
    406: (_PROBLEM,),
    413: (_PROBLEM,),
    415: (_PROBLEM,),
}


def run(options: Options) -> Report:
    """Send requests, and after each look what it left behind."""
    campaign = Campaign(options, slowest_seconds=SLOWEST_SECONDS, growth_mib=GROWTH_MIB)
    chance = random.Random(options.seed)  # noqa: S311 - chance, not secrecy
    cuts = cut_at_each_byte()
    chance.shuffle(cuts)
    with (
        tempfile.TemporaryDirectory(prefix="imageserver-fuzz-") as folder,
        serve(Path(folder), with_store=True) as served,
        listening(served.client.app) as port,
    ):
        sender = Sender(served, port)
        while not campaign.is_over():
            if campaign.report.tried % LOG_IN_EVERY == 0:
                served.log_in()
            is_turn = cuts and campaign.report.tried % _CUTS_EVERY == 0
            request = cuts.pop() if is_turn else odd_request(chance)
            campaign.try_one(request.rest, partial(sender.send, request))
        compare(served)
    return campaign.finish()


class Sender:
    """Sends requests one after the other, and compares what each left behind with what was said of it."""

    def __init__(self, served: Served, port: int) -> None:
        self._served = served
        self._port = port
        # What came whole before its connection ended may be stored a moment later.
        self._late: deque[bytes] = deque(maxlen=_MOST_LATE)

    def send(self, request: Request) -> str:
        """Send one request; the outcome. What must not be is a fault."""
        before = shown(self._served)
        authorization = self._served.client.headers["Authorization"]
        line = "POST /dicomweb/studies HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        head = f"{line}Authorization: {authorization}\r\n".encode()
        answer = exchange(self._port, head + request.rest, is_cut=request.is_cut)
        wait_until_nothing_is_left(self._served)
        if answer is None:
            if not request.is_cut:
                raise Fault("no answer to a whole request")
            self._late.append(request.rest)
            return "no answer"
        added = [uid for uid in shown(self._served) - before if not self._is_late(uid)]
        judge(answer, added)
        return str(answer.status)

    def _is_late(self, uid: str) -> bool:
        return any(uid.encode() in rest for rest in self._late)


def judge(answer: Answer, added: list[str]) -> None:
    """Compare an answer with what it says was stored, and with what such answers may be."""
    if answer.status >= 500:
        raise Fault(f"{answer.status} for a request to store")
    if answer.media_type not in _TYPES.get(answer.status, ()):
        raise Fault(f"{answer.status} {answer.media_type} is not documented")
    if any(CANARY.lower() in f"{name}: {value}".lower() for name, value in answer.headers):
        raise Fault("a header of the answer repeats the request")
    stored = named_as_stored(answer)
    if len(added) > len(stored):
        raise Fault(f"{answer.status}: more instances than are acknowledged")
    if answer.status >= 400 and stored:
        raise Fault(f"{answer.status}, and something was stored")


def named_as_stored(answer: Answer) -> list[Any]:
    """Return the items of what was stored."""
    if answer.media_type == "text/plain":
        return []
    is_xml = answer.media_type.endswith("xml")
    values = read_dicom_xml(answer.body) if is_xml else json.loads(answer.body)
    return list(values.get("00081199", {}).get("Value", []))


def shown(served: Served) -> set[str]:
    """Return the SOP Instance UIDs that the index has."""
    with served.client.app.state.database.reading() as session:  # type: ignore[attr-defined]
        return set(session.scalars(select(Instance.sop_instance_uid)))


def wait_until_nothing_is_left(served: Served) -> None:
    """Look for what was being received; a connection that ended is noticed a moment later."""
    assert served.store is not None
    until = time.monotonic() + _EMPTY_SECONDS
    while any(path.is_file() for path in (served.store / ".incoming").rglob("*")):
        if time.monotonic() > until:
            raise Fault("something of receiving is left")
        time.sleep(0.005)


def compare(served: Served) -> None:
    """Compare the index with the files: each instance has one, and each file is one."""
    assert served.store is not None
    files = [
        path
        for path in served.store.rglob("*.dcm")
        if not path.relative_to(served.store).parts[0].startswith(".")
    ]
    if len(files) != len(shown(served)):
        raise Fault("the index is not what the files are")
