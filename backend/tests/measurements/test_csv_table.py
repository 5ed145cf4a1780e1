"""Measurements as a table; the other side is the reader of Python's standard library."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest

from imageserver.measurements.csv_table import BYTE_ORDER_MARK, HEADS, write_table
from imageserver.measurements.models import Measurement

MADE = datetime(2026, 3, 1, 9, 30, 15, 400, tzinfo=UTC)


def measurement(**changes: Any) -> Measurement:
    columns = {
        "id": "11111111-2222-4333-8444-555555555555",
        "kind": "length",
        "label": "lesion",
        "study_instance_uid": "1.2",
        "series_instance_uid": "1.2.3",
        "sop_instance_uid": "1.2.3.4",
        "frame_number": 7,
        "plane": "acquired",
        "points": [[0.5, 1.25], [10.0, 20.0]],
        "measured": {"length_mm": 12.5, "calibration": "patient"},
        "created": MADE,
        "updated": MADE,
    }
    return Measurement(**{**columns, **changes})


def rows(*measurements: Measurement) -> list[dict[str, str]]:
    return list(
        csv.DictReader(io.StringIO(write_table(measurements).removeprefix(BYTE_ORDER_MARK), newline=""))
    )


def test_nothing_measured_leaves_the_heads() -> None:
    assert write_table([]) == BYTE_ORDER_MARK + ",".join(HEADS) + "\r\n"


def test_values_stand_below_their_units() -> None:
    (row,) = rows(measurement())
    assert (row["kind"], row["label"], row["length (mm)"]) == ("length", "lesion", "12.5")
    assert (row["length (px)"], row["angle (degrees)"], row["calibration"]) == ("", "", "patient")
    assert (row["frame number"], row["SOP Instance UID"], row["plane"]) == ("7", "1.2.3.4", "acquired")
    assert row["points"] == "0.5,1.25 10,20"


def test_times_are_iso_8601_in_utc() -> None:
    (row,) = rows(measurement())
    assert row["created (UTC)"] == "2026-03-01T09:30:15+00:00"


@pytest.mark.parametrize("label", ['=HYPERLINK("x")', "+1", "-1", "@SUM(A1)", " =1", "＝1", "-2+3"])
def test_no_label_becomes_a_formula(label: str) -> None:
    (row,) = rows(measurement(label=label))
    assert row["label"] == f"'{label}"


def test_negative_numbers_stay_numbers() -> None:
    (row,) = rows(measurement(kind="ellipse", measured={"mean": -12.5, "value_unit": "HU"}))
    assert (row["mean"], row["unit of values"]) == ("-12.5", "HU")


@pytest.mark.parametrize("label", ['a "quoted", one', "病変, آفة", "semi;colon"])
def test_texts_come_back_as_they_went(label: str) -> None:
    assert rows(measurement(label=label))[0]["label"] == label
