from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.data import get_charset_files
from pydicom.dataset import Dataset

from imageserver.dicom.person_name import (
    NoNameReason,
    name_finding,
    parse_person_name,
    patient_name,
    read_person_name,
)
from imageserver.dicom.reading import FileRefused, read_header
from imageserver.dicom.sequence_items import items
from tests import builders


class TestDisplay:
    @pytest.mark.parametrize(
        ("raw", "display"),
        [
            # The examples of PS3.5 6.2.1.1.
            ("Adams^John Robert Quincy^^Rev.^B.A. M.Div.", "Adams, Rev. John Robert Quincy, B.A. M.Div."),
            (
                "Morrison-Jones^Susan^^^Ph.D., Chief Executive Officer",
                "Morrison-Jones, Susan, Ph.D., Chief Executive Officer",
            ),
            ("Doe^John", "Doe, John"),
            ("Smith^Fluffy", "Smith, Fluffy"),
            ("Doe^John^Q^Dr.^Jr.", "Doe, Dr. John Q, Jr."),
            ("Doe", "Doe"),
            ("^John", "John"),
            ("^^^Dr.", "Dr."),
            ("Doe^^^^", "Doe"),
            ("Doe^John^^^ ", "Doe, John"),
            ("Doe  ^ John\0", "Doe, John"),
            ("=山田^太郎", "山田, 太郎"),
            ("==やまだ^たろう", "やまだ, たろう"),
            ("^^^^=山田^太郎", "山田, 太郎"),
        ],
    )
    def test_family_prefix_given_middle_suffix(self, raw: str, display: str) -> None:
        assert parse_person_name(raw).display == display

    def test_components_of_all_three_groups(self) -> None:
        name = parse_person_name("Yamada^Tarou=山田^太郎=やまだ^たろう")
        empty = {"middle": "", "prefix": "", "suffix": ""}
        assert name.components() == {
            "alphabetic": {"family": "Yamada", "given": "Tarou", **empty},
            "ideographic": {"family": "山田", "given": "太郎", **empty},
            "phonetic": {"family": "やまだ", "given": "たろう", **empty},
        }

    def test_an_empty_group_is_none(self) -> None:
        assert parse_person_name("Wang^XiaoDong=王^小東=").components()["phonetic"] is None

    def test_markup_is_only_text(self) -> None:
        assert parse_person_name("<img src=x onerror=alert(1)>").raw == "<img src=x onerror=alert(1)>"

    def test_characters_that_turn_the_text_around_are_left_out(self) -> None:
        assert parse_person_name("Doe\u202e^John\u0007").display == "Doe, John"

    def test_a_sixth_component_is_not_lost(self) -> None:
        name = parse_person_name("a^b^c^d^e^f")
        assert name.display == "a, d b c, e f"
        assert name.warnings == ("extra_name_components",)

    def test_of_several_names_the_first_is_shown_and_the_rest_is_said(self) -> None:
        name = parse_person_name("Doe^John\\Roe^Jane")
        assert (name.display, name.warnings) == ("Doe, John", ("several_patient_names",))

    @given(st.text())
    def test_no_delimiter_is_ever_shown(self, text: str) -> None:
        name = parse_person_name(text)
        assert (name.display is None) == (name.reason is not None)
        assert not set(name.display or "") & set("^=\\\0")

    @given(st.text())
    def test_the_raw_value_rebuilds_the_name(self, text: str) -> None:
        name = parse_person_name(text)
        assert parse_person_name(name.raw).components() == name.components()


class TestReason:
    @pytest.mark.parametrize(
        ("raw", "reason"),
        [
            (None, NoNameReason.ABSENT),
            ("", NoNameReason.EMPTY),
            ("   ", NoNameReason.EMPTY),
            ("^^^^", NoNameReason.EMPTY),
            ("==", NoNameReason.EMPTY),
            ("\0\0", NoNameReason.EMPTY),
            ("Anonymous", NoNameReason.ANONYMOUS),
            ("ANONYMOUS^^^^ ", NoNameReason.ANONYMOUS),
            ("Anonymized", NoNameReason.ANONYMOUS),
        ],
    )
    def test_why_there_is_no_name(self, raw: str | None, reason: NoNameReason) -> None:
        name = parse_person_name(raw)
        assert (name.display, name.reason) == (None, reason)

    def test_a_name_that_only_begins_like_a_placeholder_is_a_name(self) -> None:
        assert parse_person_name("Anonymous^Patient").reason is None


class TestPatientName:
    def read(self, **attributes: object) -> Dataset:
        return read_header(builders.stream(builders.image(**attributes))).dataset

    def test_reads_the_bytes_of_the_file_by_its_character_set(self) -> None:
        dataset = self.read(
            SpecificCharacterSet=["", "ISO 2022 IR 87"], PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう"
        )
        assert patient_name(dataset).raw == "Yamada^Tarou=山田^太郎=やまだ^たろう"

    @pytest.mark.parametrize("vr", ["PN", "UN", "LO"])
    @pytest.mark.parametrize(
        ("terms", "codec", "name"),
        [
            # Second bytes that look like a backslash, which separates values: 表 is 0x955C, 乗 0x815C.
            (b"ISO_IR 13", "cp932", "表^太郎"), (b"GBK", "gbk", "乗^王"), (b"GB18030", "gb18030", "乗^王"),
            (b"\\ISO 2022 IR 87", "iso2022_jp", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ],
    )  # fmt: skip
    def test_one_name_stays_one(self, terms: bytes, codec: str, name: str, vr: str) -> None:
        dataset = builders.with_bytes(builders.image(), "PatientName", name.encode(codec), vr)
        builders.with_bytes(dataset, "SpecificCharacterSet", terms)
        found = patient_name(read_header(builders.stream(dataset)).dataset)
        assert found.raw == name
        assert "several_patient_names" not in found.warnings

    def test_several_names_in_kanji(self) -> None:
        value = "山田^太郎\\鈴木^花子".encode("iso2022_jp")
        dataset = builders.with_bytes(builders.image(), "PatientName", value)
        dataset.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
        found = patient_name(read_header(builders.stream(dataset)).dataset)
        assert (found.raw, found.warnings) == ("山田^太郎", ("several_patient_names",))

    @pytest.mark.parametrize(
        "code",
        ["several_patient_names", "extra_name_components", "undeclared_character_set", "unknown_character_set",
         "undecodable_characters", "wrong_character_set"],
    )  # fmt: skip
    def test_every_warning_has_its_sentence(self, code: str) -> None:
        finding = name_finding(code)
        assert finding.code == code
        assert finding.message.endswith(".")

    def test_absent(self) -> None:
        assert patient_name(self.read(PatientName=None)).reason is NoNameReason.ABSENT

    def test_a_data_set_made_in_memory(self) -> None:
        assert patient_name(builders.image(PatientName="Müller^Jörg")).display == "Müller, Jörg"


# The values that pydicom's own tests name for the files that come with it (tests/test_charset.py there).
BUNDLED = {
    "chrArab": "قباني^لنزار", "chrFren": "Buc^Jérôme", "chrFrenMulti": "Buc^Jérôme", "chrGerm": "Äneas^Rüdiger",
    "chrGreek": "Διονυσιος", "chrH31": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "chrH32": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", "chrHbrw": "שרון^דבורה", "chrI2": "Hong^Gildong=洪^吉洞=홍^길동",
    "chrJapMulti": "やまだ^たろう", "chrJapMultiExplicitIR6": "やまだ^たろう", "chrKoreanMulti": "김희중",
    "chrRuss": "Люкceмбypг", "chrX1": "Wang^XiaoDong=王^小東=", "chrX2": "Wang^XiaoDong=王^小东=",
}  # fmt: skip


def bundled(name: str) -> Dataset:
    try:
        with Path(str(get_charset_files(f"{name}.dcm")[0])).open("rb") as stream:
            return read_header(stream).dataset
    except FileRefused as refused:  # some describe an image whose pixels were taken out
        if refused.code != "no_pixel_data" or refused.header is None:
            raise
        dataset: Dataset = refused.header.dataset
        return dataset


class TestBundledFiles:
    @pytest.mark.parametrize("name", BUNDLED)
    def test_names_without_a_guess(self, name: str) -> None:
        found = patient_name(bundled(name))
        assert (found.raw, found.warnings) == (BUNDLED[name], ())

    @pytest.mark.parametrize("name", ["chrSQEncoding", "chrSQEncoding1"])
    def test_names_in_items(self, name: str) -> None:
        """One item has character sets of its own, the other has those of the data set."""
        [item] = items(bundled(name), "RequestedProcedureCodeSequence")
        assert read_person_name(item, "PatientName").raw == "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"
