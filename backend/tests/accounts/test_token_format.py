"""How tokens for programs look: found by scanners, checked before anything is looked up."""

import binascii
import hashlib
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageserver.accounts.token_format import (
    hash_secret,
    is_well_formed,
    looks_like_program_token,
    make_secret,
)

ZEROS = "mis_" + "0" * 43


class TestMakeSecret:
    def test_scanners_find_it(self) -> None:
        secrets = {make_secret() for _ in range(200)}
        assert len(secrets) == 200
        for secret in secrets:
            assert re.fullmatch(r"mis_[0-9A-Za-z]{49}", secret)
            assert is_well_formed(secret)
            assert looks_like_program_token(secret)

    def test_all_256_bits_are_used(self) -> None:
        # 62 ** 42 < 2 ** 251: the first character is not always the same one.
        assert len({make_secret()[4] for _ in range(200)}) > 10


class TestIsWellFormed:
    def test_the_checksum_is_crc_32_in_base_62(self) -> None:
        # Worked out apart: digits, capitals, small letters; most significant digit first.
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        number, text = binascii.crc32(b"0" * 43), ""
        while number:
            number, digit = divmod(number, 62)
            text = digits[digit] + text
        assert is_well_formed(ZEROS + text.rjust(6, "0"))

    def test_one_changed_character_is_noticed(self) -> None:
        secret = make_secret()
        for place in range(4, len(secret)):
            other = "a" if secret[place] != "a" else "b"
            assert not is_well_formed(secret[:place] + other + secret[place + 1 :])

    @pytest.mark.parametrize(
        "change",
        [
            lambda secret: secret[:-1],
            lambda secret: secret + "0",
            lambda secret: secret.upper(),
            lambda secret: secret.replace("_", "-"),
            lambda secret: " " + secret,
            lambda secret: secret + "\n",
            lambda secret: "ghp_" + secret[4:],
            lambda secret: secret[:10] + "é" + secret[11:],
            lambda secret: secret[:10] + "٣" + secret[11:],  # a digit to Python
            lambda secret: "",
        ],
    )
    def test_other_texts_are_not(self, change: Callable[[str], str]) -> None:
        assert not is_well_formed(change(make_secret()))

    @given(st.text(max_size=80))
    def test_no_text_breaks_it(self, text: str) -> None:
        assert not is_well_formed(text)
        assert not is_well_formed("mis_" + text)


def test_what_is_stored_is_the_sha_256() -> None:
    assert hash_secret(ZEROS) == hashlib.sha256(ZEROS.encode()).hexdigest()
    assert len(hash_secret("\udcff")) == 64  # what no header can carry
