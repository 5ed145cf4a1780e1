"""Rows of an index of any size, written straight into the tables, as if files had been read."""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text, update
from sqlalchemy.orm import Session

from imageserver.archive.entry_words import LONGEST_PREFIX, exact_key, find_words, sort_key
from imageserver.archive.lease import ensure_state_row
from imageserver.archive.models import IndexState, Series, Study, VolumeEntry, VolumeWord
from imageserver.archive.study_entries import write_study_entries
from imageserver.database import Database

SERIES_OF_STUDY = 5
BATCH = 500  # studies
# Syllables give as many names as a country has, in which the beginnings are as uneven as in life.
_SYLLABLES = ("ma", "mu", "schmi", "sa", "ka", "ro", "li", "tan", "der", "son", "ler", "na", "ri", "go")
_DESCRIPTIONS = ("T1 ax", "T2 cor", "CT thorax native", "CT abdomen venous", "Localizer", "DWI b1000")
_COUNT_PREFIXES = (
    "INSERT INTO volume_prefixes (prefix, volumes) SELECT substr(word, 1, :length), count(DISTINCT series_id) "
    "FROM volume_words WHERE length(word) >= :length GROUP BY 1"
)
_MODALITIES = ("CT", "CT", "CT", "MR", "MR", "US", "CR", "XA")


def fill(database: Database, data: Path, count: int, series_of_study: int = SERIES_OF_STUDY) -> None:
    """Write `count` series of made-up patients, the same ones each time, as if they lay in the folder `data`.

    The folder has to be empty: the server keeps the index of a folder that became empty, and answers from it.
    """
    source = random.Random(count)  # noqa: S311 - made-up names
    studies = count // series_of_study
    with database.writing() as session:
        if not database.is_sqlite:
            session.execute(text("SET LOCAL statement_timeout = 0"))
        ensure_state_row(session)
        for first in range(0, studies, BATCH):
            made = list(_studies(source, first, min(BATCH, studies - first)))
            _write(session, made, series_of_study)
            write_study_entries(session, [study["id"] for study in made])
        session.execute(update(IndexState).values(**_state(data, count)))
        for length in range(1, LONGEST_PREFIX + 1):
            session.execute(text(_COUNT_PREFIXES), {"length": length})
        session.execute(text("ANALYZE"))  # PostgreSQL would do it by itself, a minute later


def _state(data: Path, count: int) -> dict[str, Any]:
    return {"state": "ready", "seen": count, "indexed": count, "data_directory": os.fsencode(data).hex()}


def _studies(source: random.Random, first: int, count: int) -> Iterator[dict[str, Any]]:
    for number in range(first + 1, first + count + 1):
        family, given = (made_up_name(source) for _ in range(2))
        yield {
            "id": number,
            "study_instance_uid": f"2.25.{number}",
            "study_date": f"20{source.randint(10, 26)}{source.randint(1, 12):02}{source.randint(1, 28):02}",
            "study_time": f"{source.randint(0, 23):02}{source.randint(0, 59):02}00",
            "study_description": source.choice(("Thorax", "Abdomen", "Schädel", "Knie rechts")),
            "accession_number": f"A{number:08}",
            "patient": {
                "name": f"{family}, {given}",
                "raw": f"{family}^{given}",
                "patient_id": f"P{source.randrange(10**7):07}",
                "count": 100,
                "birth_date": None,
                "sex": None,
                "other_names": [],
                "warnings": [],
            },
        }


def made_up_name(source: random.Random) -> str:
    """Return a name of two to four syllables."""
    return "".join(source.choice(_SYLLABLES) for _ in range(source.randint(2, 4))).capitalize()


def _write(session: Session, studies: list[dict[str, Any]], series_of_study: int) -> None:
    session.connection().execute(
        insert(Study), [{k: v for k, v in study.items() if k != "patient"} for study in studies]
    )
    series = [
        _series(study, number, series_of_study) for study in studies for number in range(series_of_study)
    ]
    session.connection().execute(insert(Series), series)
    told = list(zip(series, (study for study in studies for _ in range(series_of_study)), strict=True))
    session.connection().execute(insert(VolumeEntry), [_entry(*pair) for pair in told])
    words = [
        {"series_id": one["id"], "word": word} for one, study in told for word in sorted(_words(one, study))
    ]
    session.connection().execute(insert(VolumeWord), words)


def _series(study: dict[str, Any], number: int, series_of_study: int) -> dict[str, Any]:
    identifier = (study["id"] - 1) * series_of_study + number + 1
    source = random.Random(identifier)  # noqa: S311
    return {
        "id": identifier,
        "study_id": study["id"],
        "series_instance_uid": f"2.25.{study['id']}.{number}",
        "modality": source.choice(_MODALITIES),
        "series_description": source.choice(_DESCRIPTIONS),
        "rank": source.choice((0, 0, 1)),
        "slice_count": source.randint(1, 600),
        "study_moment": study["study_date"] + study["study_time"],
        "verdict": "volume",
        "arrangement": {"slices": list(range(500))},  # about as long as a small one
        "patient": study["patient"],
        "warnings": [],
    }


def _entry(series: dict[str, Any], study: dict[str, Any]) -> dict[str, Any]:
    kept = ("study_id", "series_instance_uid", "rank", "slice_count", "study_moment", "modality", "verdict")
    return {
        **{name: series[name] for name in kept},
        "series_id": series["id"],
        "patient_name": sort_key(study["patient"]["name"]),
        "patient_id": exact_key(study["patient"]["patient_id"]),
        "accession_number": exact_key(study["accession_number"]),
        "description": sort_key(series["series_description"]),
    }


def _words(series: dict[str, Any], study: dict[str, Any]) -> set[str]:
    texts = [study["study_description"], study["accession_number"], series["series_description"]]
    return find_words(study["patient"], texts)
