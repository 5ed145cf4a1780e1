"""``python -m fuzz.differential OURS PEER``: ask both, compare, print the classes of differences."""

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import httpx
from pydicom import dcmread

from fuzz.differential.answers import Part, compare_parts, parts_of
from fuzz.differential.catalogue import common_items
from fuzz.differential.requests import Wanted, generate

TIMEOUT = 120
NO_ANSWER = 599  # no status of HTTP: the connection was closed
ROOT = "root:"  # in front of a path that is one of the whole server


class Peer(NamedTuple):
    """One of the two servers."""

    client: httpx.Client
    wado: str

    def ask(self, wanted: Wanted) -> httpx.Response:
        """Send a request."""
        headers = {"Accept": wanted.accept}
        path = self.wado + wanted.path if wanted.kind == "wado" else wanted.path
        if path.startswith(ROOT):
            path = str(self.client.base_url.join(path.removeprefix(ROOT)))
        try:
            return self.client.get(path, headers=headers)
        except httpx.TransportError:
            self._wait()
            return httpx.Response(NO_ANSWER)

    def _wait(self) -> None:
        """Wait until a server that has crashed was started again."""
        for _ in range(60):
            try:
                self.client.get("/studies?limit=1")
            except httpx.TransportError:
                time.sleep(1)
            else:
                return

    def bulk_addresses(self, wanted: Wanted) -> dict[str, str]:
        """Return the paths that the metadata of an instance give for its bulk data, by tag."""
        answer = self.client.get(wanted.path, headers={"Accept": "application/dicom+json"})
        [dataset] = answer.json() if answer.status_code == 200 else [{}]
        # By the path alone: a server does not always know the name by which it is reached.
        return {
            tag: answer.url.join(element["BulkDataURI"]).raw_path.decode()
            for tag, element in dataset.items()
            if "BulkDataURI" in element
        }


class Difference(NamedTuple):
    """How two answers differ."""

    kind: str
    what: str
    wanted: Wanted
    ours: str
    theirs: str


def compare(wanted: Wanted, ours: httpx.Response, theirs: httpx.Response) -> Difference | None:
    """Compare two answers: status, media types, number of parts, contents."""

    def differ(what: str) -> Difference:
        told = [f"{each.status_code} {each.headers.get('content-type', '')[:90]}" for each in (ours, theirs)]
        return Difference(wanted.kind, what, wanted, *told)

    if ours.status_code != theirs.status_code:
        return differ(f"status {ours.status_code}/{theirs.status_code}")
    if ours.status_code >= 300:
        return None
    left, right = parts_of(ours), parts_of(theirs)
    types = [sorted({part.media_type for part in parts}) for parts in (left, right)]
    wrapped = [
        "parts" if "multipart" in one.headers.get("content-type", "") else "alone" for one in (ours, theirs)
    ]
    if types[0] != types[1] or wrapped[0] != wrapped[1]:
        return differ(f"media types {types[0]} {wrapped[0]}/{types[1]} {wrapped[1]}")
    if len(left) != len(right):
        return differ(f"parts {len(left)}/{len(right)}")
    if left and left[0].media_type == "application/dicom":
        left, right = sorted(left, key=_instance), sorted(right, key=_instance)
    found = [compare_parts(one, other) for one, other in zip(left, right, strict=True)]
    told = " | ".join(dict.fromkeys(filter(None, found)))
    return differ(f"content: {told[:400]}") if told else None


def _instance(part: Part) -> str:
    content = io.BytesIO(part.content)
    found = dcmread(content, force=True, specific_tags=["SOPInstanceUID"], stop_before_pixels=True)
    return str(found.get("SOPInstanceUID", ""))


def run(ours: Peer, theirs: Peer, count: int, seed: int) -> tuple[int, list[Difference]]:
    """Ask both servers; returns how many answers were the same, and the differences."""
    items = common_items(ours.client, theirs.client)
    if not items:
        raise SystemExit("The two servers have no study in common.")
    found, same = [], 0
    for wanted in generate(items, count, seed):
        pair = (wanted, wanted)
        if wanted.kind == "bulk data":
            addresses = [peer.bulk_addresses(wanted) for peer in (ours, theirs)]
            tag = max(addresses[0].keys() & addresses[1].keys(), default=None)
            if tag is None:
                continue
            pair = tuple(wanted._replace(path=f"{ROOT}{each[tag]}") for each in addresses)  # type: ignore[assignment]
        difference = compare(wanted, ours.ask(pair[0]), theirs.ask(pair[1]))
        if difference is None:
            same += 1
        else:
            found.append(difference)
    return same, found


def _peer(address: str, wado: str | None, authorization: str | None) -> Peer:
    headers = {"Authorization": authorization} if authorization else {}
    base = address.rstrip("/")
    return Peer(httpx.Client(base_url=base, headers=headers, timeout=TIMEOUT), wado or f"{base}/wado")


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.differential", description=__doc__)
    parser.add_argument("ours", help="address of this server's DICOMweb, as http://127.0.0.1:8000/dicomweb")
    parser.add_argument("peer", help="the same of the other server")
    parser.add_argument("--peer-wado", help="address of its WADO-URI; PEER/wado unless given")
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="every difference as JSON")
    options = parser.parse_args(arguments)
    ours = _peer(options.ours, None, os.environ.get("OURS_AUTHORIZATION"))
    theirs = _peer(options.peer, options.peer_wado, os.environ.get("PEER_AUTHORIZATION"))
    same, found = run(ours, theirs, options.requests, options.seed)
    if options.out:
        told = [one._asdict() | {"wanted": one.wanted._asdict()} for one in found]
        options.out.write_text(json.dumps(told, indent=1))
    print(f"{same} the same, {len(found)} different")
    classes: dict[tuple[str, str], list[Difference]] = {}
    for one in found:
        classes.setdefault((one.kind, one.what), []).append(one)
    for (kind, what), members in sorted(classes.items(), key=lambda each: -len(each[1])):
        example = members[0]
        print(f"{len(members):4} {kind}: {what}\n     {example.wanted.path} ({example.wanted.accept})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
