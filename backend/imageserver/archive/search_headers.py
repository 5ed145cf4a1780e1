"""What searches of DICOMweb answer of studies and series, and the keys by which they are found.

The attributes of a series are those of its first instance, those of a study are of the series that stands for it in the
list of studies. What the index counts (PS3.4 C.3.4) is added. All of it follows from what is kept of the instances, and
is written in the transaction that arranges a series.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from imageserver.archive.chunks import chunks
from imageserver.archive.json_members import text_of
from imageserver.archive.models import (
    Instance,
    InstanceMetadata,
    Series,
    SeriesHeader,
    SeriesKey,
    Study,
    StudyHeader,
    StudyKey,
)
from imageserver.archive.reading_rules import metadata_stamp
from imageserver.archive.stored_metadata import read_metadata
from imageserver.database import Base
from imageserver.dicom.attribute_levels import tags_of_level
from imageserver.dicom.attributes import Level
from imageserver.dicom.dicom_json import json_text
from imageserver.dicom.matching_keys import vr_of_tag
from imageserver.dicom.matching_values import name_groups, texts_of, words_of

Json = dict[str, Any]

MOST_KEYS = 2000  # of items of sequences of one study or series, and of words of names
AT_ONCE = 50  # series whose headers are in memory at the same time
WORD = "w"  # in front of the tag of a person name: a word of it
GROUP = "#"  # behind the tag of a person name, and the number of the group from 0
CUT = "+"  # in place of a tag: not all keys of items are there


def write_headers(session: Session, series_ids: Collection[int], study_ids: Iterable[int]) -> None:
    """Write what is answered of series, and of their studies, and the keys of both."""
    wanted = sorted(series_ids)
    for start in range(0, len(wanted), AT_ONCE):
        _write_series(session, wanted[start : start + AT_ONCE])
    for ids in chunks(sorted(study_ids)):
        _write_studies(session, ids)


def keys_of(dataset: Json, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the tag and the comparable text of each value; inside of sequences the tags with dots between."""
    for tag, element in dataset.items():
        path, vr = prefix + tag, vr_of_tag(tag)
        if vr == "SQ":
            items = [item for item in element.get("Value") or () if isinstance(item, dict)]
            for item in items:
                yield from keys_of(item, path + ".")
            if items:
                yield path, "{}"
            continue
        for text in texts_of(element, vr):
            yield path, text
        if vr == "PN":
            yield from ((WORD + path, word) for word in sorted(words_of(element)))
            for groups in name_groups(element):
                yield from ((f"{path}{GROUP}{n}", group) for n, group in enumerate(groups) if group)


def kept_keys(dataset: Json) -> list[tuple[str, str]]:
    """Return the keys to be written, each once.

    Those of the data set itself are all kept: `matching_values` bounds the values of an attribute; only of words of
    names, of which no proper names have as many, `MOST_KEYS`. Of items there may be any number; where some are left
    out, `CUT` says so.
    """
    found = dict.fromkeys(keys_of(dataset))
    of_items = [key for key in found if "." in key[0]]
    own = [key for key in found if "." not in key[0]]
    words = [key for key in own if key[0].startswith(WORD)]
    values = [key for key in own if not key[0].startswith(WORD)]
    cut = [(CUT, "")] if len(of_items) > MOST_KEYS else []
    return [*values, *words[:MOST_KEYS], *of_items[:MOST_KEYS], *cut]


def _write_series(session: Session, series_ids: list[int]) -> None:
    rows = session.execute(
        select(Instance.series_id, func.min(Instance.id))
        .join(InstanceMetadata, InstanceMetadata.instance_id == Instance.id)
        .where(Instance.series_id.in_(series_ids), InstanceMetadata.made_by == metadata_stamp())
        .group_by(Instance.series_id)
    ).all()
    counted = select(Instance.series_id, func.count()).where(Instance.series_id.in_(series_ids))
    counts = {row[0]: row[1] for row in session.execute(counted.group_by(Instance.series_id))}
    classes: dict[int, set[str]] = {}
    statement = select(Instance.series_id, Instance.sop_class_uid).where(Instance.series_id.in_(series_ids))
    for series_id, sop_class in session.execute(statement.distinct()):
        classes.setdefault(series_id, set()).update([sop_class] if sop_class else [])
    named = select(Series.id, Series.series_instance_uid).where(Series.id.in_(series_ids))
    uids = {row[0]: row[1] for row in session.execute(named)}
    said = read_metadata(session, [row[1] for row in rows])
    headers, datasets = [], {}
    for series_id, first in rows:
        dataset = said[first].dataset
        series = _of_level(dataset, Level.SERIES, {"0020000E": ("UI", uids[series_id])})
        series["00201209"] = {"vr": "IS", "Value": [counts[series_id]]}
        datasets[series_id] = dict(sorted(series.items()))
        headers.append(
            {
                "series_id": series_id,
                "content": text_of(datasets[series_id]),
                "study_content": json_text(_of_level(dataset, Level.STUDY, {})),
                "instance_count": counts[series_id],
                "sop_classes": sorted(classes[series_id]),
            }
        )
    session.execute(delete(SeriesKey).where(SeriesKey.series_id.in_(series_ids)))
    session.execute(delete(SeriesHeader).where(SeriesHeader.series_id.in_(series_ids)))
    _insert(session, "series", headers, datasets)


def _write_studies(session: Session, study_ids: list[int]) -> None:
    rows = session.execute(
        select(
            Study.id,
            Study.study_instance_uid,
            Series.modality,
            Series.rank,
            Series.slice_count,
            Series.series_instance_uid,
            SeriesHeader.study_content,
            SeriesHeader.instance_count,
            SeriesHeader.sop_classes,
        )
        .join(Series, Series.study_id == Study.id)
        .join(SeriesHeader, SeriesHeader.series_id == Series.id)
        .where(Study.id.in_(study_ids))
    ).all()
    studies: dict[int, list[Any]] = {}
    for row in rows:
        studies.setdefault(row.id, []).append(row)
    datasets = {study_id: _study(own) for study_id, own in studies.items()}
    headers = [{"study_id": key, "content": text_of(dataset)} for key, dataset in datasets.items()]
    session.execute(delete(StudyKey).where(StudyKey.study_id.in_(study_ids)))
    session.execute(delete(StudyHeader).where(StudyHeader.study_id.in_(study_ids)))
    _insert(session, "study", headers, datasets)


def _study(series: list[Any]) -> Json:
    first = min(series, key=lambda row: (row.rank, -row.slice_count, row.series_instance_uid))
    dataset: Json = json.loads(first.study_content)
    counted = {
        "00080005": ("CS", ["ISO_IR 192"]),  # JSON and XML are sent in UTF-8 (PS3.18 8.8.5)
        "00080056": ("CS", ["ONLINE"]),
        "00080061": ("CS", sorted({row.modality for row in series if row.modality})),
        "00080062": ("UI", sorted({uid for row in series for uid in row.sop_classes})),
        "0020000D": ("UI", [first.study_instance_uid]),
        "00201206": ("IS", [len(series)]),
        "00201208": ("IS", [sum(row.instance_count for row in series)]),
    }
    for tag, (vr, values) in counted.items():
        dataset[tag] = {"vr": vr, "Value": values} if values else {"vr": vr}
    return dict(sorted(dataset.items()))


def _of_level(dataset: Json, level: Level, uids: Mapping[str, tuple[str, str]]) -> Json:
    kept = {
        tag: element
        for tag, element in dataset.items()
        if tag in tags_of_level(level) and "BulkDataURI" not in element
    }
    return kept | {tag: {"vr": vr, "Value": [value]} for tag, (vr, value) in uids.items()}


def _insert(session: Session, of: str, headers: list[dict[str, Any]], datasets: Mapping[int, Json]) -> None:
    if not headers:
        return
    session.execute(insert(Base.metadata.tables[f"{of}_headers"]), headers)
    keys = [
        {"tag": tag, "value": value, f"{of}_id": key}
        for key, dataset in datasets.items()
        for tag, value in kept_keys(dataset)
    ]
    if keys:
        session.execute(insert(Base.metadata.tables[f"{of}_keys"]), keys)
