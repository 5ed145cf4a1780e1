"""The table of attributes that the viewer shows names from is that of the installed dictionary."""

from pathlib import Path

from scripts.write_attribute_names import attribute_names


def test_the_table_is_the_dictionary(root: Path) -> None:
    table = (root / "frontend/static/attributes.txt").read_text(encoding="ascii")
    assert table == attribute_names(), "run scripts/write_attribute_names.py"


def test_it_names_plain_and_repeating_attributes() -> None:
    lines = attribute_names().splitlines()
    assert "00100010 PatientName" in lines
    assert "60xx3000 OverlayData" in lines
