"""User names: which are allowed, and when two are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageserver.accounts.usernames import check_username, normalise_username
from imageserver.errors import InvalidParameter


class TestSame:
    @pytest.mark.parametrize(
        "text", ["ada", "ADA", " Ada ", "\tada\n", "\u00a0ada\u3000", "ａｄａ", "\u2003ADA"]
    )
    def test_space_around_case_and_width_do_not_count(self, text: str) -> None:
        assert check_username(text) == "ada"

    def test_encodings_of_one_letter_are_one(self) -> None:
        assert check_username("jose\u0301") == check_username("JOS\u00c9")

    def test_full_case_folding(self) -> None:
        assert check_username("STRASSE") == check_username("straße")

    @given(st.text())
    def test_what_is_normalised_stays_so(self, text: str) -> None:
        once = normalise_username(text)
        assert normalise_username(once) == once


class TestAllowed:
    @pytest.mark.parametrize(
        "name", ["a", "x" * 64, "o'brien", "ada.lovelace+test@example.org", "李雷", "7", "अनु"]
    )
    def test_letters_marks_digits_and_some_signs(self, name: str) -> None:
        assert check_username(name) == name

    @pytest.mark.parametrize(
        "name",
        ["", "   ", "x" * 65, "two words", "a\0b", "a\nb", "a\x1b[31m", "a<b", 'a"b', "a;b", "a/b", "a\\b", "a%b",
         "a\u202eb", "a\u200bb", "\ud800", "a=b", "(unknown)", "ﷺ" * 10],
    )  # fmt: skip
    def test_others_are_refused(self, name: str) -> None:
        with pytest.raises(InvalidParameter, match="1 to 64"):
            check_username(name)
