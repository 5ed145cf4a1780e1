"""The series that come with pydicom, in the order in which GDCM sorts them.

GDCM sorts by Image Position (Patient) along the normal and refuses what has several orientations or repeated places.
It is called in a process of its own, as everywhere.
"""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from imageserver.dicom.arrangement import Ordering, Verdict
from imageserver.dicom.frames import FrameDescription, describe_frames
from imageserver.dicom.reading import FileRefused, read_header
from imageserver.dicom.stacks import arrange
from imageserver.dicom.text_values import text

FOLDER = Path(str(get_testdata_file("CT_small.dcm", download=False))).parent


def _series() -> dict[str, dict[str, FrameDescription]]:
    """Single-frame images by series, and by path."""
    found: dict[str, dict[str, FrameDescription]] = defaultdict(dict)
    for path in sorted(FOLDER.rglob("*")):
        try:
            with path.open("rb") as stream:
                header = read_header(stream)
        except (FileRefused, IsADirectoryError):
            continue
        frames = describe_frames(header)
        if len(frames) == 1 and (uid := text(header.dataset, "SeriesInstanceUID")):
            found[uid][str(path)] = frames[0]
    return {uid: paths for uid, paths in found.items() if len(paths) > 1}


SERIES = _series()


SORT = """
import gdcm, json, sys
gdcm.Trace.WarningOff()
gdcm.Trace.ErrorOff()
answers = {}
for uid, paths in json.load(sys.stdin).items():
    sorter = gdcm.IPPSorter()
    sorter.SetComputeZSpacing(False)
    answers[uid] = list(sorter.GetFilenames()) if sorter.Sort(paths) else None
json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module")
def sorted_by_gdcm() -> dict[str, list[str] | None]:
    question = json.dumps({uid: sorted(paths) for uid, paths in SERIES.items()})
    answer = subprocess.run(
        [sys.executable, "-c", SORT], input=question, capture_output=True, text=True, check=True
    )
    found: dict[str, list[str] | None] = json.loads(answer.stdout)
    return found


@pytest.mark.parametrize("uid", SERIES)
def test_order_of_every_slice(uid: str, sorted_by_gdcm: dict[str, list[str] | None]) -> None:
    paths = SERIES[uid]
    arrangement = arrange(list(paths.values()))
    expected = sorted_by_gdcm[uid]
    if expected is None:  # several orientations, repeated places, or no place at all
        assert arrangement.verdict in (Verdict.LOCALIZER, Verdict.CINE, Verdict.NO_GEOMETRY)
        return
    assert arrangement.ordering is Ordering.POSITION
    assert [frame.sop_instance_uid for frame in arrangement.frames] == [
        paths[path].sop_instance_uid for path in expected
    ]


def test_some_of_them_are_volumes() -> None:
    verdicts = {arrange(list(paths.values())).verdict for paths in SERIES.values()}
    assert {Verdict.VOLUME, Verdict.LOCALIZER} <= verdicts
