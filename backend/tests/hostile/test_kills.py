"""Kill -9 while storing; many more rounds by ``python -m fuzz.kills``."""

from pathlib import Path

from fuzz.kills import run

KILLS = 5


def test_nothing_is_lost_or_half_there(tmp_path: Path) -> None:
    figures = run(tmp_path, KILLS, seed=7)
    assert figures.kills == KILLS
    assert figures.acknowledged > 0
    assert figures.is_well, figures
