"""T25: sequences nested to any depth, in every way to write them, are refused at once and by name."""

import time

import pytest
from pydicom.uid import ExplicitVRBigEndian

from imageserver.dicom.functional_groups import FunctionalGroups
from tests.builders import image, to_bytes
from tests.hostile.encoding import (
    ITEM_END,
    SEQUENCE_END,
    UNDEFINED,
    before_pixels,
    explicit,
    implicit,
    item,
    outcome,
)

STANDARD, PRIVATE = 0x00081115, 0x00091010
DEPTHS = (33, 100, 1_000, 10_000, 100_000)
REFUSALS = {"too_deep", "malformed", "truncated"}


def undefined(tag: int, vr: bytes, depth: int) -> bytes:
    """Nothing but open sequences and items, one in another, all closed again."""
    opened = explicit(tag, vr, item(b"", UNDEFINED), UNDEFINED) * depth
    return opened + (ITEM_END + SEQUENCE_END) * depth


def never_closed(tag: int, vr: bytes, depth: int) -> bytes:
    return explicit(tag, vr, item(b"", UNDEFINED), UNDEFINED) * depth


def implicit_in_un(tag: int, _vr: bytes, depth: int) -> bytes:
    """PS3.5 6.2.2: UN of undefined length is a sequence in implicit VR."""
    opened = implicit(STANDARD, item(b"", UNDEFINED), UNDEFINED) * (depth - 1)
    closed = (ITEM_END + SEQUENCE_END) * depth
    return explicit(tag, b"UN", item(b"", UNDEFINED), UNDEFINED) + opened + closed


def defined(tag: int, vr: bytes, depth: int) -> bytes:
    """Each length is that of all inside. The lengths are made from the inside out, in time with the depth."""
    per_level = len(explicit(tag, vr, item(b"")))
    sizes = [per_level * level for level in range(depth)]
    return b"".join(explicit(tag, vr, b"", size + 8) + item(b"", size) for size in reversed(sizes))


def alternating(tag: int, vr: bytes, depth: int) -> bytes:
    pair = explicit(tag, vr, item(b"", UNDEFINED), UNDEFINED) + explicit(
        tag, b"UN", item(b"", UNDEFINED), UNDEFINED
    )
    pairs = (depth + 1) // 2
    return pair * pairs + (ITEM_END + SEQUENCE_END) * 2 * pairs


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("tag", [STANDARD, PRIVATE], ids=["standard", "private"])
@pytest.mark.parametrize("vr", [b"SQ", b"UN"])
@pytest.mark.parametrize("write", [undefined, never_closed, defined, implicit_in_un, alternating])
def test_any_depth_is_refused_in_50_ms(write: object, vr: bytes, tag: int, depth: int) -> None:
    data = before_pixels(write(tag, vr, depth))  # type: ignore[operator]
    times = []
    for _ in range(3):
        start = time.process_time()
        found = outcome(data)
        times.append(time.process_time() - start)
    if vr == b"UN" and tag == PRIVATE and write is defined:  # bytes of nobody's concern, by PS3.5 6.2.2
        assert not isinstance(found, str)
    else:
        assert found in REFUSALS
    assert min(times) < 0.05


def test_32_levels_are_read() -> None:
    assert not isinstance(outcome(before_pixels(undefined(STANDARD, b"SQ", 32))), str)


class TestBehindABreak:
    """What follows a break inside a sequence of known length was not checked, and nothing may come of it."""

    GROUPS = 0x52009230

    def broken_then(self, rest: bytes) -> bytes:
        overshooting = item(explicit(0x00080018, b"UI", b"", 600)[:8])
        return before_pixels(explicit(self.GROUPS, b"SQ", overshooting + rest))

    def test_a_million_items_are_not_made(self) -> None:
        header = outcome(self.broken_then(item(b"") * 1_000_000))
        assert not isinstance(header, str)
        assert [finding.code for finding in header.warnings] == ["broken_sequence"]
        seconds = []
        for _ in range(3):
            start = time.process_time()
            assert not FunctionalGroups(header.dataset).is_present
            seconds.append(time.process_time() - start)
        assert min(seconds) < 0.1

    def test_a_sequence_written_as_un_in_big_endian_is_not_made_of_unchecked_bytes(self) -> None:
        whole = to_bytes(image(), ExplicitVRBigEndian)
        at = whole.index(b"\x7f\xe0\x00\x10")
        value = item(b"") * 100_000
        element = b"\x52\x00\x92\x30UN\0\0" + len(value).to_bytes(4, "big") + value
        header = outcome(whole[:at] + element + whole[at:])
        assert not isinstance(header, str)
        assert not FunctionalGroups(header.dataset).is_present
