"""Frames that are tiles of one large picture, as of a microscope slide."""

from pydicom.dataset import Dataset

from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.number_values import integer, number
from imageserver.dicom.splitting import natural_order
from imageserver.dicom.text_values import text

_PATH = "OpticalPathIdentificationSequence"


class Tiles:
    """Where each frame lies in the total pixel matrix of its object.

    Parameters
    ----------
    dataset : pydicom.Dataset
    groups : FunctionalGroups
        Of the same data set.
    rows, columns : int
        Of one frame.

    Attributes
    ----------
    is_present : bool
        The frames are parts of a larger picture.

    References
    ----------
    DICOM PS3.3 C.8.12.6.1 (Plane Position (Slide)), C.7.6.17.3 (implicit order of TILED_FULL)
    """

    def __init__(self, dataset: Dataset, groups: FunctionalGroups, rows: int, columns: int) -> None:
        self._groups = groups
        self._rows, self._columns = rows, columns
        total_rows = integer(dataset, "TotalPixelMatrixRows") or 0
        total_columns = integer(dataset, "TotalPixelMatrixColumns") or 0
        self._across = -(-total_columns // columns) if columns else 0
        self._down = -(-total_rows // rows) if rows else 0
        self.is_present = self._across * self._down > 1
        self._path_ranks: dict[str, int] | None = None

    def index(self, frame_index: int) -> tuple[int, ...] | None:
        """Return optical path, focal plane, row and column of a frame; None where it is no tile."""
        if not self.is_present:
            return None
        place = self._groups.find("PlanePositionSlideSequence", frame_index)
        if place is None:
            return self._implicit(frame_index)
        depth = number(place, "ZOffsetInSlideCoordinateSystem") or 0.0
        row = integer(place, "RowPositionInTotalImagePixelMatrix") or 0
        column = integer(place, "ColumnPositionInTotalImagePixelMatrix") or 0
        return (self._path_rank(frame_index), round(depth * 1000), row, column)

    def _implicit(self, frame_index: int) -> tuple[int, ...]:
        """Tiles run along the rows first, then down, then through planes and paths, as the standard says."""
        plane, tile = divmod(frame_index, self._across * self._down)
        row, column = divmod(tile, self._across)
        return (0, plane, 1 + row * self._rows, 1 + column * self._columns)

    def _path_rank(self, frame_index: int) -> int:
        if self._path_ranks is None:
            found = {text(path, "OpticalPathIdentifier") or "" for path in self._groups.all(_PATH)}
            self._path_ranks = {name: rank for rank, name in enumerate(sorted(found, key=natural_order))}
        path = self._groups.find(_PATH, frame_index)
        name = "" if path is None else text(path, "OpticalPathIdentifier") or ""
        return self._path_ranks.get(name, 0)
