"""Byte sequences and texts are those of PS3.5 annexes H, I, J and K, and of pydicom's character set files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageserver.dicom.character_sets import (
    PERSON_NAME_DELIMITERS,
    UNDECLARED,
    UNDECODABLE,
    UNKNOWN,
    WRONG,
    decode_text,
)

H_3_1 = (
    "59 61 6d 61 64 61 5e 54 61 72 6f 75 3d 1b 24 42 3b 33 45 44 1b 28 42 5e 1b 24 42 42 40 4f 3a 1b 28 42 3d"
    "1b 24 42 24 64 24 5e 24 40 1b 28 42 5e 1b 24 42 24 3f 24 6d 24 26 1b 28 42"
)
H_3_2 = (
    "d4 cf c0 de 5e c0 db b3 3d 1b 24 42 3b 33 45 44 1b 28 4a 5e 1b 24 42 42 40 4f 3a 1b 28 4a 3d"
    "1b 24 42 24 64 24 5e 24 40 1b 28 4a 5e 1b 24 42 24 3f 24 6d 24 26 1b 28 4a"
)
I_2 = (
    "48 6f 6e 67 5e 47 69 6c 64 6f 6e 67 3d 1b 24 29 43 fb f3 5e 1b 24 29 43 d1 ce d4 d7 3d"
    "1b 24 29 43 c8 ab 5e 1b 24 29 43 b1 e6 b5 bf"
)
J_1 = "57 61 6e 67 5e 58 69 61 6f 44 6f 6e 67 3d e7 8e 8b 5e e5 b0 8f e6 9d b1 3d"
J_3 = "57 61 6e 67 5e 58 69 61 6f 44 6f 6e 67 3d cd f5 5e d0 a1 b6 ab 3d"
K_2 = "5a 68 61 6e 67 5e 58 69 61 6f 44 6f 6e 67 3d 1b 24 29 41 d5 c5 5e 1b 24 29 41 d0 a1 b6 ab 3d"


def decode(hexadecimal: str, *terms: str) -> tuple[str, tuple[str, ...]]:
    return decode_text(bytes.fromhex(hexadecimal), terms, PERSON_NAME_DELIMITERS)


class TestExamplesOfTheStandard:
    @pytest.mark.parametrize(
        ("terms", "value", "expected"),
        [
            (["", "ISO 2022 IR 87"], H_3_1, "Yamada^Tarou=山田^太郎=やまだ^たろう"),
            (["ISO 2022 IR 13", "ISO 2022 IR 87"], H_3_2, "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"),
            (["", "ISO 2022 IR 149"], I_2, "Hong^Gildong=洪^吉洞=홍^길동"),
            (["ISO_IR 192"], J_1, "Wang^XiaoDong=王^小東="),
            (["GB18030"], J_3, "Wang^XiaoDong=王^小东="),
            (["", "ISO 2022 IR 58"], K_2, "Zhang^XiaoDong=张^小东="),
        ],
        ids=["H.3.1", "H.3.2", "I.2", "J.1", "J.3", "K.2"],
    )
    def test_person_names(self, terms: list[str], value: str, expected: str) -> None:
        assert decode(value, *terms) == (expected, ())

    @pytest.mark.parametrize(
        ("term", "value", "expected"),
        [
            ("ISO_IR 100", "42 75 63 5e 4a e9 72 f4 6d 65", "Buc^Jérôme"),
            ("ISO_IR 101", "a3 f3 64 bc", "Łódź"),
            ("ISO_IR 109", "a6", "Ĥ"),
            ("ISO_IR 110", "be", "ž"),
            ("ISO_IR 126", "c4 e9 ef ed f5 f3 e9 ef f2", "Διονυσιος"),
            ("ISO_IR 127", "e2 c8 c7 e6 ea 5e e4 e6 d2 c7 d1", "قباني^لنزار"),
            ("ISO_IR 138", "f9 f8 e5 ef 5e e3 e1 e5 f8 e4", "שרון^דבורה"),
            ("ISO_IR 144", "bb ee da 63 65 dc d1 79 70 d3", "Люкceмбypг"),
            ("ISO_IR 148", "dd fe", "İş"),
            ("ISO_IR 166", "a1 d2", "กา"),
            ("ISO_IR 13", "d4 cf c0 de 5e c0 db b3", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
            ("GBK", "cd f5", "王"),
        ],
    )
    def test_single_character_sets(self, term: str, value: str, expected: str) -> None:
        assert decode(value, term) == (expected, ())

    def test_jis_x_0212(self) -> None:
        # 丂 is row 16, cell 1 of JIS X 0212-1990.
        assert decode("1b 24 28 44 30 21 1b 28 42", "", "ISO 2022 IR 159") == ("丂", ())

    def test_single_byte_code_extensions_return_to_the_first_set_at_a_delimiter(self) -> None:
        # PS3.5 6.1.2.5.3: ESC - F switches to Greek; after ^ the first set (Latin 1) holds again.
        value = "1b 2d 46 c4 5e e9"
        assert decode(value, "ISO 2022 IR 100", "ISO 2022 IR 126") == ("Δ^é", ())

    def test_kanji_whose_bytes_look_like_delimiters_stay_whole(self) -> None:
        # 0x3D5E is one kanji; neither byte is a delimiter while JIS X 0208 is in G0.
        assert decode("1b 24 42 3d 5e 1b 28 42", "", "ISO 2022 IR 87") == ("殉", ())  # by glibc iconv


class TestWrongDeclarations:
    @pytest.mark.parametrize(
        "spelling", ["ISO IR 100", "iso_ir_100", "ISO-IR 100", "ISO_IR100", " ISO_IR 100 "]
    )
    def test_misspelt_terms_are_understood(self, spelling: str) -> None:
        assert decode("e9", spelling) == ("é", ())

    def test_undeclared_utf_8_is_recognised_and_said(self) -> None:
        assert decode("c3 a9") == ("é", (UNDECLARED,))

    def test_undeclared_bytes_that_are_not_utf_8_are_read_as_latin_1(self) -> None:
        assert decode("e9") == ("é", (UNDECLARED,))

    def test_unknown_term(self) -> None:
        text, warnings = decode("4a e9", "KLINGON")
        assert text == "Jé"
        assert UNKNOWN in warnings

    @pytest.mark.parametrize(
        "term", ["ISO_IR X", "ISO_IR ", "ISO_IR 1\x00", "ISO_IR \u00b2", "ISO_IR " + "1" * 5000]
    )
    def test_a_term_without_a_number(self, term: str) -> None:
        text, warnings = decode("4a e9", term, "ISO 2022 IR 87")
        assert text == "Jé"
        assert UNKNOWN in warnings

    def test_korean_without_its_escape_sequence(self) -> None:
        assert decode("b1 e8", "", "ISO 2022 IR 149") == ("김", (UNDECLARED,))

    def test_escape_sequence_that_does_not_exist(self) -> None:
        text, warnings = decode("41 1b 7a 42", "", "ISO 2022 IR 87")
        assert (text, warnings) == ("Az" + "B", (UNDECODABLE,))

    def test_cut_utf_8_keeps_what_is_readable(self) -> None:
        assert decode("41 e7 8e", "ISO_IR 192") == ("A\ufffd", (UNDECODABLE,))

    @given(
        st.binary(max_size=80),
        st.lists(
            st.sampled_from(["", "ISO_IR 100", "ISO 2022 IR 87", "ISO 2022 IR 149", "GB18030", "nonsense"])
        ),
    )
    def test_never_raises(self, value: bytes, terms: list[str]) -> None:
        text, _ = decode_text(value, terms, PERSON_NAME_DELIMITERS)
        text.encode("utf-8")


class TestOtherBytesThanDeclared:
    """What bytes mean is told by Python's codecs, independent of the declaration."""

    @pytest.mark.parametrize(
        ("term", "name"),
        [
            *[(term, name) for term in ("ISO_IR 100", "ISO 2022 IR 100", "ISO_IR 101", "ISO_IR 148")
              for name in ("Müller^Jürgen", "Łódź", "山田^太郎")],
            ("ISO_IR 144", "Иван"), ("ISO_IR 13", "山田^太郎"),
        ],
    )  # fmt: skip
    def test_utf_8_under_a_single_byte_declaration(self, term: str, name: str) -> None:
        assert decode(name.encode().hex(), term) == (name, (WRONG,))

    @pytest.mark.parametrize("name", ["Müller^Jürgen", "Ren\u00e9", "M\u00fcller\u2019s"])
    def test_latin_1_under_utf_8(self, name: str) -> None:
        assert decode(name.encode("cp1252").hex(), "ISO_IR 192") == (name, (WRONG,))

    def test_damaged_utf_8_is_not_taken_for_latin_1(self) -> None:
        assert decode("e5b1b1 e7 41", "ISO_IR 192") == ("山\ufffdA", (UNDECODABLE,))

    @pytest.mark.parametrize("name", ["山田^太郎", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", "鈴木"])
    @pytest.mark.parametrize(("terms", "code"), [(["ISO_IR 13"], WRONG), ([], UNDECLARED)])
    def test_shift_jis(self, name: str, terms: list[str], code: str) -> None:
        assert decode(name.encode("cp932").hex(), *terms) == (name, (code,))

    @pytest.mark.parametrize("term", ["SJIS", "Shift_JIS", "MS_Kanji"])
    def test_names_of_shift_jis_that_dicom_does_not_have(self, term: str) -> None:
        assert decode("山田".encode("cp932").hex(), term) == ("山田", (UNKNOWN,))

    @pytest.mark.parametrize(
        ("term", "codec", "name"),
        [
            ("GB2312", "gb2312", "张^小东"),
            ("EUC-KR", "euc_kr", "김^희중"),
            ("ISO-8859-1", "latin-1", "Müller"),
        ],
    )
    def test_names_of_other_standards(self, term: str, codec: str, name: str) -> None:
        assert decode(name.encode(codec).hex(), term) == (name, (UNKNOWN,))

    @pytest.mark.parametrize(
        ("term", "codec", "name"), [("ISO_IR 13", "shift_jis", "ﾅｶ^ﾐｵ"), ("ISO_IR 144", "iso8859_5", "ТА^ХО")]
    )
    def test_letters_as_declared_that_look_like_utf_8_stay(self, term: str, codec: str, name: str) -> None:
        value = name.encode(codec)
        value.decode("utf-8")
        assert decode(value.hex(), term) == (name, ())

    @pytest.mark.parametrize("name", ["Müller^Jürgen", "Ångström", "Nuñez", "Jérôme"])
    def test_latin_1_as_declared_stays(self, name: str) -> None:
        assert decode(name.encode("latin-1").hex(), "ISO_IR 100") == (name, ())

    def test_undeclared_latin_1_is_not_taken_for_japanese(self) -> None:
        assert decode("Müller^Grün".encode("latin-1").hex()) == ("Müller^Grün", (UNDECLARED,))
