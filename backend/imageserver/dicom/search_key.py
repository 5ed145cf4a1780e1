"""Words by which a name or a description is found, in any script.

What is stored is `search_words` of a value, what is asked for is `query_words` of the text that a person typed. A value
is found when each word of the query is the start of one of its words: a prefix search, which any index can do. Words
hold only letters, digits and marks, so none of them means anything to SQL LIKE.

Folded together, because people type them alike: upper and lower case; letters with and without the marks of Latin,
Greek, Cyrillic, Hebrew and Arabic, and letters like ø that Unicode does not take apart; full and half width; katakana
and hiragana; digits of all scripts; spellings of one letter in Arabic. Kept, because they tell letters apart: the marks
of Indic scripts and of kana (か is not が). Not folded, because it needs a dictionary: ü and ue, simplified and
traditional characters.
"""

import re
import unicodedata
from collections.abc import Iterator

# Three groups of 64 characters (PS3.5 6.2, PN) cannot hold more words than this, so no proper name is cut.
MAX_WORDS = 192
MAX_WORD_LENGTH = 32
MAX_QUERY_WORDS = 16
_MAX_TEXT_LENGTH = 1024

_APOSTROPHE = "'"
# Signs that stand for an apostrophe, and those that normalisation would take apart at a blank.
_BEFORE = str.maketrans(
    {**dict.fromkeys("`´‘’‛′ʹʻʼʽʾʿˈ׳״＇", _APOSTROPHE), "\u309b": "\u3099", "\u309c": "\u309a"}
)
# Letters that NFKD does not take apart (PS3.5 knows them from ISO 8859), and letters of Arabic with two spellings.
_LETTERS = str.maketrans(
    {
        "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ŋ": "n", "ŧ": "t", "æ": "ae", "œ": "oe",
        "þ": "th", "ĸ": "k", "ə": "e", "ɵ": "o", "ƶ": "z", "ǝ": "e",
        "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ہ": "ه", "ھ": "ه", "ـ": None,
        # Katakana lie 0x60 above hiragana; ヽ and ヾ repeat a syllable.
        **{chr(code): chr(code - 0x60) for code in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)},
    }
)  # fmt: skip
# Marks that are left out: accents (Latin, Greek, Cyrillic), points and vowels of Hebrew, Arabic and Syriac, and the
# selectors of glyph variants. Marks of other scripts are vowels, tones and voicing.
_DROPPED_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0711"
    "\u0730-\u074a\u08ca-\u08ff\u180b-\u180d\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f"
    "\U000e0100-\U000e01ef]"
)
# Scripts that put no blanks between the words of a name: Thai, Lao, Myanmar, Hangul, Khmer, kana, bopomofo, Han.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3041-\u312f"
    "\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001b000-\U0001b16f"
    "\U00020000-\U0003ffff"
)
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_RUN = re.compile(f"[{_UNSPACED}]+|[^ {_UNSPACED}]+")
_ASCII_SEPARATORS = re.compile("[^0-9a-z']+")


def search_words(text: str) -> list[str]:
    """Return the words by which a value is found.

    Parameters
    ----------
    text : str
        Decoded value; of a person name with its delimiters.

    Returns
    -------
    list of str
        Folded, in the order of the text, without repetitions; at most `MAX_WORDS`, each of 1 to `MAX_WORD_LENGTH`
        characters. A run of a script without blanks gives the word from each of its characters on, so that 太郎 finds
        山田太郎; what follows an apostrophe is a word too, so that both Obrien and Brien find O'Brien.
    """
    starts = (run[start:].replace(_APOSTROPHE, "") for run in _runs(text) for start in _starts(run))
    words = dict.fromkeys(word[:MAX_WORD_LENGTH] for word in starts if word)
    return list(words)[:MAX_WORDS]


def query_words(text: str) -> list[str]:
    """Return what is asked for by a text that a person typed: each word is to be the start of a search word.

    Returns
    -------
    list of str
        Folded as `search_words` does, in order; at most `MAX_QUERY_WORDS`. Empty where the text holds no word, which
        asks for nothing.
    """
    runs = (run.replace(_APOSTROPHE, "") for run in _runs(text))
    words = dict.fromkeys(run[:MAX_WORD_LENGTH] for run in runs if run)
    return list(words)[:MAX_QUERY_WORDS]


def _runs(text: str) -> list[str]:
    """Split a text into folded runs of one kind of script; apostrophes are still in them."""
    text = text[:_MAX_TEXT_LENGTH]
    if text.isascii():
        return _ASCII_SEPARATORS.sub(" ", text.lower().replace("`", _APOSTROPHE)).split()
    return _RUN.findall(_fold(text))


def _starts(run: str) -> Iterator[int]:
    """Tell where words begin in a run."""
    yield 0
    if _IS_UNSPACED.match(run):
        yield from (at for at in range(1, len(run)) if not unicodedata.category(run[at]).startswith("M"))
    else:
        yield from (match.end() for match in re.finditer(_APOSTROPHE, run))


def _fold(text: str) -> str:
    """Fold until nothing changes, since one step can make work for another; two rounds are enough for all but a few."""
    for _ in range(4):
        folded = _fold_once(text)
        if folded == text:
            break
        text = folded
    return text


def _fold_once(text: str) -> str:
    replaced = unicodedata.normalize("NFC", text).translate(_BEFORE)  # NFC knows some of these by other codes
    taken_apart = unicodedata.normalize("NFKD", replaced).casefold()
    bare = _DROPPED_MARKS.sub("", unicodedata.normalize("NFKD", taken_apart)).translate(_LETTERS)
    return unicodedata.normalize("NFC", "".join(map(_part, bare)))


def _part(char: str) -> str:
    """Return what a character is to a word: itself, its digit, nothing, or a blank that ends the word."""
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.digit(char))
    if category[0] in "LMN" or char == _APOSTROPHE:
        return char
    return "" if category == "Cf" else " "
