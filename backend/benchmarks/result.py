"""One figure and its goal."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """What was measured, as a ratio to the bare minimum or as an amount."""

    name: str
    value: float
    goal: float
    unit: str
    details: str
    is_least: bool = False  # the goal is the least value, not the most

    @property
    def is_met(self) -> bool:
        """Whether the goal is met."""
        return self.value >= self.goal if self.is_least else self.value <= self.goal

    def line(self) -> str:
        """The result for a terminal."""
        verdict = "met" if self.is_met else "MISSED"
        goal = f"{'>=' if self.is_least else '<='} {self.goal:<6g}"
        return f"{self.name:<34}{self.value:8.2f} {self.unit:<4} goal {goal} {verdict:<7} {self.details}"


def ratio(name: str, ours: Sequence[float], bare: Sequence[float], goal: float) -> Result:
    """Compare the medians of two series of times in seconds."""
    mine, theirs = statistics.median(ours), statistics.median(bare)
    details = f"{mine * 1000:.2f} ms against {theirs * 1000:.2f} ms, medians of {len(ours)} and {len(bare)}"
    return Result(name, mine / theirs, goal, "x", details)
