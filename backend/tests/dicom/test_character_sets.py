"""Byte sequences and texts are those of PS3.5 annexes H, I, J and K, and of pydicom's character set files."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.charset import convert_encodings
from pydicom.valuerep import PersonName

from imageserver.dicom.character_sets import PERSON_NAME_DELIMITERS, decode_text
from imageserver.dicom.decoded_text import UNDECLARED, UNDECODABLE, UNKNOWN, WRONG

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
# I.3, J.2, J.4 and K.3 are long texts (LT).
I_3 = (
    "1b 24 29 43 54 68 65 20 31 73 74 20 6c 69 6e 65 20 69 6e 63 6c 75 64 65 73 20 b1 e6 b5 bf 2e 0d 0a"
    "1b 24 29 43 54 68 65 20 32 6e 64 20 6c 69 6e 65 20 69 6e 63 6c 75 64 65 73 20 b1 e6 b5 bf 2c 20 74 6f 6f 2e 0d 0a"
    "54 68 65 20 33 72 64 20 6c 69 6e 65 2e"
)
J_2 = (
    "54 68 65 20 66 69 72 73 74 20 6c 69 6e 65 20 69 6e 63 6c 75 64 65 73 e4 b8 ad e6 96 87 2e 0d 0a"
    "54 68 65 20 73 65 63 6f 6e 64 20 6c 69 6e 65 20 69 6e 63 6c 75 64 65 73 e4 b8 ad e6 96 87 2c 20 74 6f 6f 2e 0d 0a"
    "54 68 65 20 74 68 69 72 64 20 6c 69 6e 65 2e 0d 0a"
)
J_4 = J_2.replace("e4 b8 ad e6 96 87", "d6 d0 ce c4")
K_3 = (
    "31 2e 1b 24 29 41 b5 da d2 bb d0 d0 ce c4 d7 d6 a1 a3 0d 0a"
    "32 2e 1b 24 29 41 b5 da b6 fe d0 d0 ce c4 d7 d6 a1 a3 0d 0a"
    "33 2e 1b 24 29 41 b5 da c8 fd d0 d0 ce c4 d7 d6 a1 a3 0d 0a"
)
KOREAN = "The 1st line includes 길동.\r\nThe 2nd line includes 길동, too.\r\nThe 3rd line."
CHINESE = "The first line includes中文.\r\nThe second line includes中文, too.\r\nThe third line.\r\n"
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
            (["GBK"], J_3, "Wang^XiaoDong=王^小东="),
            (["", "ISO 2022 IR 58"], K_2, "Zhang^XiaoDong=张^小东="),
        ],
        ids=["H.3.1", "H.3.2", "I.2", "J.1", "J.3", "J.3 as GBK", "K.2"],
    )
    def test_person_names(self, terms: list[str], value: str, expected: str) -> None:
        assert decode(value, *terms) == (expected, ())

    @pytest.mark.parametrize(
        ("terms", "value", "expected"),
        [
            (["", "ISO 2022 IR 149"], I_3, KOREAN),
            (["ISO_IR 192"], J_2, CHINESE),
            (["GB18030"], J_4, CHINESE),
            (["GBK"], J_4, CHINESE),
            (["", "ISO 2022 IR 58"], K_3, "1.第一行文字。\r\n2.第二行文字。\r\n3.第三行文字。\r\n"),
        ],
        ids=["I.3", "J.2", "J.4", "J.4 as GBK", "K.3"],
    )
    def test_long_texts(self, terms: list[str], value: str, expected: str) -> None:
        assert decode_text(bytes.fromhex(value), terms) == (expected, ())

    @pytest.mark.parametrize("prefix", ["ISO_IR ", "ISO 2022 IR "])
    @pytest.mark.parametrize(
        ("number", "value", "expected"),
        [
            # One letter per set that other sets have elsewhere or not at all, by the code charts of ISO/IEC 8859,
            # JIS X 0201 and TIS 620-2533.
            (100, "de", "Þ"), (101, "a3", "Ł"), (109, "a1", "Ħ"), (110, "a2", "ĸ"), (144, "b6", "Ж"), (127, "d9", "ع"),
            (126, "d8", "Ψ"), (138, "f9", "ש"), (148, "fd", "ı"), (203, "a4", "€"), (13, "d4", "ﾔ"), (166, "a1", "ก"),
        ],
    )  # fmt: skip
    def test_each_set_of_single_bytes_with_and_without_code_extensions(
        self, prefix: str, number: int, value: str, expected: str
    ) -> None:
        assert decode(value, f"{prefix}{number}") == (expected, ())
        assert decode(f"41 5e {value} 5e 42", f"{prefix}{number}") == (f"A^{expected}^B", ())

    @pytest.mark.parametrize(
        ("number", "escape", "value", "expected"),
        [
            # Escape sequences of PS3.3 table C.12-3 (G1) and C.12-4.
            (100, "2d 41", "de", "Þ"), (101, "2d 42", "a3", "Ł"), (109, "2d 43", "a1", "Ħ"), (110, "2d 44", "a2", "ĸ"),
            (144, "2d 4c", "b6", "Ж"), (127, "2d 47", "d9", "ع"), (126, "2d 46", "d8", "Ψ"), (138, "2d 48", "f9", "ש"),
            (148, "2d 4d", "fd", "ı"), (203, "2d 62", "a4", "€"), (13, "29 49", "d4", "ﾔ"), (166, "2d 54", "a1", "ก"),
            (58, "24 29 41", "d5 c5", "张"), (149, "24 29 43", "c8 ab", "홍"),
            (87, "24 42", "3b 33", "山"), (87, "24 40", "3b 33", "山"), (159, "24 28 44", "30 21", "丂"),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("delimiter", ["5e", "3d", "5c", "0d", "0a", "0c", "09"])
    def test_each_escape_sequence_holds_up_to_a_delimiter(
        self, number: int, escape: str, value: str, expected: str, delimiter: str
    ) -> None:
        end = "" if escape[:2] != "24" or escape[3:5] == "29" else "1b 28 42"
        encoded = f"1b {escape} {value} {end} {delimiter} e9"
        text, warnings = decode(encoded, "ISO 2022 IR 100", f"ISO 2022 IR {number}")
        assert (text, warnings) == (f"{expected}{chr(int(delimiter, 16))}é", ())

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
        "spelling",
        [
            "ISO IR 100", "iso_ir_100", "ISO-IR 100", "ISO-IR-100", "ISO_IR100", " ISO_IR 100 ", "ISO_IR  100",
            "IR 100", "ISO 100", "ISO 2022 IR 100", "ISO2022IR100", "ISO_2022_IR_100", "ISO_IR 100\0",
        ],
    )  # fmt: skip
    def test_misspelt_terms_are_understood(self, spelling: str) -> None:
        assert decode("e9", spelling) == ("é", ())

    @pytest.mark.parametrize("spelling", ["iso_ir 192", "ISO 2022 IR 192", "UTF-8", "utf8", "ISO-IR-192"])
    def test_misspelt_terms_of_utf_8(self, spelling: str) -> None:
        assert decode("c3a9", spelling) == ("é", ())

    @pytest.mark.parametrize("first", [(), ("",), ("ISO 2022 IR 6",)])
    def test_nothing_but_ascii_in_front_of_a_set_that_stands_alone(self, first: tuple[str, ...]) -> None:
        assert decode("c3a9", *first, "ISO_IR 192") == ("é", ())
        assert decode("cd f5", *first, "GB18030") == ("王", ())

    def test_escape_sequences_that_are_not_declared(self) -> None:
        assert decode("1b 24 42 3b 33 1b 28 42", "ISO_IR 100") == ("山", (UNDECLARED,))
        assert decode("1b 24 42 3b 33 1b 28 42") == ("山", (UNDECLARED,))

    @pytest.mark.parametrize("term", ["ISO_IR 192", "GB18030"])
    def test_escape_sequences_where_they_are_not_allowed(self, term: str) -> None:
        assert decode("1b 24 42 3b 33 1b 28 42 5e 41", term) == ("山^A", (WRONG,))

    @pytest.mark.parametrize("behind", ["20", "0d0a 41", "5e 1b 24 42 42 40 4f 3a 1b 28 42"])
    def test_kanji_without_the_return_to_ascii(self, behind: str) -> None:
        text, _ = decode(f"1b 24 42 3b 33 45 44 {behind}", "", "ISO 2022 IR 87")
        assert text.startswith("山田")
        assert text[2:] in (" ", "\r\nA", "^太郎")

    def test_characters_that_windows_adds_to_jis_x_0208(self) -> None:
        # ① (row 13) and 髙 (row 92 as NEC selected it) by Microsoft's code page 932.
        assert decode("1b 24 42 2d 21 7c 62 1b 28 42", "", "ISO 2022 IR 87") == ("①髙", ())
        assert b"\x87\x40\xee\xe0".decode("cp932") == "①髙"

    def test_many_terms_and_many_switches_take_no_time(self) -> None:
        terms = ["ISO 2022 IR 87"] * 8000
        value = b"\x1b$B\x1b(B" * 3000
        begin = time.process_time()
        assert decode_text(value, terms).text == ""
        assert time.process_time() - begin < 2

    def test_half_a_character(self) -> None:
        text, warnings = decode("1b 24 42 3b 33 45 1b 28 42", "", "ISO 2022 IR 87")
        assert (text, warnings) == ("山\ufffd", (UNDECODABLE,))

    @given(st.binary(max_size=12), st.sampled_from(["ISO_IR 6", "", "ISO 2022 IR 87", "GB18030"]))
    def test_ascii_is_ascii_in_every_set(self, value: bytes, term: str) -> None:
        plain = bytes(byte & 0x7F for byte in value).replace(b"\x1b", b"")
        assert decode_text(plain, [term]) == (plain.decode("ascii"), ())

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
        st.binary(max_size=80)
        | st.lists(
            st.sampled_from([b"\x1b$B", b"\x1b$(D", b"\x1b)I", b"\x1b(B", b"^", b"=", b"!", b"\xe4"])
        ).map(b"".join),
        st.lists(
            st.sampled_from(
                [
                    "",
                    "ISO_IR 100",
                    "ISO_IR 13",
                    "ISO_IR 144",
                    "ISO_IR 166",
                    "ISO 2022 IR 87",
                    "ISO 2022 IR 149",
                    "ISO 2022 IR 159",
                    "ISO_IR 192",
                    "GB18030",
                    "BIG5",
                    "CP1252",
                    "nonsense",
                ]
            )
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

    @pytest.mark.parametrize(
        ("term", "codec", "name"),
        [
            ("ISO_IR 100", "cp1252", "Müller’s – “Šimon”"), ("ISO_IR 101", "cp1250", "Šťastný „Žák“"),
            ("ISO_IR 144", "cp1251", "Ђорђе “Иван”"), ("ISO_IR 126", "cp1253", "Άννα’ς"),
            ("ISO_IR 148", "cp1254", "İnan’ın"), ("ISO_IR 138", "cp1255", "שרון–דבורה"), ("ISO_IR 166", "cp874", "กา…"),
            (None, "cp1252", "Müller’s"),
        ],
    )  # fmt: skip
    def test_code_pages_of_windows_where_their_own_characters_show_them(
        self, term: str | None, codec: str, name: str
    ) -> None:
        terms = [term] if term else []
        assert decode(name.encode(codec).hex(), *terms) == (name, (WRONG if term else UNDECLARED,))

    @pytest.mark.parametrize("term", ["GB18030", "GBK", "ISO_IR 58", "ISO_IR 149", "ISO_IR 166"])
    @pytest.mark.parametrize("name", ["王^小东", "홍^길동", "สมชาย"])
    def test_utf_8_under_sets_of_asia(self, term: str, name: str) -> None:
        assert decode(name.encode().hex(), term)[0] == name
        assert WRONG in decode(name.encode().hex(), term)[1]

    @pytest.mark.parametrize(
        ("term", "codec", "name"),
        [("GB18030", "gb18030", "王^小东"), ("GBK", "gbk", "張^小東"), ("ISO_IR 149", "euc_kr", "홍^길동"),
         ("ISO_IR 166", "tis_620", "เธอ"), ("ISO_IR 58", "gb2312", "联通")],
    )  # fmt: skip
    def test_sets_of_asia_as_declared_stay(self, term: str, codec: str, name: str) -> None:
        assert decode(name.encode(codec).hex(), term) == (name, ())

    def test_groups_that_are_written_differently(self) -> None:
        # Latin 1 in the alphabetic group as declared, UTF-8 in the ideographic one.
        value = "Müller".encode("latin-1") + b"=" + "山田".encode()
        assert decode(value.hex(), "ISO_IR 100") == ("Müller=山田", (WRONG,))
        assert decode(value.hex()) == ("Müller=山田", (UNDECLARED,))

    @pytest.mark.parametrize(
        ("term", "codec"), [("Windows-1251", "cp1251"), ("CP1251", "cp1251"), ("KOI8-R", "koi8_r")]
    )
    def test_sets_that_dicom_does_not_have(self, term: str, codec: str) -> None:
        assert decode("Иван".encode(codec).hex(), term) == ("Иван", (UNKNOWN,))

    def test_second_bytes_that_look_like_a_backslash(self) -> None:
        # 表 is 0x955C in Shift-JIS, 乗 is 0x815C in GBK: the values are one each.
        assert decode("表^太郎".encode("cp932").hex(), "ISO_IR 13") == ("表^太郎", (WRONG,))
        assert decode("81 5c 5e cd f5", "GBK") == ("乗^王", ())

    def test_damaged_utf_8_is_not_taken_for_latin_1(self) -> None:
        assert decode("e5b1b1 e7 41", "ISO_IR 192") == ("山\ufffdA", (UNDECODABLE,))

    @pytest.mark.parametrize("name", ["山田^太郎", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", "鈴木"])
    @pytest.mark.parametrize(
        ("terms", "code"), [(["ISO_IR 13"], WRONG), ([], UNDECLARED), (["ISO_IR 6"], UNDECLARED)]
    )
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


SINGLE = {
    "ISO_IR 100": "iso8859_1", "ISO_IR 101": "iso8859_2", "ISO_IR 109": "iso8859_3", "ISO_IR 110": "iso8859_4",
    "ISO_IR 126": "iso8859_7", "ISO_IR 127": "iso8859_6", "ISO_IR 138": "iso8859_8", "ISO_IR 144": "iso8859_5",
    "ISO_IR 148": "iso8859_9", "ISO_IR 166": "tis_620", "ISO_IR 203": "iso8859_15",
}  # fmt: skip
# Letters that each set has, by the codec of Python; the encoder is pydicom's.
LETTERS = {
    "ISO 2022 IR 87": "山田太郎鈴木花子やまだたろうヤマダ",
    "ISO 2022 IR 149": "홍길동김희중洪吉洞",
    "ISO 2022 IR 58": "张小东王李文字",
}


class TestRoundTrips:
    @given(st.sampled_from(sorted(SINGLE)), st.binary(max_size=20))
    def test_single_bytes_are_what_the_codec_says_or_utf_8(self, term: str, value: bytes) -> None:
        value = bytes(byte for byte in value if byte >= 0xA0 or 0x20 <= byte < 0x7F)
        text, warnings = decode_text(value, [term])
        if WRONG in warnings:
            assert text == value.decode("utf-8")
        else:
            assert text == value.decode(SINGLE[term], "replace")

    @given(st.data(), st.sampled_from(sorted(LETTERS)))
    def test_names_with_code_extensions(self, data: st.DataObject, term: str) -> None:
        parts = st.text(alphabet=LETTERS[term] + "Abc", min_size=1, max_size=6)
        name = "=".join("^".join(data.draw(st.lists(parts, min_size=1, max_size=3))) for _ in range(3))
        encoded = PersonName(name, convert_encodings(["", term])).encode(convert_encodings(["", term]))
        text, warnings = decode_text(bytes(encoded), ["", term], PERSON_NAME_DELIMITERS)
        assert text == name
        assert set(warnings) <= {UNDECLARED}  # pydicom leaves the escape sequence of GB 2312 out
