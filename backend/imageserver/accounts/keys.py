"""The keys that sign access tokens: a file with a list; the first signs, all verify.

``keys.json`` in the state directory is made at first start. A given file (``SIGNING_KEYS_FILE``) may have the same
form, ``{"keys": ["<base64>", ...]}``, or one base64 key per line. It is only read, and refused when a key is weak.
"""

import binascii
import hashlib
import hmac
import json
import os
import secrets
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

KEY_BYTES = 32
FEWEST_DISTINCT_BYTES = 16
OTHERS_MAY = stat.S_IRWXO | stat.S_IWGRP
SAMPLE_WORDS = (
    "changeme",
    "changethis",
    "secret",
    "password",
    "example",
    "placeholder",
    "default",
    "insecure",
)
SAMPLE_KEYS = frozenset({
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",  # RFC 7515 A.1
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",  # FastAPI's tutorial
    "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",  # RFC 7520 3.5
})  # fmt: skip


class KeysRefused(RuntimeError):
    """The server must not start with these keys; the message names the setting, never a key."""


@dataclass(frozen=True)
class SigningKey:
    """One symmetric key and the name (``kid``) under which tokens refer to it."""

    id: str
    secret: bytes


@dataclass(frozen=True)
class SigningKeys:
    """All keys that are valid now."""

    keys: tuple[SigningKey, ...]

    @property
    def signing(self) -> SigningKey:
        """The key that signs new tokens."""
        return self.keys[0]

    def find(self, key_id: str) -> SigningKey | None:
        """Return the key of this name."""
        return next((key for key in self.keys if key.id == key_id), None)

    def seal(self, secret: str) -> str:
        """Bind the secret of a session cookie to the signing key: without that key the cookie is worth nothing."""
        return f"{secret}.{_tag(self.signing, secret)}"

    def unseal(self, sealed: str) -> str | None:
        """Return the secret of a cookie that one of the keys sealed."""
        secret, _, tag = sealed.rpartition(".")
        is_ours = any(
            hmac.compare_digest(_tag(key, secret).encode(), tag.encode(errors="replace")) for key in self.keys
        )
        return secret if is_ours else None

    def is_sealed_by_signing_key(self, sealed: str) -> bool:
        """Tell whether the cookie need not be sealed anew after a change of keys."""
        return SigningKeys(self.keys[:1]).unseal(sealed) is not None


def load_signing_keys(state_dir: Path, given_file: Path | None) -> SigningKeys:
    """Read the given file, or the own one, which is made when it is missing.

    Raises
    ------
    KeysRefused
        If a file cannot be read or written, is open to others, or holds a weak key.
    """
    if given_file is not None:
        return _read(given_file, "IMAGESERVER_SIGNING_KEYS_FILE")
    path = state_dir / "keys.json"
    if not path.exists():
        _create(path)
    return _read(path, "IMAGESERVER_STATE_DIR: keys.json")


def make_signing_keys(*secrets_: bytes) -> SigningKeys:
    """Name keys by their fingerprints."""
    return SigningKeys(tuple(SigningKey(hashlib.sha256(key).hexdigest()[:16], key) for key in secrets_))


def _tag(key: SigningKey, secret: str) -> str:
    # The prefix keeps it from ever being the signature of a token.
    return hmac.digest(key.secret, b"session cookie:" + secret.encode(errors="replace"), "sha256").hex()


def _create(path: Path) -> None:
    text = json.dumps({"keys": [urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode().rstrip("=")]})
    temporary = path.with_name(f".keys-{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            _write_durably(temporary, text + "\n")
            with suppress(FileExistsError):  # another process was first: its key counts
                os.link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync(path.parent)
    except OSError as error:
        raise KeysRefused(
            f"IMAGESERVER_STATE_DIR: cannot write the signing keys ({error.strerror})"
        ) from None


def _write_durably(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path, name: str) -> SigningKeys:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except OSError as error:
        raise KeysRefused(f"{name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise KeysRefused(f"{name}: holds something else than base64 keys") from None
    if mode & OTHERS_MAY:
        raise KeysRefused(f"{name}: other users may read or change the file; use mode 0600")
    entries = _entries(text, name)
    if not entries:
        raise KeysRefused(f"{name}: holds no key")
    return make_signing_keys(*(_checked(entry, name) for entry in entries))


def _entries(text: str, name: str) -> list[str]:
    if not text.lstrip().startswith("{"):
        return [line.strip() for line in text.splitlines() if line.strip()]
    try:
        entries = json.loads(text)["keys"]
    except (ValueError, KeyError, RecursionError):
        entries = None
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise KeysRefused(f'{name}: is not of the form {{"keys": ["<base64>", ...]}}')
    return entries


def _checked(entry: str, name: str) -> bytes:
    advice = "make one with `openssl rand -base64 32`"
    if entry.rstrip("=") in SAMPLE_KEYS or any(word in entry.lower() for word in SAMPLE_WORDS):
        raise KeysRefused(f"{name}: holds a sample key; {advice}")
    try:
        text = entry.rstrip("=").replace("+", "-").replace("/", "_")
        key = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raise KeysRefused(f"{name}: holds a key that is not base64; {advice}") from None
    if len(key) < KEY_BYTES:
        raise KeysRefused(
            f"{name}: holds a key of {len(key)} bytes; at least {KEY_BYTES} are needed; {advice}"
        )
    if any(word.encode() in key.lower() for word in SAMPLE_WORDS) or _is_patterned(key):
        raise KeysRefused(f"{name}: holds a sample key; {advice}")
    return key


def _is_patterned(key: bytes) -> bool:
    steps = {(b - a) % 256 for a, b in pairwise(key)}
    return len(set(key)) < FEWEST_DISTINCT_BYTES or len(steps) < FEWEST_DISTINCT_BYTES // 2
