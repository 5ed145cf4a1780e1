"""Sets of entries that fulfil one condition, to put several conditions together without asking about each entry.

A set is an integer whose bit of number k says whether entry k is in it: of 100,000 entries 12 kB, and two are put
together in microseconds. To read one takes as long as an index range; so those of late are kept.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
from sqlalchemy import ARRAY, BigInteger, ColumnElement, Select, Text, any_, bindparam, cast, func, select
from sqlalchemy.orm import Session

MAX_REMEMBERED = 128


class EntrySets:
    """The sets of late of one generation of the index; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sets: OrderedDict[Hashable, int] = OrderedDict()

    def get(self, key: Hashable, read: Callable[[], int]) -> int:
        """Return the set of a condition, read where it is not remembered."""
        with self._lock:
            if key in self._sets:
                self._sets.move_to_end(key)
                return self._sets[key]
        found = read()
        with self._lock:
            self._sets[key] = found
            while len(self._sets) > MAX_REMEMBERED:
                self._sets.popitem(last=False)
        return found


def read_set(session: Session, keys: Select[Any]) -> int:
    """Return the set of what a statement selects: keys of entries, also repeated ones.

    The database writes them into one text: a row for each takes seven times as long.
    """
    (column,) = keys.selected_columns
    text = session.scalar(keys.with_only_columns(func.aggregate_strings(cast(column, Text), ","))) or ""
    numbers = np.fromstring(text, dtype=np.int64, sep=",")
    bits = np.zeros(int(numbers.max(initial=-1)) + 1, dtype=bool)
    bits[numbers] = True
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")


def keys_in(entries: int) -> list[int]:
    """Return the keys of a set, ascending."""
    octets = np.frombuffer(entries.to_bytes((entries.bit_length() + 7) // 8, "little"), dtype=np.uint8)
    found: list[int] = np.flatnonzero(np.unpackbits(octets, bitorder="little")).tolist()
    return found


def one_of(session: Session, key: ColumnElement[int], entries: int) -> ColumnElement[bool]:
    """Return the condition that an entry is in a set.

    The keys go to the database as one value: to write two thousand parameters takes longer than to look them up.
    """
    keys = keys_in(entries)
    if session.get_bind().dialect.name == "sqlite":
        return key.in_(select(func.json_each(str(keys)).table_valued("value").c.value))
    return key == any_(bindparam(None, keys, type_=ARRAY(BigInteger)))
