"""docs/geometry.md names every finding about a series with its numbers, and every verdict."""

import ast
import re
from pathlib import Path

import pytest

import imageserver.dicom
from imageserver.archive.patients import DATES_DIFFER, IDS_DIFFER, NAMES_DIFFER
from imageserver.dicom.arrangement import Verdict
from imageserver.dicom.several_patients import OTHER_PATIENT

MODULES = ("stack_findings", "tag_findings", "frame_findings", "exclusions")
CALLS = ("Finding", "Refusal")
ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "geometry.md").read_text("utf-8")


def codes_in(module: str) -> set[str]:
    """First arguments of `Finding` and `Refusal`, and the first of each group of three, which others are made of."""
    source = Path(imageserver.dicom.__file__).with_name(f"{module}.py").read_text("utf-8")
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            first = node.args[0]
        elif isinstance(node, ast.Tuple) and len(node.elts) == 3:
            first = node.elts[0]
        else:
            continue
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            found.add(first.value)
    return found


def test_every_code_has_a_row(page: str) -> None:
    codes = {code for module in (*MODULES, "plane_refusals") for code in codes_in(module)} | {OTHER_PATIENT}
    assert len(codes) > 15
    verdicts = {verdict.value for verdict in Verdict}
    assert set(ROW.findall(page)) == codes | verdicts


def test_every_number_is_explained(page: str) -> None:
    sources = [
        Path(imageserver.dicom.__file__).with_name(f"{module}.py").read_text("utf-8") for module in MODULES
    ]
    keys = {key for source in sources for key in re.findall(r'"(\w+_(?:mm|degrees)|\w+)": ', source)}
    documented = set(re.findall(r"`(\w+)`", page))
    assert keys <= documented
    assert {NAMES_DIFFER, IDS_DIFFER, DATES_DIFFER} <= documented
