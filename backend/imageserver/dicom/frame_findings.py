"""What is odd about single frames of a series: their direction cosines, and the frame of reference that they name."""

from collections import Counter
from collections.abc import Sequence

from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.limits import Finding

_NAMED = 20


def orientation_findings(frames: Sequence[FrameDescription]) -> list[Finding]:
    """Name the frames whose orientation was corrected, is of no use, or is missing though they have a position."""
    inexact = [f for f in frames if f.written_orientation and f.orientation]
    bad = [f for f in frames if f.written_orientation and not f.orientation]
    missing = [f for f in frames if f.position and not f.orientation and not f.written_orientation]
    sentences = (
        (
            "inexact_orientation",
            inexact,
            "direction cosines that are not exactly two axes; the nearest are used",
        ),
        ("bad_orientation", bad, "direction cosines that are no axes; they are not used"),
        ("missing_orientation", missing, "a position but no orientation"),
    )
    return [
        Finding(code, f"{images_have(len(members))} {text}.", _uids(members), {"images": len(members)})
        for code, members, text in sentences
        if members
    ]


def frame_of_reference_findings(frames: Sequence[FrameDescription]) -> list[Finding]:
    """Say where positions belong to several coordinate systems, and name the frames outside that of most.

    References
    ----------
    DICOM PS3.3 C.7.4.1: positions are comparable within one frame of reference only
    """
    named = [frame for frame in frames if frame.splitting.get("frame_of_reference")]
    counts = Counter(frame.splitting["frame_of_reference"] for frame in named)
    if len(counts) < 2:
        return []
    main = min(counts, key=lambda uid: (-counts[uid], uid))
    others = [frame for frame in named if frame.splitting["frame_of_reference"] != main]
    message = f"The images name {len(counts)} frames of reference; their positions may not be comparable."
    numbers = {"frames_of_reference": len(counts), "images": len(others)}
    return [Finding("several_frames_of_reference", message, _uids(others), numbers)]


def mosaic_findings(frames: Sequence[FrameDescription]) -> list[Finding]:
    """Name images that show many slices beside each other, as some scanners write functional series.

    Their Image Position (Patient) is that of the whole picture, which lies nowhere in the patient.
    """
    mosaics = [frame for frame in frames if "MOSAIC" in frame.splitting.get("image_type", "").split("\\")]
    if not mosaics:
        return []
    message = f"{images_have(len(mosaics))} slices beside each other; the position is that of the whole."
    return [Finding("mosaic", message, _uids(mosaics), {"images": len(mosaics)})]


def images_have(count: int) -> str:
    """Begin a sentence about so many images."""
    return "1 image has" if count == 1 else f"{count} images have"


def _uids(frames: Sequence[FrameDescription]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(frame.sop_instance_uid for frame in frames))[:_NAMED]
