"""Matching by the rules of PS3.4 C.2.2.2, on data sets of the DICOM JSON model."""

import time
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageserver.dicom.matching import is_like, matches
from imageserver.dicom.matching_keys import KeyRefused, Options, attribute_path, parse_keys
from imageserver.dicom.matching_values import fold_name, moment_text, number_text, time_text

Json = dict[str, Any]


def is_found(dataset: Json, options: Options | None = None, **keys: str) -> bool:
    wanted = [(attribute_path(name.replace("__", ".")), text) for name, text in keys.items()]
    return all(matches(dataset, key) for key in parse_keys(wanted, options or Options()).keys)


def element(vr: str, *values: Any) -> Json:
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}


def name(alphabetic: str = "", ideographic: str = "", phonetic: str = "") -> Json:
    groups = {"Alphabetic": alphabetic, "Ideographic": ideographic, "Phonetic": phonetic}
    return {"00100010": element("PN", {key: value for key, value in groups.items() if value})}


class TestSingleValues:
    def test_codes_and_texts_regard_case(self) -> None:  # C.2.2.2.1
        dataset = {"00081030": element("LO", "Head CT"), "00100040": element("CS", "M")}
        assert is_found(dataset, StudyDescription="Head CT", PatientSex="M")
        assert not is_found(dataset, StudyDescription="head ct")
        assert not is_found(dataset, PatientSex="m")

    def test_blanks_around_do_not_count(self) -> None:
        assert is_found({"00100020": element("LO", "A 1")}, PatientID=" A 1 ")

    def test_numbers_are_compared_as_numbers(self) -> None:
        dataset = {"00200011": element("IS", 7), "00180050": element("DS", "1.50")}
        assert is_found(dataset, SeriesNumber="07", SliceThickness="1.5")
        assert not is_found(dataset, SeriesNumber="70")

    def test_any_of_several_values(self) -> None:
        dataset = {"00080008": element("CS", "ORIGINAL", "PRIMARY", "AXIAL")}
        assert is_found(dataset, ImageType="PRIMARY")
        assert not is_found(dataset, ImageType="SECONDARY")

    def test_nothing_asked_for_matches_all(self) -> None:  # C.2.2.2.3
        assert is_found({}, PatientName="", PatientID="*", StudyDate="", SeriesNumber="*")

    def test_private_attributes(self) -> None:
        assert is_found({"00091010": element("LO", "x")}, **{"00091010": "x"})
        assert not is_found({}, **{"00091010": "x"})


class TestWildCards:
    def test_stars_and_question_marks(self) -> None:  # C.2.2.2.4
        dataset = {"00081030": element("LO", "Head CT")}
        for pattern in ("Head*", "*CT", "H*d*T", "Head?CT", "*", "Head CT*", "????????"[:7]):
            assert is_found(dataset, StudyDescription=pattern), pattern
        for pattern in ("head*", "Head?", "*MR", "????????"):
            assert not is_found(dataset, StudyDescription=pattern), pattern

    @pytest.mark.parametrize("text", ["100%", "a_b", "[x]", "\\", "'", '"'])
    def test_what_means_something_to_databases_means_itself(self, text: str) -> None:
        value = text.replace("\\", "/")
        assert is_found({"00081030": element("LO", value)}, StudyDescription=f"*{value}*")
        assert not is_found({"00081030": element("LO", "anything")}, StudyDescription=f"*{value}*")

    def test_not_for_dates_numbers_and_uids(self) -> None:
        for keyword, text in (("StudyDate", "2020*"), ("SeriesNumber", "1*"), ("StudyInstanceUID", "1.2.*")):
            with pytest.raises(KeyRefused):
                is_found({}, **{keyword: text})

    def test_the_cost_is_bounded(self) -> None:  # T33
        with pytest.raises(KeyRefused):
            is_found({}, StudyDescription="*a" * 9)
        began = time.process_time()
        assert not is_like("a" * 500, "*a" * 8 + "*b")
        assert time.process_time() - began < 1

    @given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
    def test_as_a_plain_definition_says(self, pattern: str, text: str) -> None:
        def like(pattern: str, text: str) -> bool:
            if not pattern:
                return not text
            if pattern[0] == "*":
                return any(like(pattern[1:], text[at:]) for at in range(len(text) + 1))
            return bool(text) and pattern[0] in ("?", text[0]) and like(pattern[1:], text[1:])

        assert is_like(text, pattern) == like(pattern, text)


class TestRanges:
    DATASET: ClassVar[Json] = {"00080020": element("DA", "20200615"), "00080030": element("TM", "101530.5")}

    def test_dates(self) -> None:  # C.2.2.2.5.1
        for key in ("20200615", "20200601-20200630", "20200615-", "-20200615", "20200615-20200615"):
            assert is_found(self.DATASET, StudyDate=key), key
        for key in ("20200614", "20200616-", "-20200614", "20200701-20200731"):
            assert not is_found(self.DATASET, StudyDate=key), key

    def test_times_to_the_precision_given(self) -> None:  # C.2.2.2.5.2
        for key in ("101530.5", "1015-1016", "10-10", "-101530.5", "101530-", "10:15-10:15"):
            assert is_found(self.DATASET, StudyTime=key), key
        for key in ("101530", "1016-", "-1014", "11-12"):
            assert not is_found(self.DATASET, StudyTime=key), key
        assert is_found({"00080030": element("TM", "1015")}, StudyTime="101500")

    def test_a_date_and_its_time_are_one_moment(self) -> None:  # C.2.2.2.5.4
        assert is_found(self.DATASET, StudyDate="20200614-20200616", StudyTime="12-08")
        assert not is_found(self.DATASET, StudyDate="20200615-20200616", StudyTime="12-08")
        assert not is_found(self.DATASET, StudyDate="20200614-20200615", StudyTime="12-08")

    def test_a_single_date_and_a_range_of_times_are_two_conditions(self) -> None:
        assert is_found(self.DATASET, StudyDate="20200615", StudyTime="10-11")
        assert not is_found(self.DATASET, StudyDate="20200614", StudyTime="10-11")

    def test_moments_with_offsets(self) -> None:  # C.2.2.2.5.3
        dataset = {"0008002A": element("DT", "20200615101530+0200")}
        assert is_found(dataset, AcquisitionDateTime="20200615081530+0000")
        assert is_found(dataset, AcquisitionDateTime="20200615081500+0000-20200615081600+0000")
        assert is_found(dataset, AcquisitionDateTime="202006-202006")
        assert not is_found(dataset, AcquisitionDateTime="20200615101530+0000-")

    @pytest.mark.parametrize("text", ["2020", "20200101-2021", "-", "yesterday", "20200101--", "2020010a"])
    def test_what_is_no_date(self, text: str) -> None:
        with pytest.raises(KeyRefused):
            is_found({}, StudyDate=text)

    # PS3.5 table 6.2-1: of digits only those of the default character repertoire.
    @pytest.mark.parametrize(
        ("keyword", "text"),
        [
            ("StudyDate", "２０２００１０１"),
            ("StudyDate", "20200101-２０２０１２３１"),
            ("StudyTime", "１０３０"),
            ("AcquisitionDateTime", "٢٠٢٠"),
            ("SeriesNumber", "７"),
            ("SliceThickness", "1.٥"),
        ],
    )
    def test_digits_of_other_scripts_are_none(self, keyword: str, text: str) -> None:
        with pytest.raises(KeyRefused):
            is_found({}, **{keyword: text})


class TestPersonNames:
    YAMADA = name("Yamada^Tarou", "山田^太郎", "やまだ^たろう")

    def test_in_any_group_without_regard_to_case(self) -> None:
        for key in ("yamada^tarou", "YAMADA*", "山田^太郎", "やまだ*", "Yamada^Tarou^^"):
            assert is_found(self.YAMADA, PatientName=key), key
        for key in ("Yamada", "Tarou", "田*"):
            assert not is_found(self.YAMADA, PatientName=key), key

    def test_groups_one_by_one(self) -> None:
        for key in ("Yamada^Tarou=山田^太郎=やまだ^たろう", "=山田*", "yamada*==やまだ*", "*=山田^太郎"):
            assert is_found(self.YAMADA, PatientName=key), key
        assert not is_found(self.YAMADA, PatientName="山田*=Yamada*")
        with pytest.raises(KeyRefused):
            is_found(self.YAMADA, PatientName="a=b=c=d")

    def test_fuzzy_by_the_beginnings_of_words(self) -> None:
        fuzzy = Options(is_fuzzy=True)
        for key in ("muller", "ann mull", "MÜLLER^A*", "Anne, Muller"):
            assert is_found(name("Müller^Anne"), fuzzy, PatientName=key), key
        assert is_found(self.YAMADA, fuzzy, PatientName="太郎")
        assert not is_found(name("Müller^Anne"), fuzzy, PatientName="uller")
        assert not is_found(name("Müller^Anne"), PatientName="muller")

    def test_folding(self) -> None:
        assert fold_name("Doe ^ John^^ ") == "doe^john"
        assert fold_name("STRASSE") == fold_name("Straße")


class TestSequences:
    DATASET: ClassVar[Json] = {
        "00400275": element(
            "SQ",
            {"00400009": element("SH", "S1"), "00401001": element("SH", "R1")},
            {"00400009": element("SH", "S2"), "00401001": element("SH", "R2")},
        )
    }

    def test_one_item_fulfils_all(self) -> None:  # C.2.2.2.6
        item = "RequestAttributesSequence__"
        both = {f"{item}ScheduledProcedureStepID": "S1", f"{item}RequestedProcedureID": "R1"}
        assert is_found(self.DATASET, **both)
        assert not is_found(self.DATASET, **{**both, f"{item}RequestedProcedureID": "R2"})
        assert is_found(self.DATASET, **{"00400275__00401001": "R?"})

    def test_only_sequences_have_items(self) -> None:
        for path in ("PatientName.PatientID", "PatientID.00100010", "a.b", "00400275." * 4 + "00400009"):
            with pytest.raises(KeyRefused):
                attribute_path(path)
        with pytest.raises(KeyRefused):
            is_found({}, RequestAttributesSequence="x")


class TestEmptyValues:
    EMPTY = Options(is_empty_matched=True)

    def test_absent_and_empty_are_the_same(self) -> None:  # C.2.2.2.7
        assert is_found({}, self.EMPTY, PatientID='""')
        assert is_found({"00100020": element("LO")}, self.EMPTY, PatientID='""')
        assert not is_found({"00100020": element("LO", "1")}, self.EMPTY, PatientID='""')
        assert is_found({}, self.EMPTY, RequestAttributesSequence='""')

    def test_only_where_it_is_asked_for(self) -> None:
        assert is_found({"00100020": element("LO", '""')}, PatientID='""')
        assert not is_found({}, PatientID='""')


class TestLists:
    def test_uids_with_commas_backslashes_or_repeated(self) -> None:  # C.2.2.2.2
        dataset = {"0020000D": element("UI", "1.2.3")}
        for text in ("1.2.3,1.2.4", "1.2.4\\1.2.3"):
            assert is_found(dataset, StudyInstanceUID=text)
        keys = parse_keys([(("0020000D",), "1.2.4"), (("0020000D",), "1.2.3")]).keys
        assert all(matches(dataset, key) for key in keys)
        assert not is_found(dataset, StudyInstanceUID="1.2.4,1.2.5")

    def test_others_where_it_is_asked_for(self) -> None:  # C.2.2.2.8
        dataset = {"00100020": element("LO", "B"), "00080061": element("CS", "CT", "SR")}
        assert is_found(dataset, Options(is_multiple_matched=True), PatientID="A\\B*")
        assert is_found(dataset, ModalitiesInStudy="MR,CT")
        with pytest.raises(KeyRefused):
            is_found(dataset, PatientID="A\\B")

    def test_no_attribute_twice(self) -> None:
        with pytest.raises(KeyRefused):
            parse_keys([(("00100020",), "1"), (("00100020",), "2")])


class TestNames:
    def test_keywords_and_tags(self) -> None:
        assert attribute_path("PatientName") == attribute_path("00100010") == ("00100010",)
        assert attribute_path("0040a730.0040A168") == ("0040A730", "0040A168")

    @pytest.mark.parametrize(
        "text", ["", "Patient Name", "patientname", "0010001", "00020010", "FFFEE000", "ü"]
    )
    def test_others_are_refused(self, text: str) -> None:
        with pytest.raises(KeyRefused):
            attribute_path(text)


class TestTexts:
    def test_numbers(self) -> None:
        assert [number_text(text) for text in ("1", "01", "1.0", "+1", "1e0")] == ["1"] * 5
        assert [number_text(text) for text in ("-0", "0.0", "00")] == ["0"] * 3
        assert [number_text(text) for text in ("-1.50", "0.5", "-.5")] == ["-1.5", "0.5", "-0.5"]
        assert [number_text(text) for text in ("x", "1e999999", "NaN")] == ["x", "1e999999", "NaN"]

    def test_times_and_moments(self) -> None:
        assert time_text("10") == "100000.000000"
        assert time_text("101530.12", "235959.999999") == "101530.129999"
        assert time_text("1x") == "1x"
        assert moment_text("2020") == "20200101000000.000000"
        assert moment_text("20200101003000+0100") == "20191231233000.000000"
