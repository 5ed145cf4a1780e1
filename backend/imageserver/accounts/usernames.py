"""User names: which are allowed, and when two are the same.

The rule: white space around the name does not count, nor does case, nor the way a letter is encoded. What is stored
and compared is therefore NFKC(casefold(NFKC(name without surrounding white space))). A new name has 1 to 64
characters after that: letters, marks, digits and ``. _ - @ + '``.
"""

import unicodedata

from imageserver.errors import InvalidParameter

LONGEST = 64
PUNCTUATION = frozenset("._-@+'")


def normalise_username(text: str) -> str:
    """Bring a name into the form that is stored and compared; any text is accepted."""
    folded = unicodedata.normalize("NFKC", text.strip()).casefold()
    return unicodedata.normalize("NFKC", folded).strip()


def is_allowed(name: str) -> bool:
    """Tell whether a normalised name follows the rule."""
    return 1 <= len(name) <= LONGEST and all(
        character in PUNCTUATION or unicodedata.category(character)[0] in "LMN" for character in name
    )


def check_username(text: str) -> str:
    """Normalise a name for a new account.

    Raises
    ------
    InvalidParameter
        If the name breaks the rule.
    """
    name = normalise_username(text)
    if not is_allowed(name):
        raise InvalidParameter(
            f"A user name has 1 to {LONGEST} characters: letters, digits and . _ - @ + ' without spaces."
        )
    return name
