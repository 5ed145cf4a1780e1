"""docs/conformance.md says what the code does; what the standard lists is all there."""

import re
from pathlib import Path

import pytest
from pydicom.uid import UID_dictionary

from imageserver.archive.summaries import _DERIVED_MODALITIES
from imageserver.dicom.transfer_syntax import REFUSED, SUPPORTED
from scripts.conformance import arrangement, character_sets, refusals, sop_classes
from scripts.conformance.document import fill, table
from scripts.make_conformance import SERVED, fill_document


@pytest.fixture(scope="module")
def document(root: Path) -> str:
    return (root / "docs/conformance.md").read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_code(document: str) -> None:
    """Where this fails: `cd backend && python -m scripts.make_conformance`, and look at the difference."""
    assert fill_document(document) == document
    assert SERVED.read_text(encoding="utf-8") == document


def test_every_transfer_syntax_of_the_standard_has_a_state(document: str) -> None:
    uids = {uid for uid, (_, kind, *_) in UID_dictionary.items() if kind == "Transfer Syntax"}
    assert {uid for uid in (*uids, *SUPPORTED, *REFUSED) if f"`{uid}`" not in document} == set()
    assert SUPPORTED.keys() & REFUSED.keys() == set()


def test_every_storage_class_of_the_standard_has_a_state(document: str) -> None:
    uids = [uid for uid, _, _ in sop_classes.storage_classes()]
    assert len(uids) > 200
    assert [uid for uid in uids if f"| `{uid}` |" not in document] == []


def test_pictures_are_told_from_other_objects() -> None:
    # IODs of PS3.3 A: with an Image Pixel module, and without.
    for name in ("CT Image Storage", "RT Dose Storage", "Segmentation Storage", "Enhanced US Volume Storage"):
        assert sop_classes.holds_pixels(name)
    for name in ("RT Structure Set Storage", "MR Spectroscopy Storage", "Encapsulated PDF Storage",
                 "Grayscale Softcopy Presentation State Storage", "Raw Data Storage"):  # fmt: skip
        assert not sop_classes.holds_pixels(name)
    assert len(sop_classes._LAST) == len(_DERIVED_MODALITIES)


def test_every_sequence_that_is_read_is_listed() -> None:
    assert arrangement.unlisted_sequences() == set()


def test_every_code_of_refusal_is_listed() -> None:
    assert refusals.unlisted_codes() == set()


def test_every_character_set_is_listed_and_read() -> None:
    assert character_sets.is_complete()
    assert "not read" not in character_sets.character_set_table()


def test_links_lead_somewhere(document: str, root: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", document)
    assert links
    assert [link for link in links if not (root / "docs" / link).is_file()] == []


class TestDocument:
    def test_tables_stand_between_their_marks(self) -> None:
        text = "a\n<!-- table: one -->\nold\n<!-- end of table -->\nb\n"
        filled = fill(text, {"one": table(("x", "y"), [("1", "2")])})
        assert filled == (
            "a\n<!-- table: one -->\n\n| x | y |\n| --- | --- |\n| 1 | 2 |\n\n<!-- end of table -->\nb\n"
        )
        assert fill(filled, {"one": table(("x", "y"), [("1", "2")])}) == filled

    @pytest.mark.parametrize("tables", [{}, {"one": "", "two": ""}])
    def test_a_table_without_mark_is_noticed(self, tables: dict[str, str]) -> None:
        with pytest.raises(ValueError, match="differ"):
            fill("<!-- table: one -->\n<!-- end of table -->\n", tables)
