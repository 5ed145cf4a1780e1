"""Requests that store files in a running server, from many connections at once."""

import threading
from collections.abc import Sequence

import httpx

from fuzz.serving import Server

STUDIES = "/dicomweb/studies"
_KIND = {"Content-Type": "application/dicom"}


def store(server: Server, content: bytes) -> httpx.Response:
    """Store one file."""
    return server.client.post(STUDIES, content=content, headers=_KIND)


def store_at_once(server: Server, contents: Sequence[bytes]) -> list[httpx.Response]:
    """Store each file in a request of its own, all at the same moment."""
    barrier = threading.Barrier(len(contents))
    answers: list[httpx.Response | None] = [None] * len(contents)

    def send(place: int) -> None:
        barrier.wait()
        answers[place] = store(server, contents[place])

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
