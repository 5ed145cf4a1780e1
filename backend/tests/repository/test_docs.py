"""The documents name every setting, command and problem code, and nothing that does not exist."""

import re
from collections.abc import Iterator
from pathlib import Path

from imageserver import errors
from imageserver.api import problems
from imageserver.archive.problems import MEANINGS
from imageserver.cli import build_parser
from imageserver.settings import Settings

PACKAGE = Path(errors.__file__).parent


def table_rows(text: str, heading: str) -> dict[str, list[str]]:
    """Cells of the first table below a heading, by the first cell's code word."""
    section = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line
    ]
    return {cells[0].strip("`"): cells[1:] for cells in rows if cells[0].startswith("`")}


def commands() -> Iterator[str]:
    pending = [("imageserver", build_parser())]
    while pending:
        name, parser = pending.pop()
        subparsers = [action for action in parser._actions if hasattr(action, "choices") and action.choices]
        nested = [action.choices for action in subparsers if isinstance(action.choices, dict)]
        for choices in nested:
            pending.extend((f"{name} {word}", sub) for word, sub in choices.items())
        if not nested:
            yield name


def problem_codes() -> set[str]:
    kinds, codes = [errors.AppError], set(problems.CODES_OF_STATUS.values())
    while kinds:
        kind = kinds.pop()
        kinds.extend(kind.__subclasses__())
        codes.add(kind.code)
    for path in PACKAGE.rglob("*.py"):
        codes.update(re.findall(r'problem_response\(\s*\d+,\s*"(\w+)"', path.read_text(encoding="utf-8")))
    return codes


def test_every_setting_is_documented(root: Path) -> None:
    rows = table_rows((root / "docs/operations.md").read_text(encoding="utf-8"), "Settings")
    assert set(rows) == {f"IMAGESERVER_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        assert rows[f"IMAGESERVER_{name.upper()}"][1] == field.description


def test_every_command_is_documented(root: Path) -> None:
    text = (root / "docs/operations.md").read_text(encoding="utf-8")
    assert [command for command in commands() if f"`{command}" not in text] == []


def test_every_problem_code_is_documented(root: Path) -> None:
    rows = table_rows((root / "docs/problems.md").read_text(encoding="utf-8"), "Codes")
    assert set(rows) == problem_codes() | {"bad_request"}


def test_every_code_of_a_file_that_is_not_shown_is_documented(root: Path) -> None:
    rows = table_rows((root / "docs/problems.md").read_text(encoding="utf-8"), "Files that are not shown")
    assert {code: cells[0] for code, cells in rows.items()} == MEANINGS


def test_links_between_documents_lead_somewhere(root: Path) -> None:
    documents = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob(".github/*.md")]
    missing = [
        f"{document.relative_to(root)} -> {target}"
        for document in documents
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", document.read_text(encoding="utf-8"))
        if not (document.parent / target).exists()
    ]
    assert missing == []


def test_decisions_are_numbered_without_gap(root: Path) -> None:
    numbers = sorted(int(path.name[:4]) for path in (root / "docs/decisions").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_decisions_that_are_named_exist(root: Path) -> None:
    decisions = {path.name[:4] for path in (root / "docs/decisions").glob("[0-9]*.md")}
    texts = [*PACKAGE.rglob("*.py"), *(root / "docs").rglob("*.md")]
    named = {
        number
        for path in texts
        for number in re.findall(
            r"(?:decision|decisions/|docs/decisions: )(?: )?(0\d{3})", path.read_text(encoding="utf-8")
        )
    }
    assert named
    assert named <= decisions
