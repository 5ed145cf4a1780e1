"""Metadata of damaged headers: one malformed value never takes the others along (T22)."""

import io
import json
from collections.abc import Iterator
from itertools import chain

from fuzz.campaign import Campaign, Fault
from fuzz.report import Options, Report
from fuzz.targets.bit_flips import flipped
from fuzz.targets.elements import broken
from imageserver.archive.made_metadata import _make
from imageserver.dicom.dicom_json import MAX_FINDINGS
from imageserver.dicom.reading import FileRefused, read_header

COUNT = 12_000
SLOWEST_SECONDS = 5.0
GROWTH_MIB = 64.0
_MOST_TIMES_AS_LONG = 64  # an empty element of 8 bytes is written as {"vr":"SQ"} with its tag


def run(options: Options) -> Report:
    """Make the metadata of files with flipped bits and with broken elements, in turn."""
    campaign = Campaign(options, slowest_seconds=SLOWEST_SECONDS, growth_mib=GROWTH_MIB)
    return campaign.run(damaged(options.seed), judge)


def damaged(seed: int) -> Iterator[bytes]:
    """Yield damaged files without end."""
    return chain.from_iterable(zip(flipped(seed), broken(seed), strict=False))


def judge(data: bytes) -> str:
    """Make the metadata of one file; the outcome. Any exception is a fault, and so is what no reader could take."""
    try:
        read_header(io.BytesIO(data))
    except FileRefused as error:
        if error.header is None:
            return f"refused {error.code}"
    found = _make(io.BytesIO(data))
    dataset = json.loads(found.content.decode("utf-8"), parse_constant=_refuse)
    if list(dataset) != sorted(dataset):
        raise Fault("attributes are not in order")
    if any(len(tag) != 8 or not isinstance(value.get("vr"), str) for tag, value in dataset.items()):
        raise Fault("not an attribute of the DICOM JSON model")
    if len(found.findings) > MAX_FINDINGS:
        raise Fault("too many findings")
    if len(found.content) > _MOST_TIMES_AS_LONG * len(data):
        raise Fault("the metadata are far longer than the file")
    return "with findings" if found.findings else "whole"


def _refuse(name: str) -> float:
    raise Fault(f"{name} is no number of JSON")
