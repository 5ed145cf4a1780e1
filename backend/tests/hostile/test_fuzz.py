"""The runs themselves: what they count, and that they fail where a criterion is missed."""

import sys
import types
from pathlib import Path

import pytest

import fuzz.campaign
import fuzz.targets
from fuzz.__main__ import main
from fuzz.campaign import Campaign, Fault
from fuzz.report import Criterion, Options, Report


def options(folder: Path, count: int = 10, seconds: float | None = None) -> Options:
    return Options(count, seconds, 1, folder / "findings")


def run(folder: Path, act: object, count: int = 10, **limits: float) -> Report:
    campaign = Campaign(
        options(folder, count), slowest_seconds=limits.get("slowest", 1), growth_mib=limits.get("growth", 64)
    )
    return campaign.run((bytes([number]) for number in range(256)), act)  # type: ignore[arg-type]


class TestCampaign:
    def test_outcomes_are_counted(self, tmp_path: Path) -> None:
        report = run(tmp_path, lambda data: "even" if data[0] % 2 == 0 else "odd")
        assert report.outcomes == {"even": 5, "odd": 5}
        assert report.is_met
        assert not (tmp_path / "findings").exists()

    @pytest.mark.parametrize("error", [ValueError("value of a file"), Fault("a cut image is accepted")])
    def test_an_exception_is_a_fault_and_its_input_is_kept(self, tmp_path: Path, error: Exception) -> None:
        def act(data: bytes) -> str:
            if data == b"\x03":
                raise error
            return "fine"

        report = run(tmp_path, act)
        assert not report.is_met
        assert sum(report.faults.values()) == 1
        assert [path.read_bytes() for path in (tmp_path / "findings").rglob("*.dcm")] == [b"\x03"]

    def test_a_slow_input_misses_a_criterion_and_is_kept(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = [0.0]
        monkeypatch.setattr(fuzz.campaign.time, "perf_counter", lambda: clock[0])

        def act(data: bytes) -> str:
            clock[0] += 0.05 if data == b"\x03" else 0.0
            return "fine"

        assert not run(tmp_path, act, slowest=0.03).is_met
        assert [path.read_bytes() for path in (tmp_path / "findings/slow").iterdir()] == [b"\x03"]

    def test_growing_memory_misses_a_criterion(self, tmp_path: Path) -> None:
        kept: list[bytes] = []

        def act(data: bytes) -> str:
            kept.append(b"x" * 1_000_000)
            return "fine"

        report = run(tmp_path, act, 200, growth=64)
        assert [criterion.name for criterion in report.criteria if not criterion.is_met] == [
            "growth of resident memory"
        ]

    def test_the_time_ends_a_run(self, tmp_path: Path) -> None:
        campaign = Campaign(options(tmp_path, 10**9, 0.05), slowest_seconds=1, growth_mib=64)
        assert 0 < campaign.run(iter(lambda: b"x", b""), lambda _: "fine").tried < 10**9


class TestCommand:
    @pytest.fixture
    def made_up(self, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
        target = types.ModuleType("fuzz.targets.made_up", "Made up.")
        target.COUNT = 7  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, target.__name__, target)
        monkeypatch.setattr(fuzz.targets, "target_names", lambda: ["made_up"])
        monkeypatch.setattr("fuzz.__main__.target_names", lambda: ["made_up"])
        return target

    @pytest.mark.parametrize(
        ("report", "code"),
        [
            (Report(), 0),
            (Report(deaths=1), 1),
            (Report(criteria=[Criterion("lost", 1, 0)]), 1),
            (Report(criteria=[Criterion("lost", 0, 0)]), 0),
        ],
    )
    def test_the_exit_code_tells_a_missed_criterion(
        self, made_up: types.ModuleType, report: Report, code: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked: list[Options] = []
        made_up.run = lambda options: asked.append(options) or report  # type: ignore[attr-defined]
        assert main(["made_up", "--seed", "3"]) == code
        assert (asked[0].count, asked[0].seed) == (7, 3)
        assert ("MISSED" in capsys.readouterr().out) == bool(code)

    def test_an_unknown_target(self) -> None:
        assert main(["nothing like this"]) == 2

    def test_the_list_says_what_each_target_does(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines] == fuzz.targets.target_names()
        assert all(len(line.split()) > 3 for line in lines)
