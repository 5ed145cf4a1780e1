"""A table in place of the formula must give what the formula gives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from imageserver.dicom.value_map import map_values
from tests.memory import peak_bytes


class TestMapValues:
    @given(
        arrays.arrays(
            st.sampled_from([np.uint8, np.int8, np.uint16, np.int16]),
            arrays.array_shapes(min_dims=2, max_dims=2),
        ),
        st.floats(-3000, 3000),
        st.floats(1, 5000),
    )
    def test_the_table_gives_what_the_formula_gives(
        self, stored: np.ndarray, center: float, width: float
    ) -> None:
        def pipeline(values: np.ndarray) -> np.ndarray:
            ramp = (values.astype(np.float64) - center) / width + 0.5
            return (np.clip(ramp, 0, 1) * 255).astype(np.uint8)

        np.testing.assert_array_equal(map_values(stored, pipeline), pipeline(stored))

    def test_wide_types_go_through_it_in_blocks(self) -> None:
        values = np.arange(3_000_000, dtype=np.int32).reshape(1000, 3000)

        def work(part: np.ndarray) -> np.ndarray:
            return (part.astype(np.float64) % 251).astype(np.uint8)

        np.testing.assert_array_equal(map_values(values, work), values % 251)
        assert (
            peak_bytes(lambda: map_values(values, work)) < 24_000_000
        )  # what eight bytes for each would take
