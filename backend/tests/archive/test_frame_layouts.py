"""What is remembered of where frames stand takes a bounded amount of memory."""

from array import array
from typing import Any

from imageserver.archive.files import FileIdentity
from imageserver.archive.frame_layouts import FrameLayouts
from imageserver.archive.volumes import InstanceFile
from imageserver.dicom.fragment_layout import FragmentLayout
from imageserver.dicom.frame_forms import Form

ANY: Any = None


def file(number: int) -> InstanceFile:
    return InstanceFile("1.2", b"path", FileIdentity(number, 0, 0), None, None)


def layout(fragments: int) -> FragmentLayout:
    return FragmentLayout(ANY, ANY, array("L", range(fragments + 1)), array("Q", [0] * 2 * fragments))


def test_the_least_lately_used_goes() -> None:
    layouts = FrameLayouts(max_weight=2)
    for number in (1, 2):
        layouts.keep(file(number), Form.STORED, layout(1))
    layouts.recall(file(1), Form.STORED)
    layouts.keep(file(3), Form.STORED, layout(1))
    found = [layouts.recall(file(number), Form.STORED) is not None for number in (1, 2, 3)]
    assert found == [True, False, True]


def test_many_fragments_count_for_many_files() -> None:
    layouts = FrameLayouts(max_weight=100)
    for number in range(50):
        layouts.keep(file(number), Form.STORED, layout(1))
    layouts.keep(file(50), Form.STORED, layout(1440))  # of the weight of 91 others
    assert sum(layouts.recall(file(number), Form.STORED) is not None for number in range(50)) == 9


def test_the_same_again_counts_once() -> None:
    layouts = FrameLayouts(max_weight=2)
    for number in (1, 2, 2, 2):
        layouts.keep(file(number), Form.STORED, layout(1))
    assert layouts.recall(file(1), Form.STORED) is not None


def test_forms_are_told_apart() -> None:
    layouts = FrameLayouts()
    layouts.keep(file(1), Form.STORED, layout(1))
    assert layouts.recall(file(1), Form.BROWSER) is None
