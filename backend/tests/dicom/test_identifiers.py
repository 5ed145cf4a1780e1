import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageserver.dicom.identifiers import address_uid, derived_uid, is_valid_uid


class TestIsValidUid:
    @pytest.mark.parametrize("text", ["1", "0", "1.2.840.10008.1.2", "2.25.0", "1." + "2" * 62])
    def test_uids_of_the_standard(self, text: str) -> None:
        assert is_valid_uid(text)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            ".",
            "1.",
            ".1",
            "1..2",
            "1.02",
            "01.2",
            "1.2a",
            " 1.2",
            "1.2\n",
            "1.2\0",
            "1." + "2" * 63,
            "１.2",
            "../1",
        ],
    )
    def test_everything_else_is_refused(self, text: str) -> None:
        assert not is_valid_uid(text)


class TestDerivedUid:
    @given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
    def test_is_valid_and_differs_where_the_parts_differ(self, one: list[str], other: list[str]) -> None:
        assert is_valid_uid(derived_uid(*one))
        assert (derived_uid(*one) == derived_uid(*other)) == (one == other)


class TestAddressUid:
    def test_keeps_a_valid_uid_without_its_padding(self) -> None:
        assert address_uid("1.2.3\0") == "1.2.3"

    @pytest.mark.parametrize("text", ["1.2.840.0113.1", "1..2", "1.2.", "0" * 64])
    def test_keeps_digits_and_dots_as_they_stand_in_the_file(self, text: str) -> None:
        assert address_uid(text) == text

    @pytest.mark.parametrize("text", ["1.2a", "..", "1/2", "1" * 65, "１.2", "1.2\n"])
    def test_replaces_a_malformed_uid_by_one_of_the_2_25_kind(self, text: str) -> None:
        assert address_uid(text).startswith("2.25.")

    def test_tells_series_without_a_uid_apart(self) -> None:
        assert address_uid("", "series 1") != address_uid("", "series 2")
