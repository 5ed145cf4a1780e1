"""docs/conformance.md says what the code does; what the standard lists is all there."""

import re
from pathlib import Path

import pytest
from pydicom.uid import UID_dictionary

from imageserver.archive.store_outcomes import FailureReason
from imageserver.archive.summaries import _DERIVED_MODALITIES
from imageserver.dicom.transcoding import targets_of
from imageserver.dicom.transfer_syntax import REFUSED, SUPPORTED
from scripts.conformance import (
    arrangement,
    character_sets,
    refusals,
    searching,
    services,
    sop_classes,
    storing,
)
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


class TestServices:
    def test_every_request_is_listed_twice_with_what_it_gives_and_how_it_may_end(self, document: str) -> None:
        requests = [request for request, _ in services.transactions()]
        assert len(requests) == len(set(requests)) > 15
        assert [one for one in requests if document.count(f"| `{one}` |") != 2] == []

    def test_every_status_code_is_explained(self, document: str) -> None:
        section = document.split("### Status codes\n")[1].split("\n### ")[0]
        used = {status for _, one in services.transactions() for status in one.statuses}
        assert {status for status in used if f"\n| {status} |" not in section} == set()

    def test_every_code_of_a_problem_is_that_of_one_status(self) -> None:
        listed = [code for status in (400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 422, 429, 503, 507)
                  for code in services.codes_of(status)]  # fmt: skip
        assert len(listed) == len(set(listed)) > 15

    def test_sent_transfer_syntaxes_are_had_of_every_instance(self) -> None:
        for uid in SUPPORTED:
            assert set(services.sent_syntaxes()) <= set(targets_of(uid, has_pixel_data=True))

    def test_every_failure_reason_is_listed(self, document: str) -> None:
        section = document.split("### Store\n")[1].split("\n### ")[0]
        assert set(storing.MEANINGS) == set(FailureReason)
        assert [reason for reason in FailureReason if f"| `{reason:04X}` |" not in section] == []


class TestSearching:
    def test_what_the_standard_demands_is_answered(self, document: str) -> None:
        # PS3.18 tables 10.6.3-3 to 10.6.3-5, types 1 and 2.
        section = document.split("### Search\n")[1].split("\n### ")[0]
        for level, keywords in {
            "study": "StudyDate StudyTime AccessionNumber InstanceAvailability ModalitiesInStudy "
            "ReferringPhysicianName PatientName PatientID PatientBirthDate PatientSex StudyInstanceUID StudyID "
            "NumberOfStudyRelatedSeries "
            "NumberOfStudyRelatedInstances",
            "series": "Modality SeriesInstanceUID SeriesNumber NumberOfSeriesRelatedInstances",
            "instance": "SOPClassUID SOPInstanceUID InstanceNumber",
        }.items():
            rows = [line for line in section.splitlines() if line.startswith(f"| {level} |")]
            for keyword in keywords.split():
                assert any(f"| `{keyword}` | always |" in row for row in rows), keyword

    def test_matching_by_vr(self) -> None:
        # PS3.4 C.2.2.2.4: no wild cards; C.2.2.2.5: ranges; C.2.2.2.2: lists of UIDs
        for vr in ("DA", "TM", "DT"):
            assert searching.matching_of(vr)[:3] == ("yes", "–", "yes"), vr
        for vr in ("UI", "IS", "DS", "AS", "US"):
            assert searching.matching_of(vr)[:3] == ("yes", "–", "–"), vr
        for vr in ("PN", "LO", "SH", "LT", "CS", "AE"):
            assert searching.matching_of(vr)[:3] == ("yes", "yes", "–"), vr
        assert searching.matching_of("UI")[3] == "always"
        assert searching.matching_of("PN")[4] == "`fuzzymatching`"
