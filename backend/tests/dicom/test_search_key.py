"""Names are those of PS3.5 annexes H to M and common ones; what is folded follows Unicode (UAX #15)."""

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from imageserver.dicom.search_key import (
    MAX_QUERY_WORDS,
    MAX_WORD_LENGTH,
    MAX_WORDS,
    query_words,
    search_words,
)

# Any text, and text that is dense in what is folded: all planes are too thin to meet the interesting letters.
SCRIPTS = "aZß'’^= .-0\u0301\u0345ǿİıΣςΆйЁאשׁأبّ٣कि์กำぁがガﾞｶ゛ー々山葛\U000e0100홍\u1112\u1161ﬃ①Ⅷﷺ"
texts = st.text(max_size=40) | st.text(alphabet=SCRIPTS, max_size=40)


def finds(query: str, value: str) -> bool:
    """Whether a value is found, as the prefix search of the index does it."""
    words = search_words(value)
    return all(any(word.startswith(asked) for word in words) for asked in query_words(query))


class TestSearchWords:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("Doe^Jane", ["doe", "jane"]),
            ("Adams^John Robert Quincy^^Rev.^B.A.", ["adams", "john", "robert", "quincy", "rev", "b", "a"]),
            ("Doe^Doe", ["doe"]),
            ("TEST-01/a_b", ["test", "01", "a", "b"]),
            ("O'Brien", ["obrien", "brien"]),
            ("O’Brien", ["obrien", "brien"]),
            ("Buc^Jérôme", ["buc", "jerome"]),
            ("Äneas^Rüdiger", ["aneas", "rudiger"]),
            ("Groß Ærø Łódź Đặng İnan Işık Þór", ["gross", "aero", "lodz", "dang", "inan", "isik", "thor"]),
            ("Διονυσίος", ["διονυσιοσ"]),
            ("Люкceмбypг Ёлкин", ["люкceмбypг", "елкин"]),
            ("قبّاني^أحمد", ["قباني", "احمد"]),
            ("שָׁרוֹן^דְּבוֹרָה", ["שרון", "דבורה"]),
            ("हिन्दी", ["हिन्दी"]),
            ("山田^太郎", ["山田", "田", "太郎", "郎"]),
            ("ﾔﾏﾀﾞ", ["やまだ", "まだ", "だ"]),
            ("ヤマダ", ["やまだ", "まだ", "だ"]),
            ("か゛", ["が"]),
            ("홍길동", ["홍길동", "길동", "동"]),
            ("CT胸部2", ["ct", "胸部", "部", "2"]),
            ("ＡＢＣ１２３", ["abc123"]),
            ("٣٤", ["34"]),
            ("葛\U000e0100城", ["葛城", "城"]),
            ("", []),
            ("^^^^==", []),
        ],
    )
    def test_words(self, text: str, words: list[str]) -> None:
        assert search_words(text) == words

    def test_a_proper_name_is_never_cut(self) -> None:
        groups = ["a " * 32, "山" * 20 + "田^" * 22, "".join(map(chr, range(0x3042, 0x3082)))]
        name = "=".join(group[:64] for group in groups)
        assert len(search_words(name)) < MAX_WORDS
        assert finds(chr(0x3081), name)

    def test_endless_text_gives_few_short_words(self) -> None:
        words = search_words("x" * 10**6 + "".join(map(chr, range(0x4E00, 0x9FFF))))
        assert len(words) <= MAX_WORDS
        assert max(map(len, words)) <= MAX_WORD_LENGTH


class TestFinding:
    @pytest.mark.parametrize(
        ("query", "value"),
        [
            ("jerome", "Buc^Jérôme"), ("JÉR buc", "Buc^Jérôme"), ("obrien", "O'Brien"), ("brien", "O'Brien"),
            ("o'brien", "OBRIEN"), ("o’brien", "O'Brien"), ("太郎", "山田太郎"), ("田太", "山田太郎"),
            ("郎", "山田^太郎"), ("たろう", "ﾔﾏﾀﾞ^ﾀﾛｳ"), ("タロウ", "やまだ^たろう"), ("길동", "홍길동"),
            ("strasse", "Straße"), ("lukas l", "Łukasz^Lech"), ("ابي", "أبي"), ("0123", "PAT-01234"),
            ("CT胸", "CT胸部"), ("ไทย", "คนไทย"),
        ],
    )  # fmt: skip
    def test_finds(self, query: str, value: str) -> None:
        assert finds(query, value)

    @pytest.mark.parametrize(
        ("query", "value"),
        [("ane", "Doe^Jane"), ("か", "がく"), ("山田", "田山"), ("कि", "का"), ("john", "Doe^Jane")],
    )
    def test_does_not_find(self, query: str, value: str) -> None:
        assert not finds(query, value)

    @given(texts)
    def test_a_value_is_found_by_itself_and_by_the_start_of_each_of_its_words(self, value: str) -> None:
        words = search_words(value)
        assert finds(value, value)
        for word in words:
            assert all(finds(word[:length], value) for length in range(1, len(word) + 1))

    @given(texts, st.sampled_from(["NFC", "NFD"]))
    def test_the_form_of_normalisation_does_not_matter(self, value: str, form: str) -> None:
        assert search_words(unicodedata.normalize(form, value)) == search_words(value)

    @given(texts)
    def test_case_does_not_matter(self, value: str) -> None:
        assume("\u0345" not in unicodedata.normalize("NFD", value))  # the one mark that has a capital letter
        assert search_words(value.casefold()) == search_words(value)

    @given(st.lists(texts, max_size=4))
    def test_separators_only_separate(self, parts: list[str]) -> None:
        apart = dict.fromkeys(word for part in parts for word in search_words(part))
        assert search_words("^".join(parts)) == list(apart)[:MAX_WORDS]


class TestWords:
    @given(texts)
    def test_a_word_stays_as_it_is(self, text: str) -> None:
        for word in search_words(text):
            assert query_words(word)[:1] == [word]

    @given(texts)
    def test_no_character_means_anything_to_a_search(self, text: str) -> None:
        for word in (*search_words(text), *query_words(text)):
            assert 0 < len(word) <= MAX_WORD_LENGTH
            assert all(unicodedata.category(char)[0] in "LMN" for char in word)

    @given(st.text(max_size=3000))
    def test_queries_are_bounded(self, text: str) -> None:
        assert len(query_words(text)) <= MAX_QUERY_WORDS
