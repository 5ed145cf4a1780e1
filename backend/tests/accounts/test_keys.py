"""The signing keys: made safely, and refused when weak."""

import json
import os
import stat
from base64 import b64encode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imageserver.accounts.keys import KeysRefused, load_signing_keys

GOOD = [urlsafe_b64encode(os.urandom(32)).decode().rstrip("=") for _ in range(3)]


def given(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "given.json"
    path.write_text(text)
    path.chmod(mode)
    return path


class TestOwnFile:
    def test_is_made_once_with_256_bits_for_the_owner_alone(self, tmp_path: Path) -> None:
        first = load_signing_keys(tmp_path / "state", None)
        path = tmp_path / "state" / "keys.json"
        assert len(first.signing.secret) == 32
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert load_signing_keys(tmp_path / "state", None) == first
        assert [entry.name for entry in path.parent.iterdir()] == ["keys.json"]

    def test_of_many_processes_at_once_all_get_the_same(self, tmp_path: Path) -> None:
        with ThreadPoolExecutor(16) as pool:
            loaded = list(pool.map(lambda _: load_signing_keys(tmp_path, None), range(32)))
        assert len({keys.signing.secret for keys in loaded}) == 1

    def test_two_servers_differ(self, tmp_path: Path) -> None:
        assert load_signing_keys(tmp_path / "a", None) != load_signing_keys(tmp_path / "b", None)

    def test_a_state_directory_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "state").write_text("a file where a folder should be")
        with pytest.raises(KeysRefused, match=r"IMAGESERVER_STATE_DIR: cannot .*keys"):
            load_signing_keys(tmp_path / "state", None)

    def test_a_full_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(KeysRefused, match="No space left on device"):
            load_signing_keys(tmp_path, None)
        assert list(tmp_path.iterdir()) == []

    def test_opened_to_others_later(self, tmp_path: Path) -> None:
        load_signing_keys(tmp_path, None)
        (tmp_path / "keys.json").chmod(0o644)
        with pytest.raises(KeysRefused, match="other users"):
            load_signing_keys(tmp_path, None)


class TestGivenFile:
    @pytest.mark.parametrize(
        "text",
        [
            json.dumps({"keys": GOOD[:1]}),
            json.dumps({"keys": GOOD}),
            GOOD[0],
            "\n".join(GOOD) + "\n",
            b64encode(os.urandom(32)).decode() + "\n",  # openssl rand -base64 32
            os.urandom(32).hex() + "\n",  # openssl rand -hex 32
            b64encode(os.urandom(64)).decode(),
        ],
        ids=["our form", "our form, two", "bare", "lines", "base64", "hex", "64 bytes"],
    )
    def test_good_keys(self, tmp_path: Path, text: str) -> None:
        keys = load_signing_keys(tmp_path / "state", given(tmp_path, text))
        assert all(len(key.secret) >= 32 for key in keys.keys)
        assert not (tmp_path / "state").exists()

    def test_the_first_signs(self, tmp_path: Path) -> None:
        keys = load_signing_keys(tmp_path, given(tmp_path, json.dumps({"keys": GOOD})))
        assert urlsafe_b64encode(keys.signing.secret).decode().rstrip("=") == GOOD[0]
        assert len({key.id for key in keys.keys}) == 3

    @pytest.mark.parametrize("mode", [0o604, 0o644, 0o606, 0o602, 0o620, 0o666, 0o777])
    def test_open_to_others(self, tmp_path: Path, mode: int) -> None:
        with pytest.raises(KeysRefused, match="IMAGESERVER_SIGNING_KEYS_FILE: other users"):
            load_signing_keys(tmp_path, given(tmp_path, GOOD[0], mode))

    @pytest.mark.parametrize("mode", [0o400, 0o600, 0o440, 0o640])
    def test_for_owner_and_group(self, tmp_path: Path, mode: int) -> None:
        assert load_signing_keys(tmp_path, given(tmp_path, GOOD[0], mode))

    @pytest.mark.parametrize("length", [0, 1, 8, 16, 31])
    def test_short_keys(self, tmp_path: Path, length: int) -> None:
        with pytest.raises(KeysRefused, match=r"at least 32|no key"):
            load_signing_keys(tmp_path, given(tmp_path, b64encode(os.urandom(length)).decode()))

    @pytest.mark.parametrize(
        "entry",
        [
            "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",  # FastAPI's tutorial
            "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",  # RFC 7515
            "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",  # RFC 7520
            "changeme" * 8,
            "changethischangethischangethischangethischangethis",
            "secretsecretsecretsecretsecretsecretsecretsecret",
            "your-256-bit-secret-your-256-bit-secret-your-256-bit-secret",  # jwt.io
            "a-string-secret-at-least-256-bits-long",  # jwt.io
            b64encode(b"your-256-bit-secret, padded to 32 bytes").decode(),
            b64encode(b"this is an example of a key of 32 bytes").decode(),
            b64encode(bytes(32)).decode(),
            b64encode(b"\xff" * 64).decode(),
            b64encode(bytes(range(32))).decode(),
            b64encode(bytes(range(64, 0, -1))).decode(),
            b64encode(b"0123456789abcdef" * 4).decode(),
            b64encode(b"abcdefgh" * 8).decode(),
            "A" * 43,
            "0" * 64,
            "deadbeef" * 8,
        ],
    )  # fmt: skip
    def test_sample_keys(self, tmp_path: Path, entry: str) -> None:
        with pytest.raises(KeysRefused, match=r"IMAGESERVER_SIGNING_KEYS_FILE: .*sample") as raised:
            load_signing_keys(tmp_path, given(tmp_path, entry))
        assert entry not in str(raised.value)

    def test_one_weak_key_among_good_ones(self, tmp_path: Path) -> None:
        with pytest.raises(KeysRefused, match="sample"):
            load_signing_keys(tmp_path, given(tmp_path, json.dumps({"keys": [*GOOD, "A" * 43]})))

    @pytest.mark.parametrize(
        "text",
        ["", "\n\n", "{", "{}", '{"keys": []}', '{"keys": "abc"}', '{"keys": [1]}', '{"keys": null}', "{" * 5000,
         "not base64 at all, but long enough to be a key", "ключ" * 20],
    )  # fmt: skip
    def test_other_content(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(KeysRefused, match="IMAGESERVER_SIGNING_KEYS_FILE"):
            load_signing_keys(tmp_path, given(tmp_path, text))

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(KeysRefused, match="IMAGESERVER_SIGNING_KEYS_FILE: cannot be read"):
            load_signing_keys(tmp_path, tmp_path / "nowhere")

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(KeysRefused, match="IMAGESERVER_SIGNING_KEYS_FILE: cannot be read"):
            load_signing_keys(tmp_path, tmp_path)
