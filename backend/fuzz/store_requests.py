"""Requests that store files in a running server, from many connections at once."""

import threading
import time
from collections.abc import Sequence

import httpx

from fuzz.serving import Server

STUDIES = "/dicomweb/studies"
_KIND = {"Content-Type": "application/dicom"}
_TRY_AGAIN = (429, 503)


def store(server: Server, content: bytes) -> httpx.Response:
    """Store one file."""
    return server.client.post(STUDIES, content=content, headers=_KIND)


def store_at_once(server: Server, contents: Sequence[bytes], tries: int = 1) -> list[httpx.Response]:
    """Store each file in a request of its own, all at the same moment.

    Parameters
    ----------
    server : Server
        That stores.
    contents : sequence of bytes
        The files.
    tries : int
        How often each is sent as long as it is told to come again, which a busy machine may do to a patient client.
    """
    barrier = threading.Barrier(len(contents))
    answers: list[httpx.Response | None] = [None] * len(contents)

    def send(place: int) -> None:
        barrier.wait()
        for _ in range(tries):
            answer = answers[place] = store(server, contents[place])
            if answer.status_code not in _TRY_AGAIN:
                return
            time.sleep(1)

    threads = [threading.Thread(target=send, args=(place,)) for place in range(len(contents))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answer for answer in answers if answer is not None]


def failure_reasons(answer: httpx.Response) -> list[int]:
    """Return the Failure Reasons of an answer to a store."""
    found = answer.json()
    items = [item for tag in ("00081198", "0008119A") for item in found.get(tag, {}).get("Value", [])]
    return [item["00081197"]["Value"][0] for item in items]
