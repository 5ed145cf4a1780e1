"""How a token for a program looks: ``mis_``, 43 characters of 256 random bits, and six of their checksum.

Prefix and checksum are for those who look for leaked secrets: a scanner finds one in source code or a log by
``mis_[0-9A-Za-z]{49}``, and can tell it from chance. The checksum is no protection: the random bits are.
"""

import hashlib
import secrets
import string
import zlib

PREFIX = "mis_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_BITS = 256
RANDOM_CHARACTERS = 43  # 62 ** 43 > 2 ** 256
CHECKSUM_CHARACTERS = 6  # 62 ** 6 > 2 ** 32
LENGTH = len(PREFIX) + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS
START_LENGTH = len(PREFIX) + 4  # what is kept in the clear, for a person to tell tokens apart


def make_secret() -> str:
    """Make a token that nobody has."""
    body = _encode(secrets.randbits(RANDOM_BITS), RANDOM_CHARACTERS)
    return PREFIX + body + _checksum(body)


def looks_like_program_token(text: str) -> bool:
    """Tell whether a text means to be a token for a program, right or wrong."""
    return text.startswith(PREFIX)


def is_well_formed(text: str) -> bool:
    """Tell whether a text has the form and the checksum of a token."""
    if len(text) != LENGTH or not text.startswith(PREFIX) or not text.isascii() or not text[4:].isalnum():
        return False
    body = text[len(PREFIX) : -CHECKSUM_CHARACTERS]
    return text[-CHECKSUM_CHARACTERS:] == _checksum(body)


def hash_secret(secret: str) -> str:
    """Return what is stored of a token; 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _checksum(body: str) -> str:
    return _encode(zlib.crc32(body.encode()), CHECKSUM_CHARACTERS)


def _encode(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
