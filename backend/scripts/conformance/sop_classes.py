"""Storage SOP Classes: what becomes of their objects. The server goes by what an object holds, not by its class."""

from collections.abc import Iterator

from pydicom.uid import UID_dictionary

from scripts.conformance.document import table

# Objects with pixel data whose class is not called "... Image Storage" (PS3.3, the tables of their IODs).
_WITH_PIXELS = {
    "Corneal Topography Map Storage", "Enhanced US Volume Storage", "Ophthalmic Thickness Map Storage",
    "Ophthalmic Optical Coherence Tomography B-scan Volume Analysis Storage", "Parametric Map Storage",
    "RT Dose Storage", "Segmentation Storage", "DICOS 2D AIT Storage", "DICOS 3D AIT Storage",
}  # fmt: skip
_DIRECTORY = "Media Storage Directory Storage"
_NO_STORAGE = {"Storage Commitment Push Model SOP Class", "Storage Commitment Pull Model SOP Class"}
# After the pictures these come last when a default series is chosen (docs/decisions/0016).
_LAST = {"Segmentation Storage", "RT Dose Storage"}

SHOWN = "shown as image"
SHOWN_LAST = "shown as image; never the default series while there is another"
VIDEO = "shown as image; refused where the frames are a video"
WITHOUT_PICTURE = "indexed, without picture"
SKIPPED = "skipped: the folder itself is read"


def storage_classes() -> Iterator[tuple[str, str, bool]]:
    """UID, name, and whether it is retired, of each Storage SOP Class of PS3.6 table A-1."""
    for uid, (name, kind, _, retired, _) in UID_dictionary.items():
        if kind == "SOP Class" and "Storage" in name and name not in _NO_STORAGE:
            yield uid, name, bool(retired)


def holds_pixels(name: str) -> bool:
    """Tell whether objects of a class have pixel data."""
    return name in _WITH_PIXELS or "Image Storage" in name


def state_of(name: str) -> str:
    """Say what becomes of an object."""
    if name == _DIRECTORY:
        return SKIPPED
    if not holds_pixels(name):
        return WITHOUT_PICTURE
    if name.startswith("Video "):
        return VIDEO
    return SHOWN_LAST if name in _LAST else SHOWN


def sop_class_table() -> str:
    """All Storage SOP Classes, those with pictures first."""
    states = [SHOWN, SHOWN_LAST, VIDEO, WITHOUT_PICTURE, SKIPPED]
    found = sorted(storage_classes(), key=lambda row: (states.index(state_of(row[1])), row[1], row[0]))
    rows = [
        (name + (" (retired)" if retired else ""), f"`{uid}`", state_of(name)) for uid, name, retired in found
    ]
    return table(("SOP Class", "UID", "state"), rows)
