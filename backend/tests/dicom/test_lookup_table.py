"""How wide the entries of a table are: PS3.3 C.11.1.1.1, C.11.2.1.1, C.7.6.3.1.6, and what files make of it."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from imageserver.dicom.lookup_table import LookupTable, entry_width, read_lookup_table
from imageserver.dicom.reading import read_header
from imageserver.dicom.sequence_items import first_item
from tests import builders


class TestEntryWidth:
    @pytest.mark.parametrize(
        ("count", "length", "width"),
        [
            (256, 512, 2),  # words
            (256, 514, 2),  # more than asked for
            (256, 256, 1),  # bytes, two in a word
            (255, 256, 1),  # bytes and the pad byte
            (256, 510, 2),  # short by one word of 256
            (256, 508, 2),  # short by two
            (256, 506, None),  # short by three, more than 1 %
            (256, 254, 1),  # short by two bytes
            (256, 300, None),  # neither bytes nor words
            (3, 4, 1),
            (3, 2, None),
            (1, 2, 2),
            (65536, 131072, 2),
            (65536, 65536, 1),
            (256, 0, None),
        ],
    )
    def test_table_of_cases(self, count: int, length: int, width: int | None) -> None:
        assert entry_width(count, length) == width


def table_of(descriptor: list[int], data: bytes) -> LookupTable | None:
    table = Dataset()
    table.add_new("LUTDescriptor", "US", descriptor)
    table.add_new("LUTData", "OW", data)
    dataset = builders.image(VOILUTSequence=[table])
    item = first_item(read_header(builders.stream(dataset)).dataset, "VOILUTSequence")
    assert item is not None
    return read_lookup_table(item, signed=False)


class TestBits:
    @pytest.mark.parametrize(
        ("declared", "highest", "bits"),
        [
            (8, 255, 8),
            (8, 65535, 16),  # 65535 needs 16 bits
            (10, 4095, 12),  # 4095 needs 12 bits
            (10, 1024, 10),  # one beyond the end is a slip, not another depth
            (16, 4095, 16),  # may be meant; told, not changed
        ],
    )
    def test_entries_that_need_more_bits_have_more(self, declared: int, highest: int, bits: int) -> None:
        table = table_of([2, 0, declared], np.array([0, highest], "<u2").tobytes())
        assert table is not None
        assert (table.bits, table.declared_bits) == (bits, declared)

    def test_entries_that_are_bytes_have_8(self) -> None:
        table = table_of([4, 0, 16], bytes([0, 85, 170, 255]))
        assert table is not None
        assert (table.bits, table.entries.tolist()) == (8, [0, 85, 170, 255])

    def test_a_table_that_is_a_little_short_ends_with_its_last_entry(self) -> None:
        table = table_of([256, 0, 16], np.arange(255, dtype="<u2").tobytes())
        assert table is not None
        assert (len(table.entries), table.entries[-2:].tolist()) == (256, [254, 254])
