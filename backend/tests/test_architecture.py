"""The rooms of the house import downwards only: api -> archive -> dicom, and api -> accounts, audit, measurements."""

import ast
from pathlib import Path

import pytest

import imageserver

PACKAGE = Path(imageserver.__file__).parent
WEB = {"fastapi", "starlette", "uvicorn", "imageserver.api", "imageserver.main", "imageserver.cli"}
MAY_NOT_IMPORT = {
    "dicom": WEB | {"sqlalchemy", "alembic", "imageserver.database", "imageserver.settings"}
    | {"imageserver.archive", "imageserver.accounts", "imageserver.audit", "imageserver.measurements"},
    "archive": WEB | {"imageserver.accounts", "imageserver.audit", "imageserver.measurements"},
    "accounts": WEB | {"imageserver.archive", "imageserver.audit", "imageserver.dicom", "pydicom"}
    | {"imageserver.measurements"},
    "audit": WEB | {"imageserver.archive", "imageserver.accounts", "imageserver.dicom", "pydicom"}
    | {"imageserver.measurements"},
    "measurements": WEB | {"imageserver.archive", "imageserver.accounts", "imageserver.audit"}
    | {"imageserver.dicom", "pydicom"},
}  # fmt: skip


def imported_names(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def violations(room: str) -> list[str]:
    return [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for name in sorted(imported_names(path.read_text(encoding="utf-8")))
        if any(f"{name}.".startswith(f"{forbidden}.") for forbidden in MAY_NOT_IMPORT[room])
    ]


@pytest.mark.parametrize("room", MAY_NOT_IMPORT)
def test_a_room_imports_downwards_only(room: str) -> None:
    assert violations(room) == []


def test_a_forbidden_import_would_be_seen() -> None:
    assert "fastapi.Request" in imported_names("def f():\n    from fastapi import Request")


def test_only_the_table_of_problems_knows_statuses() -> None:
    others = [path for path in PACKAGE.glob("*.py") if "HTTPStatus" in path.read_text(encoding="utf-8")]
    assert others == []
