"""Long lists of values, divided for statements that take only so many."""

from collections.abc import Iterator
from typing import TypeVar

CHUNK = 500  # values in one IN (…)

T = TypeVar("T")


def chunks(values: list[T]) -> Iterator[list[T]]:
    """Yield the values in their order, at most `CHUNK` at a time."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
