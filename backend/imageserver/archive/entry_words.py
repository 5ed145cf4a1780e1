"""The words by which the entries of a list are found, and how many entries have a word that begins so.

The same for every list: `EntryList` names the three tables. Everything here runs inside a transaction of the caller.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, text
from sqlalchemy.orm import Session

from imageserver.archive.models import (
    StudyEntry,
    StudyPrefix,
    StudyWord,
    VolumeEntry,
    VolumePrefix,
    VolumeWord,
)
from imageserver.database import Base
from imageserver.dicom.search_key import query_words, search_words

# PostgreSQL's index entries end at 2,704 bytes; no value of a conformant file is longer than this.
LONGEST_KEY = 128
MAX_WORDS = 1000  # a series whose files give hundreds of names is found by the first of them
LONGEST_PREFIX = 3  # longer ones are counted fast enough
CHUNK = 500  # values in one IN (…)
_MARK = "="  # no word of a text has this character


@dataclass(frozen=True)
class EntryList:
    """The tables of a list: its entries, their words, and the counts of short beginnings of words.

    Attributes
    ----------
    entry, word, prefix : type of Base
    key : str
        The column that names an entry, in the first two tables.
    uid : str
        The column of entries by which equal ones are sorted.
    counted : str
        The column of counts.
    """

    entry: type[Base]
    word: type[Base]
    prefix: type[Base]
    key: str
    uid: str
    counted: str

    def column(self, name: str) -> Any:
        """Return a column of the entries."""
        return getattr(self.entry, name)

    @property
    def entry_key(self) -> Any:
        """The column of entries that names one."""
        return getattr(self.entry, self.key)

    @property
    def word_key(self) -> Any:
        """The column of words that names the entry."""
        return getattr(self.word, self.key)

    @property
    def word_text(self) -> Any:
        """The column of the words themselves."""
        return self.word.__table__.c.word

    @property
    def prefix_text(self) -> Any:
        """The column of the beginnings."""
        return self.prefix.__table__.c.prefix

    @property
    def prefix_count(self) -> Any:
        """The column of their counts."""
        return self.prefix.__table__.c[self.counted]


VOLUMES = EntryList(VolumeEntry, VolumeWord, VolumePrefix, "series_id", "series_instance_uid", "volumes")
STUDIES = EntryList(StudyEntry, StudyWord, StudyPrefix, "study_id", "study_instance_uid", "studies")


def write_entries(session: Session, of: EntryList, wanted: Mapping[int, dict[str, Any]]) -> None:
    """Write the values of entries, by key, whether they are there already or not."""
    table = Base.metadata.tables[of.entry.__tablename__]
    present = set(session.scalars(select(of.entry_key).where(of.entry_key.in_(wanted))))
    connection = session.connection()
    if new := [{of.key: key, **values} for key, values in wanted.items() if key not in present]:
        connection.execute(insert(table), new)
    if known := [{"at": key, **values} for key, values in wanted.items() if key in present]:
        connection.execute(table.update().where(table.c[of.key] == bindparam("at")), known)


def remove_entries(session: Session, of: EntryList, keys: Iterable[int]) -> None:
    """Take entries off a list, with their words."""
    wanted = sorted(keys)
    for start in range(0, len(wanted), CHUNK):
        these = wanted[start : start + CHUNK]
        write_words(session, of, dict.fromkeys(these, frozenset()))
        session.execute(delete(of.entry).where(of.entry_key.in_(these)))


def write_words(session: Session, of: EntryList, wanted: Mapping[int, Set[str]]) -> None:
    """Let entries have these words and no others, and count on."""
    present: dict[int, set[str]] = {key: set() for key in wanted}
    for key, word in session.execute(select(of.word_key, of.word_text).where(of.word_key.in_(wanted))):
        present[key].add(word)
    gone, new, counts = [], [], Counter[str]()
    for key, words in wanted.items():
        before = present[key]
        if words != before:
            gone += [{"of": key, "at": word} for word in before - words]
            new += [{of.key: key, "word": word} for word in sorted(words - before)]
            counts.update(prefixes(words))
            counts.subtract(prefixes(before))
    connection = session.connection()
    if gone:
        row = (of.word_text == bindparam("at")) & (of.word_key == bindparam("of"))
        connection.execute(delete(of.word).where(row), gone)
    if new:
        connection.execute(insert(of.word), new)
    _count(session, of, counts)


def _count(session: Session, of: EntryList, counts: Mapping[str, int]) -> None:
    changed = [{"prefix": prefix, "count": count} for prefix, count in sorted(counts.items()) if count]
    if not changed:
        return
    table, column = of.prefix.__tablename__, of.counted
    add = text(
        f"INSERT INTO {table} (prefix, {column}) VALUES (:prefix, :count) "  # noqa: S608 - names of ours
        f"ON CONFLICT (prefix) DO UPDATE SET {column} = {table}.{column} + excluded.{column}"
    )
    session.connection().execute(add, changed)


def find_words(patient: dict[str, Any], texts: Iterable[str | None]) -> set[str]:
    """Return the words by which something is found: all groups of all names, Patient ID, and the given texts."""
    names = [patient.get("raw"), patient.get("patient_id")]
    others = [other["name"] for other in patient.get("other_names", ())]
    return words_of((*names, *texts, *others))


def words_of(texts: Iterable[str | None]) -> set[str]:
    """Return the words of texts; where there are too many, those of the first texts."""
    unique = dict.fromkeys(text for text in texts if text)
    found = dict.fromkeys(word for text in unique for word in search_words(text))
    return set(list(found)[:MAX_WORDS])


def exactly(value: str) -> str:
    """Return the word of a value that is only asked for as a whole, and never by typing."""
    return _MARK + exact_key(value)


def exact_key(value: str | None) -> str:
    """Return a value as it is compared for equality."""
    return (value or "")[:LONGEST_KEY]


def moment_key(date: str | None, time: str | None) -> str:
    """Return date and time of a study as they are compared; a time alone is none."""
    return exact_key(date + (time or "")) if date else ""


def sort_key(value: str | None) -> str:
    """Return a text as it is sorted: without regard to case, accents and width."""
    return " ".join(query_words(value or ""))[:LONGEST_KEY]


def prefixes(words: Iterable[str]) -> set[str]:
    """Return what is counted of words: their short beginnings, and what is only asked for as a whole."""
    lengths = range(1, LONGEST_PREFIX + 1)
    found = set()
    for word in words:
        if word.startswith(_MARK):
            found.add(word)
        else:
            found.update(word[:length] for length in lengths if len(word) >= length)
    return found
