"""What both servers have, to make requests from."""

from typing import Any, NamedTuple

import httpx

Json = dict[str, Any]
_INCLUDED = "00280008"  # Number of Frames


class Item(NamedTuple):
    """An instance that both servers have."""

    study: str
    series: str
    instance: str
    frames: int
    """0 for what is no image, as far as a search tells."""

    @property
    def levels(self) -> tuple[str, str, str]:
        """Addresses of its study, its series and itself."""
        study = f"/studies/{self.study}"
        series = f"{study}/series/{self.series}"
        return study, series, f"{series}/instances/{self.instance}"


def common_items(one: httpx.Client, other: httpx.Client) -> list[Item]:
    """Return the instances that both servers have, of studies and series that have the same instances in both."""
    first, second = _items(one), _items(other)
    shared = first.keys() & second.keys()
    unequal = {uids[:2] for uids in first.keys() ^ second.keys()}
    studies = {study for study, _ in unequal}
    return sorted(first[uids] for uids in shared if uids[0] not in studies)


def _items(client: httpx.Client) -> dict[tuple[str, str, str], Item]:
    found = {}
    for study in _search(client, "/studies"):
        for series in _search(client, f"/studies/{study}/series"):
            path = f"/studies/{study}/series/{series}/instances"
            for instance, dataset in _search(client, path, includefield=_INCLUDED).items():
                rows = dataset.get("00280010", {}).get("Value")
                frames = int((dataset.get(_INCLUDED, {}).get("Value") or [1])[0]) if rows else 0
                found[study, series, instance] = Item(study, series, instance, frames)
    return found


def _search(client: httpx.Client, path: str, **query: str) -> dict[str, Json]:
    """Search page after page; returns what was found by its UID."""
    tag = {"studies": "0020000D", "series": "0020000E", "instances": "00080018"}[path.rsplit("/", 1)[1]]
    found: dict[str, Json] = {}
    while True:
        answer = client.get(
            path,
            params={**query, "limit": "1000", "offset": str(len(found))},
            headers={"Accept": "application/dicom+json"},
        )
        answer.raise_for_status()
        page = answer.json() if answer.content else []
        before = len(found)
        found |= {one[tag]["Value"][0]: one for one in page}
        if len(found) == before or len(page) < 1000:
            return found
