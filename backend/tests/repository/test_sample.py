"""The volume in data/: valid CT Image Storage, plausible as a head, in an order that careless readers get wrong.

Expected values: attributes from PS3.3 A.3 and C.8.2.1, Hounsfield units from radiology's usual ranges (air -1000,
cerebrospinal fluid 0 to 15, brain 20 to 45, compact bone above 700), the rest from the issue's own words.
"""

import shutil
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from scripts.sample.dicom_writer import make_instance, places, write_instance
from scripts.sample.scanner import Scan, acquire_slice
from scripts.sample.space import Textures

LIMIT_BYTES = 6_000_000
# Places in the middle slice (LPS, mm), lowest and highest mean (HU).
TISSUES = {
    "cerebrospinal fluid of the left frontal horn": (4.0, -13.6, 0, 15),
    "cerebrospinal fluid of the third ventricle": (-2.1, 9.0, 0, 15),
    "white matter of the corpus callosum": (0.0, 30.0, 20, 32),
    "grey matter of the left thalamus": (10.0, 14.0, 33, 45),
    "grey matter of the right thalamus": (-10.0, 14.0, 33, 45),
}


@pytest.fixture(scope="module")
def files(root: Path) -> list[Path]:
    """The files of the sample volume, in the order of their names."""
    return sorted((root / "data" / "head-ct").iterdir())


@pytest.fixture(scope="module")
def headers(files: list[Path]) -> list[Dataset]:
    """Their attributes without pixel data, in the order of their names."""
    return [pydicom.dcmread(path, stop_before_pixels=True) for path in files]


@pytest.fixture(scope="module")
def paths_by_position(files: list[Path], headers: list[Dataset]) -> list[Path]:
    """The files from the feet to the head."""
    pairs = sorted(zip(headers, files, strict=True), key=lambda pair: position(pair[0]))
    return [path for _, path in pairs]


def position(header: Dataset) -> float:
    """Place along the normal of an axial slice."""
    return float(header.ImagePositionPatient[2])


def hounsfield(path: Path) -> np.ndarray:
    instance = pydicom.dcmread(path)
    return instance.pixel_array * float(instance.RescaleSlope) + float(instance.RescaleIntercept)


def around(image: np.ndarray, header: Dataset, x_mm: float, y_mm: float) -> np.ndarray:
    """The 5 × 5 pixels around a point of the patient (LPS, mm) of an axial slice (PS3.3 C.7.6.2.1.1)."""
    x0, y0, _ = (float(value) for value in header.ImagePositionPatient)
    row_spacing, column_spacing = (float(value) for value in header.PixelSpacing)
    row, column = round((y_mm - y0) / row_spacing), round((x_mm - x0) / column_spacing)
    return image[row - 2 : row + 3, column - 2 : column + 3]


class TestSize:
    def test_at_least_64_slices_of_256_by_256(self, headers: list[Dataset]) -> None:
        assert len(headers) >= 64
        assert all(header.Rows >= 256 and header.Columns >= 256 for header in headers)

    def test_stays_below_six_megabytes(self, files: list[Path]) -> None:
        assert sum(path.stat().st_size for path in files) < LIMIT_BYTES


class TestOrder:
    def test_positions_are_evenly_spaced_and_differ(self, headers: list[Dataset]) -> None:
        steps = np.diff(sorted(position(header) for header in headers))
        assert steps == pytest.approx(float(headers[0].SliceThickness))

    def test_orientation_is_axial_with_the_right_side_on_the_left(self, headers: list[Dataset]) -> None:
        # rows run to the patient's left, columns to posterior (PS3.3 C.7.6.2.1.1)
        assert all(list(header.ImageOrientationPatient) == [1, 0, 0, 0, 1, 0] for header in headers)

    @pytest.mark.parametrize(
        "key",
        [
            lambda path, header: path.name,
            lambda path, header: int(path.stem.split("-")[1]),
            lambda path, header: int(header.InstanceNumber),
            lambda path, header: str(header.InstanceNumber),
            lambda path, header: str(header.SOPInstanceUID),
        ],
        ids=["file name", "number in the file name", "instance number", "instance number as text", "UID"],
    )
    def test_another_order_gives_another_middle_slice(
        self,
        files: list[Path],
        headers: list[Dataset],
        paths_by_position: list[Path],
        key: Callable[[Path, Dataset], str | int],
    ) -> None:
        pairs = sorted(zip(files, headers, strict=True), key=lambda pair: key(*pair))
        naive = [path for path, _ in pairs]
        assert naive != paths_by_position
        assert naive[len(naive) // 2] != paths_by_position[len(paths_by_position) // 2]


class TestAttributes:
    def test_one_patient_study_and_series(self, headers: list[Dataset]) -> None:
        for keyword in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
            assert len({header[keyword].value for header in headers}) == 1
        assert len({header.SOPInstanceUID for header in headers}) == len(headers)

    def test_the_name_has_five_components_and_a_second_script(self, headers: list[Dataset]) -> None:
        name = headers[0].PatientName
        assert headers[0].SpecificCharacterSet == "ISO_IR 192"
        parts = (name.family_name, name.given_name, name.middle_name, name.name_prefix, name.name_suffix)
        assert parts == ("Phantom", "Aida", "Minerva", "Dr.", "PhD")
        assert name.ideographic == "幻^愛陀"
        assert name.phonetic == "まぼろし^あいだ"

    def test_two_explained_windows(self, headers: list[Dataset]) -> None:
        assert list(headers[0].WindowCenter) == [40, 480]
        assert list(headers[0].WindowWidth) == [80, 2500]
        assert list(headers[0].WindowCenterWidthExplanation) == ["BRAIN", "BONE"]

    def test_says_that_it_is_no_measurement(self, headers: list[Dataset]) -> None:
        assert headers[0].ImageType[:2] == ["DERIVED", "SECONDARY"]
        assert headers[0].QualityControlImage == "YES"

    def test_validator_finds_neither_error_nor_warning(self, files: list[Path]) -> None:
        validator = shutil.which("dciodvfy")
        if validator is None:
            pytest.skip("dciodvfy (Debian package dicom3tools) is not on PATH")
        for path in files:
            answer = subprocess.run([validator, str(path)], capture_output=True, text=True, check=False)
            findings = (answer.stdout + answer.stderr).splitlines()
            assert findings == ["CTImage"], path.name


class TestPicture:
    def test_every_slice_decodes_losslessly_compressed(
        self, files: list[Path], headers: list[Dataset]
    ) -> None:
        assert {header.file_meta.TransferSyntaxUID for header in headers} == {"1.2.840.10008.1.2.4.80"}
        for path in files:
            assert hounsfield(path).shape == (384, 384)

    @pytest.mark.parametrize("tissue", TISSUES)
    def test_tissues_have_their_hounsfield_units(self, paths_by_position: list[Path], tissue: str) -> None:
        x_mm, y_mm, lowest, highest = TISSUES[tissue]
        middle = paths_by_position[len(paths_by_position) // 2]
        header = pydicom.dcmread(middle, stop_before_pixels=True)
        assert lowest < np.mean(around(hounsfield(middle), header, x_mm, y_mm)) < highest

    def test_air_and_bone(self, paths_by_position: list[Path]) -> None:
        image = hounsfield(paths_by_position[len(paths_by_position) // 2])
        assert np.mean(image[:20, :20]) == pytest.approx(-1000, abs=5)
        assert 1000 < image.max() < 2000

    def test_noise_is_that_of_a_scanner(self, paths_by_position: list[Path]) -> None:
        air = hounsfield(paths_by_position[-1])[:40, :40]
        assert 0.5 < np.std(air) < 5

    def test_the_nose_points_up(self, paths_by_position: list[Path]) -> None:
        body = hounsfield(paths_by_position[14]) > -300  # at the tip of the nose
        first, last = np.flatnonzero(body.any(axis=1))[[0, -1]]
        assert body[first + 8].sum() < 0.5 * body[last - 8].sum()


@pytest.mark.skipif(
    find_spec("jpeg_ls") is None, reason="pyjpegls, which compresses, has no wheel for this Python"
)
class TestGenerator:
    @pytest.mark.parametrize("index", [0, 34])
    def test_makes_what_ships(self, root: Path, made: Callable[[int], Path], index: int) -> None:
        path = made(index)
        instance, shipped = pydicom.dcmread(path), pydicom.dcmread(root / "data" / "head-ct" / path.name)
        difference = np.abs(hounsfield(path) - hounsfield(root / "data" / "head-ct" / path.name))
        assert (
            difference.max() <= 1
        )  # equal on one machine; another's mathematical library may round otherwise
        del instance.PixelData, shipped.PixelData
        assert instance == shipped

    def test_makes_the_same_bytes_again(self, made: Callable[[int], Path]) -> None:
        assert made(20).read_bytes() == made(20).read_bytes()


@pytest.fixture
def made(tmp_path: Path) -> Callable[[int], Path]:
    """Make the slice with an index, counted from the feet, from nothing."""

    def make(index: int) -> Path:
        scan = Scan()
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        path = folder / places(scan.slice_count)[index].file_name
        write_instance(make_instance(scan, index, acquire_slice(scan, Textures(), index)), path)
        return path

    return make
