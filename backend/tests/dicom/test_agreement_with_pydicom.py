"""Each step of the pipeline beside the function of pydicom for the same step, over random values and parameters.

pydicom scales the output of windows to the range of the stored values; here that is brought to 0 ... 1.
"""

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi, apply_windowing

from imageserver.dicom import modality_lut, voi_lut
from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.palette import apply_palette
from imageserver.dicom.reading import Header, read_header
from imageserver.dicom.voi_choice import voi_lut_items
from tests import builders

SEEDS = range(6)
TWELVE_BITS = {"BitsStored": 12, "HighBit": 11}


def header_of(dataset: Dataset) -> Header:
    return read_header(builders.stream(dataset))


def witness(dataset: Dataset) -> Dataset:
    """The same file as pydicom reads it."""
    return dcmread(builders.stream(dataset))


def table_item(rng: np.random.Generator, count: int, first: int, bits: int) -> Dataset:
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [count, first, bits])
    table.add_new("LUTData", "OW", rng.integers(0, 1 << bits, count).astype("<u2").tobytes())
    return table


@pytest.mark.parametrize("seed", SEEDS)
def test_rescale(seed: int) -> None:
    rng = np.random.default_rng(seed)
    stored = rng.integers(-2048, 2048, (5, 7)).astype(np.int16)
    dataset = builders.image(
        stored, RescaleSlope=round(rng.normal(), 5), RescaleIntercept=round(rng.normal() * 1000, 3)
    )
    header = header_of(dataset)
    transform = modality_lut.read_modality_transform(header, FunctionalGroups(header.dataset), 0)
    ours = modality_lut.apply_modality_lut(stored, transform)
    np.testing.assert_allclose(ours, apply_modality_lut(stored, witness(dataset)), rtol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_modality_lut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    stored = rng.integers(0, 4096, (5, 7)).astype(np.uint16)
    table = table_item(rng, 1000, int(rng.integers(0, 3000)), 16)
    dataset = builders.image(stored, ModalityLUTSequence=[table], **TWELVE_BITS)
    header = header_of(dataset)
    transform = modality_lut.read_modality_transform(header, FunctionalGroups(header.dataset), 0)
    ours = modality_lut.apply_modality_lut(stored, transform)
    np.testing.assert_array_equal(ours, apply_modality_lut(stored, witness(dataset)))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_windows(seed: int, function: str) -> None:
    rng = np.random.default_rng(seed)
    stored = rng.integers(0, 4096, (5, 7)).astype(np.uint16)
    dataset = builders.image(
        stored,
        WindowCenter=round(float(rng.uniform(0, 4096)), 2),
        WindowWidth=round(float(rng.uniform(1.5, 3000)), 2),
        VOILUTFunction=function,
        **TWELVE_BITS,
    )
    [window] = voi_lut.read_windows(FunctionalGroups(header_of(dataset).dataset), 0)
    ours = voi_lut.apply_window(stored, window)
    np.testing.assert_allclose(ours, apply_windowing(stored, witness(dataset)) / 4095, atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bits", [10, 12, 16])  # with 8, pydicom keeps the places in 8 bits, too
def test_voi_lut(seed: int, bits: int) -> None:
    rng = np.random.default_rng(seed)
    stored = rng.integers(0, 4096, (5, 7)).astype(np.uint16)
    table = table_item(rng, 2000, int(rng.integers(0, 3000)), bits)
    dataset = builders.image(stored, VOILUTSequence=[table], **TWELVE_BITS)
    header = header_of(dataset)
    sequence = voi_lut_items(header.dataset, FunctionalGroups(header.dataset), 0)
    lookup_table = voi_lut.read_voi_lut(sequence, signed=False)
    assert lookup_table is not None
    ours = voi_lut.apply_voi_lut(stored, lookup_table)
    np.testing.assert_allclose(ours, apply_voi(stored, witness(dataset)) / ((1 << bits) - 1), rtol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bits", [8, 16])
def test_palette(seed: int, bits: int) -> None:
    rng = np.random.default_rng(seed)
    stored = rng.integers(0, 256, (5, 7)).astype(np.uint8)
    dataset = builders.image(stored, PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        dataset.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [200, 20, bits])
        data = rng.integers(0, 1 << bits, 200).astype("u1" if bits == 8 else "<u2").tobytes()
        dataset.add_new(f"{colour}PaletteColorLookupTableData", "OW", data)
    ours = apply_palette(stored, header_of(dataset).dataset, signed=False)
    np.testing.assert_array_equal(ours, apply_color_lut(stored, witness(dataset)) >> (bits - 8))
