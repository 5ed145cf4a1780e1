"""Generated requests: valid ones, and such that a server has to refuse."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from fuzz.differential.catalogue import Item

UNKNOWN = "2.25.1"
_SYNTAXES = (
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "*",
)
_DICOM, _OCTETS = (
    'multipart/related; type="application/dicom"',
    'multipart/related; type="application/octet-stream"',
)
_ANYTHING_ELSE = ("text/html", "application/x-nothing")
_PICTURES = (
    "image/jpeg",
    "image/png",
    "image/gif",
    "*/*",
    'multipart/related; type="image/jpeg"',
    "image/tiff",
)
_GOOD_OPTIONS = ("", "quality=50", "viewport=64,64", "window=100,400,linear", "window=100,400,linear-exact")
_BAD_OPTIONS = ("quality=101", "quality=x", "viewport=0,0", "viewport=64", "window=1,2", "window=1,0,linear")


class Wanted(NamedTuple):
    """One request: its kind, the path below the service, the header ``Accept``."""

    kind: str
    path: str
    accept: str


def generate(items: Sequence[Item], count: int, seed: int) -> list[Wanted]:
    """Generate requests; the same for the same items and seed."""
    source = random.Random(seed)  # noqa: S311 - has to be the same again
    makers = (
        _instances,
        _metadata,
        _frames,
        _frames,
        _bulk_data,
        _rendered,
        _rendered,
        _wado,
        _search,
        _unknown,
    )
    return [makers[number % len(makers)](source, source.choice(items)) for number in range(count)]


def _instances(source: random.Random, item: Item) -> Wanted:
    level = source.randrange(3)
    accept = source.choice(
        [
            "*/*",
            _DICOM,
            f"{_DICOM}; transfer-syntax={source.choice(_SYNTAXES)}",
            f"{_DICOM}; transfer-syntax={source.choice(_SYNTAXES)}",
            "application/dicom",
            "application/dicom; transfer-syntax=*",
            _OCTETS,
            "image/png",
        ]
    )
    return Wanted(f"retrieve {_LEVELS[level]}", item.levels[level], accept)


def _metadata(source: random.Random, item: Item) -> Wanted:
    level = source.randrange(3)
    accept = source.choice(
        [
            "application/dicom+json",
            "application/dicom+json",
            "application/json",
            "*/*",
            'multipart/related; type="application/dicom+xml"',
            *_ANYTHING_ELSE,
        ]
    )
    return Wanted(f"metadata {_LEVELS[level]}", f"{item.levels[level]}/metadata", accept)


def _frames(source: random.Random, item: Item) -> Wanted:
    last = max(1, item.frames)
    numbers = source.choice(
        ["1", "1", f"{last}", f"1,{last}", f"{last},1", "0", f"{last + 1}", "x", "1,,2", "-1"]
    )
    accept = source.choice(
        [
            _OCTETS,
            _OCTETS,
            f"{_OCTETS}; transfer-syntax=*",
            f"{_OCTETS}; transfer-syntax={source.choice(_SYNTAXES)}",
            "application/octet-stream",
            "application/octet-stream; transfer-syntax=*",
            'multipart/related; type="image/jpeg"',
            'multipart/related; type="image/jp2"',
            "image/jls",
            'multipart/related; type="image/dicom-rle"',
            "*/*",
            "text/html",
        ]
    )
    return Wanted("frames", f"{item.levels[2]}/frames/{numbers}", accept)


def _bulk_data(source: random.Random, item: Item) -> Wanted:
    """Ask for a value by the address that each server gives it in its own metadata; the path here is that of them."""
    accept = source.choice(["*/*", _OCTETS, "application/octet-stream", "image/png"])
    return Wanted("bulk data", f"{item.levels[2]}/metadata", accept)


def _rendered(source: random.Random, item: Item) -> Wanted:
    level = source.randrange(4)
    path = f"{item.levels[2]}/frames/{max(1, item.frames)}" if level == 3 else item.levels[level]
    options = source.choice(_GOOD_OPTIONS * 2 + _BAD_OPTIONS)
    return Wanted(
        f"rendered {_LEVELS[level]}",
        f"{path}/rendered{'?' if options else ''}{options}",
        source.choice(_PICTURES),
    )


def _wado(source: random.Random, item: Item) -> Wanted:
    query = f"requestType=WADO&studyUID={item.study}&seriesUID={item.series}&objectUID={item.instance}"
    options = source.choice(
        [
            "",
            "",
            "&contentType=application/dicom",
            "&contentType=application/dicom&transferSyntax=1.2.840.10008.1.2.1",
            "&contentType=image/jpeg",
            "&contentType=image/png",
            "&contentType=image/jpeg&rows=64&columns=64",
            "&contentType=image/jpeg&windowCenter=100&windowWidth=400",
            "&contentType=image/jpeg&windowCenter=100",
            "&contentType=image/jpeg&frameNumber=0",
            f"&contentType=image/jpeg&frameNumber={item.frames + 1}",
            "&contentType=text/x-nothing",
            "&requestType=OTHER",
        ]
    )
    if options == "&requestType=OTHER":
        query, options = query.replace("WADO", "OTHER"), ""
    return Wanted("wado", f"?{query}{options}", "*/*")


def _search(source: random.Random, item: Item) -> Wanted:
    path, uid = source.choice(
        [
            ("/studies", f"StudyInstanceUID={item.study}"),
            ("/series", f"SeriesInstanceUID={item.series}"),
            ("/instances", f"SOPInstanceUID={item.instance}"),
            (f"{item.levels[0]}/series", f"SeriesInstanceUID={item.series}"),
            (f"{item.levels[1]}/instances", f"SOPInstanceUID={item.instance}"),
        ]
    )
    return Wanted(f"search {path.rsplit('/', 1)[1]}", f"{path}?{uid}", "application/dicom+json")


def _unknown(source: random.Random, item: Item) -> Wanted:
    study, series, instance = (UNKNOWN if source.random() < 0.5 else uid for uid in item[:3])
    levels = Item(study, series, instance, frames=1).levels
    path = source.choice(
        [
            *levels,
            *(f"{level}/metadata" for level in levels),
            *(f"{level}/rendered" for level in levels),
            f"{levels[2]}/frames/1",
            f"{item.levels[0]}/nothing",
            "/studies/1.2.x",
            f"{item.levels[2].replace('.', '_')}",
        ]
    )
    return Wanted("unknown", path, "*/*")


_LEVELS = ("study", "series", "instance", "frame")
