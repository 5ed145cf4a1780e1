"""What is answered of a study, series or instance that was found (PS3.18 10.6.3.3, tables 10.6.3-3 to 10.6.3-5)."""

from functools import cache
from json import JSONEncoder
from typing import Any

from imageserver.api.dicomweb.search_query import SearchQuery
from imageserver.archive.instance_search import Found
from imageserver.archive.json_members import dataset_of
from imageserver.dicom.attributes import Level
from imageserver.dicom.matching_keys import vr_of_tag

Json = dict[str, Any]

_STUDY = (
    "00080020", "00080030", "00080050", "00080056", "00080061", "00080062", "00080090", "00081030", "00100010",
    "00100020", "00100030", "00100040", "0020000D", "00200010", "00201206", "00201208",
)  # fmt: skip
_SERIES = (
    "00080056", "00080060", "0008103E", "0020000D", "0020000E", "00200011", "00201209", "00400244", "00400245",
    "00400275",
)  # fmt: skip
_INSTANCE = ("00080016", "00080018", "00080056", "0020000D", "0020000E", "00200013")
# Only answered where there is a value: type 1C of those tables.
_CONDITIONAL = {
    "00080005", "00080062", "00080201", "00081030", "0008103E", "00400244", "00400245", "00400275", "00280008",
    "00280010", "00280011", "00280100",
}  # fmt: skip
_ALWAYS = ("00080005", "00080201")
_IMAGE = ("00280008", "00280010", "00280011", "00280100")
_RETRIEVE_URL = "00081190"
_UIDS = ("0020000D", "0020000E", "00080018")
# Bulk data are told by the metadata, at their address. No value looks like this: in a text a quotation mark has a
# backslash in front.
_REFERENCE = '"BulkDataURI":'
_quoted = JSONEncoder(ensure_ascii=False).encode
_LEVELS = ("studies", "series", "instances")


class Answers:
    """What is answered of each data set of one search.

    Parameters
    ----------
    query : SearchQuery
        What was asked for.
    base : str
        Address of the service, for Retrieve URL.
    """

    def __init__(self, query: SearchQuery, base: str) -> None:
        self._base = base
        search = query.search
        within = (search.study_instance_uid is not None, search.series_instance_uid is not None)
        self._empty = {} if query.includes_all else _empty(search.level, *within)
        self._tags = None if query.includes_all else sorted(_usual(search.level, *within) | query.included)

    def text_of(self, found: Found) -> str:
        """Return the attributes to be answered as a JSON object, by tag in ascending order."""
        return "{" + ",".join(self._members(found)) + "}"

    def dataset_of(self, found: Found) -> Json:
        """Return the same as JSON values."""
        return dataset_of(self._members(found))

    def _members(self, found: Found) -> list[str]:
        members = {**self._empty, **found.members, **self._own(found)}
        told = [members[tag] for tag in self._tags or sorted(members) if tag in members]
        return [member for member in told if _REFERENCE not in member]

    def _own(self, found: Found) -> dict[str, str]:
        own = {tag: _member(tag, "UI", uid) for tag, uid in zip(_UIDS, found.uids, strict=False)}
        own[_RETRIEVE_URL] = _member(_RETRIEVE_URL, "UR", retrieve_url(self._base, found.uids))
        return own


def retrieve_url(base: str, uids: tuple[str, ...]) -> str:
    """Return the address under which a study, series or instance is retrieved."""
    return "/".join((base, *(part for pair in zip(_LEVELS, uids, strict=False) for part in pair)))


def _member(tag: str, vr: str, value: str) -> str:
    return f'"{tag}":{{"vr":"{vr}","Value":[{_quoted(value)}]}}'


def _levels(level: Level, is_in_study: bool, is_in_series: bool) -> list[tuple[str, ...]]:
    """Return the attributes of the level, and of those above that the address does not name."""
    if level == Level.STUDY:
        return [_STUDY]
    above = [] if is_in_study else [_STUDY]
    if level == Level.SERIES:
        return [*above, _SERIES]
    return [*above, *([] if is_in_series else [_SERIES]), _INSTANCE, _IMAGE]


@cache
def _usual(level: Level, is_in_study: bool, is_in_series: bool) -> frozenset[str]:
    told = _levels(level, is_in_study, is_in_series)
    return frozenset({*_ALWAYS, _RETRIEVE_URL, *(tag for tags in told for tag in tags)})


@cache
def _empty(level: Level, is_in_study: bool, is_in_series: bool) -> dict[str, str]:
    """Return what is answered where there is no value, of the attributes that always are."""
    told = {tag for tags in _levels(level, is_in_study, is_in_series) for tag in tags}
    return {tag: f'"{tag}":{{"vr":"{vr_of_tag(tag)}"}}' for tag in told - _CONDITIONAL}
