"""Run targets and print what came out; the exit code is 1 when a criterion is missed."""

import argparse
import sys
import tempfile
from pathlib import Path

from fuzz.report import Options
from fuzz.targets import describe, find_target, target_names

SEED = 20260101
FINDINGS = Path(tempfile.gettempdir()) / "imageserver-findings"


def main(arguments: list[str] | None = None) -> int:
    """Run the named targets one after the other."""
    chosen = _parser().parse_args(arguments)
    names = target_names() if chosen.targets == ["all"] else chosen.targets
    if not names:
        print("\n".join(f"{name:<20}{describe(name)}" for name in target_names()))
        return 0
    unknown = sorted(set(names) - set(target_names()))
    if unknown:
        print(
            f"No such target: {', '.join(unknown)}. There are: {', '.join(target_names())}", file=sys.stderr
        )
        return 2
    is_met = [_run(name, chosen) for name in names]
    return 0 if all(is_met) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Try hostile input in large numbers.")
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help="names of targets, or all; none lists them"
    )
    parser.add_argument("--count", type=int, help="inputs to try; default: the target's whole run")
    parser.add_argument("--seconds", type=float, help="stop after this time")
    parser.add_argument("--seed", type=int, default=SEED, help="of the random numbers")
    parser.add_argument(
        "--findings",
        type=Path,
        default=FINDINGS,
        help="folder for inputs that broke something",
    )
    return parser


def _run(name: str, chosen: argparse.Namespace) -> bool:
    target = find_target(name)
    count = chosen.count or target.COUNT
    print(f"{name}: {describe(name)}", flush=True)
    report = target.run(Options(count, chosen.seconds, chosen.seed, chosen.findings / name))
    print("\n".join(report.lines()), flush=True)
    if chosen.findings.joinpath(name).exists():
        print(f"  what broke something is in {chosen.findings / name}", flush=True)
    return report.is_met


if __name__ == "__main__":
    sys.exit(main())
