"""A Markdown document whose tables stand between marks, so that the text around them is written by hand."""

import re
from collections.abc import Iterable, Mapping, Sequence

_TABLE = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def fill(text: str, tables: Mapping[str, str]) -> str:
    """Put each table between its marks.

    Raises
    ------
    ValueError
        If the document has a mark for no table, or none for one.
    """
    marked = {match[2] for match in _TABLE.finditer(text)}
    if marked != set(tables):
        raise ValueError(f"marks and tables differ: {sorted(marked ^ set(tables))}")
    return _TABLE.sub(lambda match: f"{match[1]}\n{tables[match[2]]}\n{match[3]}", text)
