"""The query of a search (PS3.18 8.3.4, 10.6.1.2): what has to match, what is answered of it, which page."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from fastapi import Request

from imageserver.archive.instance_search import InstanceSearch
from imageserver.dicom.attributes import Level
from imageserver.dicom.matching_keys import KeyRefused, Options, attribute_path, parse_keys
from imageserver.errors import InvalidParameter

MOST_RESULTS = 1000
MOST_OFFSET = 2**31
_FLAGS = ("fuzzymatching", "emptyvaluematching", "multiplevaluematching")
_SERVICE = ("limit", "offset", "includefield", "accept", *_FLAGS)
# By the grammar of PS3.18 table 8.3.1-1 a name is an attribute, as a keyword or a tag, or the name of a parameter.
_ATTRIBUTE = re.compile(r"[A-Z]|[0-9A-Fa-f]{8}(\.|$)", re.ASCII)


class SearchQuery(NamedTuple):
    """A search as it was asked for.

    Attributes
    ----------
    search : InstanceSearch
    included : frozenset of str
        Tags to be answered beyond the usual ones: those that were searched for, and ``includefield``.
    includes_all : bool
        ``includefield=all``.
    ignored : tuple of str
        Names of parameters that there are not.
    """

    search: InstanceSearch
    included: frozenset[str]
    includes_all: bool
    ignored: tuple[str, ...]


def read_search_query(
    request: Request, level: Level, study_instance_uid: str | None, series_instance_uid: str | None
) -> SearchQuery:
    """Read the query of a request.

    Raises
    ------
    InvalidParameter
        Names the parameter that cannot be understood. What has the form of an attribute and is none is refused as well:
        what it was meant to leave out would be answered. Any other unknown parameter is ignored (8.3).
    """
    items = request.query_params.multi_items()
    service = {name: [value for key, value in items if key == name] for name in _SERVICE}
    flags = [_flag(name, service[name]) for name in _FLAGS]
    others = [(name, value) for name, value in items if name not in _SERVICE]
    keys = [(name, value) for name, value in others if _ATTRIBUTE.match(name)]
    ignored = dict.fromkeys(name for name, _ in others if not _ATTRIBUTE.match(name))
    paths = [(_path(name), value) for name, value in keys]
    try:
        parsed = parse_keys(paths, Options(*flags))
    except KeyRefused as error:
        raise _refusal(keys, flags, str(error)) from None
    includes_all, included = _included(service["includefield"])
    limit = _number("limit", service["limit"], MOST_OFFSET)
    is_cut = limit is None or limit > MOST_RESULTS
    search = InstanceSearch(
        level=level,
        keys=parsed.keys,
        study_instance_uid=study_instance_uid,
        series_instance_uid=series_instance_uid,
        limit=MOST_RESULTS if limit is None else min(limit, MOST_RESULTS),
        offset=_number("offset", service["offset"], MOST_OFFSET) or 0,
        counts_rest=is_cut,
    )
    return SearchQuery(search, frozenset(parsed.named) | included, includes_all, tuple(ignored))


def _path(name: str) -> tuple[str, ...]:
    try:
        return attribute_path(name)
    except KeyRefused as error:
        raise _invalid(name, str(error)) from None


def _refusal(keys: Iterable[tuple[str, str]], flags: list[bool], reason: str) -> InvalidParameter:
    """Find the key that is refused by itself; where none is, the reason is one of all together."""
    for name, value in keys:
        try:
            parse_keys([(_path(name), value)], Options(*flags))
        except KeyRefused as error:
            return _invalid(name, str(error))
    return InvalidParameter(f"Not acceptable: {reason}")


def _invalid(name: str, reason: str) -> InvalidParameter:
    told = told_name(name)
    detail = f"{told}: {reason}"
    return InvalidParameter(
        f"Not acceptable: {detail}", errors=[{"pointer": f"/query/{told}", "detail": reason}]
    )


def told_name(name: str) -> str:
    """Return the name of a parameter as it may stand in an answer."""
    return name if len(name) <= 64 and name.isascii() and name.isprintable() else "a parameter"


def _flag(name: str, values: list[str]) -> bool:
    if not values:
        return False
    if len(values) > 1 or values[0] not in ("true", "false"):
        raise _invalid(name, "It must be true or false, once.")
    return values[0] == "true"


def _number(name: str, values: list[str], most: int) -> int | None:
    if not values:
        return None
    text = values[0]
    if len(values) > 1 or not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > most:
        raise _invalid(name, f"It must be a whole number from 0 to {most}, once.")
    return int(text)


def _included(values: list[str]) -> tuple[bool, frozenset[str]]:
    names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    return "all" in names, frozenset(tag for tag in map(_included_tag, names) if tag is not None)


def _included_tag(name: str) -> str | None:
    """Return the tag of an attribute to be answered; None for what there is not, which is left out like any other."""
    try:
        return attribute_path(name)[0]
    except KeyRefused:
        return None
