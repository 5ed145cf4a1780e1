"""Damaged compressed streams: an answer or a named error for each, and no process of the server is lost.

Pictures that claim to be far larger than they are stand in test_pixel_bombs.py.
"""

from pathlib import Path

from fuzz.report import Options
from fuzz.targets import decoders


class TestDamagedStreams:
    """T24 at the size of a commit; `python -m fuzz decoders` is the whole run."""

    def test_every_codec_answers_and_the_neighbour_is_unharmed(self, tmp_path: Path) -> None:
        report = decoders.run(Options(count=1200, seconds=None, seed=24, findings=tmp_path / "findings"))
        assert report.is_met, list(report.lines())
        assert report.tried == 1200
        codecs = {name for name, _ in decoders.seeds()}
        assert {outcome.partition(":")[0] for outcome in report.outcomes} >= codecs
        assert report.outcomes["frames of the neighbour"] > 0
