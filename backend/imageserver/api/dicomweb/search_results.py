"""What is answered of a study, series or instance that was found (PS3.18 10.6.3.3, tables 10.6.3-3 to 10.6.3-5)."""

from typing import Any

from imageserver.api.dicomweb.search_query import SearchQuery
from imageserver.archive.instance_search import Found
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
_LEVELS = ("studies", "series", "instances")


def attributes_of(found: Found, query: SearchQuery, base: str) -> Json:
    """Return the attributes to be answered, by tag in ascending order.

    Parameters
    ----------
    found : Found
        With its attributes and those of the levels above.
    query : SearchQuery
        What was asked for.
    base : str
        Address of the service, for Retrieve URL.
    """
    dataset = {**found.dataset, **_own(found, base)}
    if query.includes_all:
        return dict(sorted(_without_references(dataset).items()))
    tags = _usual(query) | query.included
    told = {tag: dataset[tag] for tag in tags if tag in dataset}
    told |= {tag: {"vr": vr_of_tag(tag)} for tag in _required(query) if tag not in dataset}
    return dict(sorted(_without_references(told).items()))


def retrieve_url(base: str, uids: tuple[str, ...]) -> str:
    """Return the address under which a study, series or instance is retrieved."""
    return "/".join((base, *(part for pair in zip(_LEVELS, uids, strict=False) for part in pair)))


def _own(found: Found, base: str) -> Json:
    uids = zip(("0020000D", "0020000E", "00080018"), found.uids, strict=False)
    return {
        _RETRIEVE_URL: {"vr": "UR", "Value": [retrieve_url(base, found.uids)]},
        **{tag: {"vr": "UI", "Value": [uid]} for tag, uid in uids},
    }


def _levels(query: SearchQuery) -> list[tuple[str, ...]]:
    """Return the attributes of the level, and of those above that the address does not name."""
    search = query.search
    if search.level == Level.STUDY:
        return [_STUDY]
    above = [_STUDY] if search.study_instance_uid is None else []
    if search.level == Level.SERIES:
        return [*above, _SERIES]
    return [*above, *([_SERIES] if search.series_instance_uid is None else []), _INSTANCE, _IMAGE]


def _usual(query: SearchQuery) -> set[str]:
    return {*_ALWAYS, _RETRIEVE_URL, *(tag for level in _levels(query) for tag in level)}


def _required(query: SearchQuery) -> set[str]:
    return {tag for level in _levels(query) for tag in level} - _CONDITIONAL


def _without_references(dataset: Json) -> Json:
    """Leave out what stands elsewhere: bulk data are told by the metadata, at their address."""
    return {tag: element for tag, element in dataset.items() if not _refers(element)}


def _refers(element: Json) -> bool:
    if "BulkDataURI" in element:
        return True
    items = element.get("Value", ()) if element.get("vr") == "SQ" else ()
    return any(_refers(inner) for item in items if isinstance(item, dict) for inner in item.values())
