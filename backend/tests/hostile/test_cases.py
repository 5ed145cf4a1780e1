"""What broke once: each file comes to what it should, and soon."""

import time

import pytest

from fuzz.cases import CASES, FOLDER
from fuzz.pipeline import Pipeline

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom does not like what it is to write


@pytest.mark.parametrize("name", CASES)
def test_a_case_comes_to_what_it_should(name: str, pipeline: Pipeline) -> None:
    data = (FOLDER / f"{name}.dcm").read_bytes()
    start = time.process_time()
    assert pipeline.process(data) == CASES[name].outcome
    assert time.process_time() - start < 2


@pytest.mark.parametrize("name", CASES)
def test_the_file_is_the_one_that_the_script_makes(name: str) -> None:
    assert (FOLDER / f"{name}.dcm").read_bytes() == CASES[name].make()


def test_there_are_no_others() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(CASES)
