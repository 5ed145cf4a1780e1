"""T22 through the API: whatever lies in the folder, each answer is 2xx or 4xx, and the volume beside it stays."""

from itertools import islice
from pathlib import Path

import pytest

from fuzz.report import Report
from fuzz.served import serve
from fuzz.targets.answers import BATCH, batches, try_batch, write_good_volume

BATCHES = 3

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom.*")  # as the server does


def test_broken_files_break_no_answer(tmp_path: Path) -> None:
    report = Report()
    with serve(tmp_path) as served:
        write_good_volume(served)
        for batch in islice(batches(22), BATCHES):
            assert len(batch) == BATCH
            try_batch(served, batch, report)
    assert report.outcomes["200 /slice"] > 2 * BATCHES
    assert report.outcomes["200 /volumes"] > 2 * BATCHES
