"""Measurements as a table for spreadsheets (RFC 4180)."""

import csv
import io
from collections.abc import Callable, Iterable
from typing import Any

from imageserver.measurements.models import Measurement

# Column heads with their units, and where each value comes from.
_VALUES = {
    "length (mm)": "length_mm",
    "length (px)": "length_px",
    "angle (degrees)": "angle_degrees",
    "long axis (mm)": "long_axis_mm",
    "long axis (px)": "long_axis_px",
    "short axis (mm)": "short_axis_mm",
    "short axis (px)": "short_axis_px",
    "area (mm2)": "area_mm2",
    "area (px2)": "area_px2",
    "pixels": "pixel_count",
    "mean": "mean",
    "standard deviation": "standard_deviation",
    "minimum": "minimum",
    "maximum": "maximum",
    "unit of values": "value_unit",
    "calibration": "calibration",
}
_COLUMNS: dict[str, Callable[[Measurement], Any]] = {
    "kind": lambda row: row.kind,
    "label": lambda row: row.label,
    **{head: lambda row, name=name: row.measured.get(name) for head, name in _VALUES.items()},  # type: ignore[misc]
    "plane": lambda row: row.plane,
    "points": lambda row: " ".join(",".join(f"{number:.6g}" for number in point) for point in row.points),
    "frame number": lambda row: row.frame_number,
    "Study Instance UID": lambda row: row.study_instance_uid,
    "Series Instance UID": lambda row: row.series_instance_uid,
    "SOP Instance UID": lambda row: row.sop_instance_uid,
    "created (UTC)": lambda row: row.created.isoformat(timespec="seconds"),
    "updated (UTC)": lambda row: row.updated.isoformat(timespec="seconds"),
    "identifier": lambda row: row.id,
}
HEADS = tuple(_COLUMNS)
# Without it spreadsheets take UTF-8 for another encoding.
BYTE_ORDER_MARK = "\ufeff"
# What makes a formula of a cell (OWASP, CSV Injection), ASCII and full width.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def write_table(measurements: Iterable[Measurement]) -> str:
    """Write one row per measurement below a row of column heads; texts that would be formulas get an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADS)
    for measurement in measurements:
        writer.writerow(_cell(read(measurement)) for read in _COLUMNS.values())
    return BYTE_ORDER_MARK + text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip().startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
