"""Hashing of passwords."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imageserver.accounts import passwords
from imageserver.accounts.passwords import HashPolicy, PasswordHasher, prepare_password
from imageserver.errors import Busy, InvalidParameter
from tests.conftest import CHEAPEST_HASH

CHEAP = PasswordHasher(CHEAPEST_HASH)
PHC = re.compile(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=15, max_size=250)


class TestPolicy:
    def test_real_hashes_cost_what_owasp_asks_for(self) -> None:
        # OWASP Password Storage Cheat Sheet, Argon2id: m=47104 (46 MiB), t=1, p=1 or an equal trade-off.
        hasher = PasswordHasher()
        hashed = hasher.hash("a horse that is correct")
        match = PHC.fullmatch(hashed)
        assert match is not None
        assert [int(match[index]) for index in (1, 2, 3)] == [47104, 1, 1]
        assert hasher.verify("a horse that is correct", hashed)
        assert not hasher.verify("a horse that is corrects", hashed)
        assert not hasher.needs_update(hashed)

    def test_equal_passwords_have_different_salts(self) -> None:
        assert CHEAP.hash("a horse that is correct") != CHEAP.hash("a horse that is correct")

    def test_a_hash_of_another_cost_needs_an_update(self) -> None:
        other = PasswordHasher(HashPolicy(memory_kib=16, time_cost=2))
        assert other.needs_update(CHEAP.hash("x"))
        assert other.verify("x", CHEAP.hash("x"))


class TestVerify:
    @settings(max_examples=300, deadline=None)
    @given(TEXT)
    def test_the_same_password_is_right(self, text: str) -> None:
        prepared = prepare_password(text)
        assert CHEAP.verify(prepared, CHEAP.hash(prepared))

    @settings(max_examples=300, deadline=None)
    @given(st.binary(min_size=15, max_size=1024), st.data())
    def test_every_changed_byte_is_seen(self, data: bytes, draw: st.DataObject) -> None:
        text = "".join(chr(32 + byte % 95) for byte in data)  # ASCII, which NFKC leaves alone
        index = draw.draw(st.integers(0, len(text) - 1))
        changed = text[:index] + ("z" if text[index] != "z" else "w") + text[index + 1 :]
        assert not CHEAP.verify(prepare_password(changed), CHEAP.hash(prepare_password(text)))

    @pytest.mark.parametrize("position", [71, 72, 73, 255, 256, 1023])
    def test_nothing_is_cut_off(self, position: int) -> None:
        text = "a" * 1024
        hashed = CHEAP.hash(prepare_password(text))
        assert not CHEAP.verify(prepare_password(text[:position] + "b" + text[position + 1 :]), hashed)
        assert not CHEAP.verify(prepare_password(text[:position]), hashed)

    def test_nul_does_not_end_it(self) -> None:
        assert not CHEAP.verify("a horse\0one", CHEAP.hash("a horse\0two"))

    def test_without_a_stored_hash_the_answer_is_no_after_the_same_work(self) -> None:
        hasher = PasswordHasher(HashPolicy(memory_kib=32 * 1024, time_cost=2))
        stored = hasher.hash("x")
        times = []
        for hashed in (stored, None) * 5:
            started = time.thread_time()
            assert not hasher.verify("y", hashed)
            times.append(time.thread_time() - started)
        real, dummy = sorted(times[::2])[2], sorted(times[1::2])[2]
        assert dummy > real / 2


class TestPrepare:
    def test_two_encodings_of_one_text_are_one_password(self) -> None:
        # NFKC (NIST SP 800-63B-4, 3.1.1.2): e + combining acute is é, the ligature is two letters
        assert prepare_password("cafe\u0301 o\ufb03ce") == prepare_password("caf\u00e9 office")

    def test_spaces_and_case_count(self) -> None:
        assert len({prepare_password(text) for text in (" a b", "a b", "A b", "a  b")}) == 4

    @pytest.mark.parametrize("text", ["a" * 1024, "ä" * 512, "🩻" * 256])
    def test_1024_bytes_are_accepted(self, text: str) -> None:
        assert prepare_password(text) == text

    @pytest.mark.parametrize("text", ["a" * 1025, "ä" * 513, "🩻" * 256 + "a"])
    def test_more_are_refused(self, text: str) -> None:
        with pytest.raises(InvalidParameter, match="1024 bytes"):
            prepare_password(text)

    def test_what_grows_beyond_the_limit_is_refused(self) -> None:
        # U+FDFA is one character of 3 bytes, and 18 characters after NFKC.
        with pytest.raises(InvalidParameter, match="1024 bytes"):
            prepare_password("\ufdfa" * 341)

    def test_a_lone_surrogate_is_refused(self) -> None:
        with pytest.raises(InvalidParameter, match="Unicode"):
            prepare_password("a horse that is \ud800 correct")


class TestSlots:
    def test_no_more_at_once_than_there_are(self) -> None:
        hasher = PasswordHasher(CHEAPEST_HASH, slots=2)
        now, most, lock = 0, 0, threading.Lock()

        def work(_: int) -> None:
            nonlocal now, most
            with hasher.slot():
                with lock:
                    now += 1
                    most = max(most, now)
                time.sleep(0.01)
                with lock:
                    now -= 1

        with ThreadPoolExecutor(10) as pool:
            list(pool.map(work, range(30)))
        assert most == 2

    def test_who_waits_too_long_is_told_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(passwords, "WAIT_SECONDS", 0.05)
        hasher = PasswordHasher(CHEAPEST_HASH, slots=1)
        with hasher.slot(), ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(hasher.slot().__enter__)
            with pytest.raises(Busy):
                waiting.result(timeout=60)
        with hasher.slot():
            pass

    def test_a_long_queue_is_refused_at_once(self) -> None:
        hasher = PasswordHasher(CHEAPEST_HASH, slots=1)
        refused = []

        def wait() -> None:
            try:
                with hasher.slot():
                    pass
            except Busy:
                refused.append(1)

        with hasher.slot():
            threads = [threading.Thread(target=wait) for _ in range(20)]
            for thread in threads:
                thread.start()
            deadline = time.monotonic() + 60
            while len(refused) < 20 - passwords.WAITING_PER_SLOT and time.monotonic() < deadline:
                time.sleep(0.01)
        for thread in threads:
            thread.join()
        assert len(refused) == 20 - passwords.WAITING_PER_SLOT
