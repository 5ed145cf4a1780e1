"""Which passwords may be chosen (NIST SP 800-63B-4, section 3.1.1.2)."""

import random

import pytest

from imageserver.accounts.password_rule import check_new_password, common_passwords
from imageserver.errors import WeakPassword


def is_refused(password: str, shortest: int = 8, *context: str) -> bool:
    try:
        check_new_password(password, shortest=shortest, context_words=context)
    except WeakPassword:
        return True
    return False


class TestLength:
    @pytest.mark.parametrize("shortest", [8, 15, 64])
    def test_counts_characters_not_bytes(self, shortest: int) -> None:
        text = "ж1б2г3д4л5п6ф7ц8ч9шщъыьэюя" * 4
        assert not is_refused(text[:shortest], shortest)
        assert is_refused(text[: shortest - 1], shortest)

    def test_1024_characters_are_fine(self) -> None:
        numbers = random.Random(1)
        assert not is_refused("".join(numbers.choice("abcdefghij klm") for _ in range(1024)), 15)


class TestCommon:
    def test_the_list_holds_at_least_3000(self) -> None:
        assert len(common_passwords()) >= 3000
        assert {"123456", "password", "qwerty123", "iloveyou", "1qaz2wsx"} <= common_passwords()

    def test_all_of_it_is_refused_however_short_the_rule(self) -> None:
        accepted = [word for word in common_passwords() if not is_refused(word, 8)]
        assert accepted == []

    def test_case_does_not_help(self) -> None:
        assert all(is_refused(word, 8) for word in ("PASSWORD1", "Qwerty123", "PassWord", "ILoveYou"))

    @pytest.mark.parametrize("word", ["passwordpassword", "qwertyqwertyqwerty", "dragondragondragondragon"])
    def test_repeated(self, word: str) -> None:
        assert is_refused(word, 15)

    @pytest.mark.parametrize(
        "word", ["aaaaaaaaaaaaaaaa", "abababababababab", "abcabcabcabcabcabc", "1111111111111111"]
    )
    def test_a_few_characters_over_and_over(self, word: str) -> None:
        assert is_refused(word, 15)


class TestContext:
    @pytest.mark.parametrize(
        "word",
        [
            "imageserver2026",
            "Medical Image Server",
            "MedicalImageServer!",
            "dicomdicomdicom",
            "pacs-pacs-pacs-1",
        ],
    )
    def test_the_products_names(self, word: str) -> None:
        assert is_refused(word, 8)

    @pytest.mark.parametrize("word", ["ada.lovelace1815", "Ada.Lovelace!!!!", "ada.lovelace@ada.lovelace"])
    def test_the_users_name(self, word: str) -> None:
        assert is_refused(word, 15, "ada.lovelace")
        assert not is_refused(word, 15, "charles.babbage")

    def test_the_hosts_name(self) -> None:
        assert is_refused("radiology-west-01", 15, "radiology-west")

    def test_a_sentence_with_such_a_word_is_fine(self) -> None:
        assert not is_refused("ada.lovelace wrote the first program", 15, "ada.lovelace")
        assert not is_refused("our pacs is slow on mondays", 15)

    def test_a_very_short_user_name_forbids_nothing(self) -> None:
        assert not is_refused("banana boat at sea", 15, "a")


class TestFreedom:
    @pytest.mark.parametrize(
        "password",
        [
            "correct horse battery staple",
            "onlylowercaseletterswithoutanything",
            "8241 5930 7716 2205 3391",
            "                 x                ",
            "пароль из нескольких слов",
            "五十音図は日本語の仮名文字を並べた",
            "🩻🦴🫀🫁🧠👁👂👃🦷👅💪🦵🦶🖐🧬",
            "'; DROP TABLE users; --",
            "<script>alert(1)</script>",
        ],
    )
    def test_there_is_no_rule_about_kinds_of_characters(self, password: str) -> None:
        assert not is_refused(password, 15)

    def test_500_random_passphrases_are_accepted(self) -> None:
        numbers = random.Random(20261122)
        words = [
            "stone",
            "river",
            "lamp",
            "cloud",
            "paper",
            "green",
            "window",
            "seven",
            "orbit",
            "maple",
            "salt",
            "cedar",
        ]
        phrases = {" ".join(numbers.choice(words) for _ in range(6)) for _ in range(500)}
        assert len(phrases) > 450
        assert [phrase for phrase in phrases if is_refused(phrase, 15)] == []
