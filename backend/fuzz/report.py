"""What a run is asked for, and what came out of it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """What a run is asked for.

    Attributes
    ----------
    count : int
        Inputs to try.
    seconds : float or None
        Time after which no more is tried; None for no end.
    seed : int
        Of the generator of random numbers: the same seed gives the same inputs.
    findings : pathlib.Path
        Folder that keeps the inputs that broke something; it is made when there is one.
    """

    count: int
    seconds: float | None
    seed: int
    findings: Path


@dataclass(frozen=True)
class Criterion:
    """A figure that must not be larger than its limit."""

    name: str
    value: float
    limit: float
    unit: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the figure is in its limit."""
        return self.value <= self.limit

    def line(self) -> str:
        """The criterion for a terminal."""
        verdict = "met" if self.is_met else "MISSED"
        return f"  {self.name:<40}{self.value:12.6g} {self.unit:<5} at most {self.limit:<8g} {verdict}"


@dataclass
class Report:
    """What came out of a run.

    Attributes
    ----------
    tried : int
        Inputs.
    outcomes : collections.Counter
        How often each outcome came: "accepted", "refused truncated", "422 undecodable_frame".
    deaths : int
        Processes of the server that were lost.
    faults : collections.Counter
        Kinds of fault (an unforeseen exception, a picture that must not be) and how often each came.
    criteria : list of Criterion
    seconds : float
    seed : int
    """

    tried: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    deaths: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    criteria: list[Criterion] = field(default_factory=list)
    seconds: float = 0.0
    seed: int = 0

    @property
    def is_met(self) -> bool:
        """Whether no criterion was missed; each fault and each death misses one."""
        return not self.faults and not self.deaths and all(criterion.is_met for criterion in self.criteria)

    def lines(self) -> Iterator[str]:
        """The report for a terminal."""
        yield f"  {self.tried} inputs in {self.seconds:.0f} s, seed {self.seed}"
        for outcome, count in self.outcomes.most_common():
            yield f"  {outcome:<40}{count:12}"
        yield f"  {'deaths':<40}{self.deaths:12}"
        for fault, count in self.faults.most_common():
            yield f"  FAULT {count:6} x {fault}"
        yield from (criterion.line() for criterion in self.criteria)
        yield f"  {'all criteria met' if self.is_met else 'CRITERIA MISSED'}"
