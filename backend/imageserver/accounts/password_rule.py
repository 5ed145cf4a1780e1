"""Which passwords may be chosen: NIST SP 800-63B-4, section 3.1.1.2.

Long enough, and not one that others try first: no rule about kinds of characters, no expiry, pasting welcome.
Refused are the common passwords of the bundled list, words about this very account, and what is made of these alone.
"""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from imageserver.errors import WeakPassword

PRODUCT_WORDS = ("imageserver", "medicalimageserver", "medical image server", "dicom", "pacs")
SHORTEST_CONTEXT_WORD = 4


def check_new_password(password: str, *, shortest: int, context_words: Iterable[str] = ()) -> None:
    """Accept a password for an account, or say why not.

    Parameters
    ----------
    password : str
        As ``prepare_password`` returned it; each Unicode code point counts as one character.
    shortest : int
        The least number of characters.
    context_words : iterable of str
        What an attacker knows about the account: user name, host name.

    Raises
    ------
    WeakPassword
        If it is too short, common, or made of words known from the context.
    """
    if len(password) < shortest:
        raise WeakPassword(f"The password has {len(password)} characters; at least {shortest} are needed.")
    folded = password.casefold()
    if folded in common_passwords() or _repeats(folded):
        raise WeakPassword("The password is one of those that are tried first. A sentence makes a good one.")
    words = {word.casefold() for word in (*PRODUCT_WORDS, *context_words)}
    if _is_made_of(folded, words):
        raise WeakPassword("The password is made of the product's, the server's or the user's name.")


@cache
def common_passwords() -> frozenset[str]:
    """Return the bundled list, in lower case."""
    text = files("imageserver.accounts").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def _repeats(text: str) -> bool:
    # "aaaaaaaaaaaaaaa", "abcabcabcabcabc", "passwordpassword": a short or common part, repeated
    return any(
        text[size:] == text[:-size] and (size <= 4 or text[:size] in common_passwords())
        for size in range(1, len(text) // 2 + 1)
    )


def _is_made_of(text: str, words: Iterable[str]) -> bool:
    rest = text
    for word in sorted(words, key=len, reverse=True):
        if len(word) >= SHORTEST_CONTEXT_WORD:
            rest = rest.replace(word, "")
    letters = [character for character in rest if character.isalpha()]
    return rest != text and len(letters) < SHORTEST_CONTEXT_WORD
