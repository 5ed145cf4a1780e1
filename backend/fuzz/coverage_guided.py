"""Let Atheris look for inputs that reach new code: ``python -m fuzz.coverage_guided read|metadata|render CORPUS``.

Atheris is to be installed by hand (``pip install atheris``). What follows the corpus goes to libFuzzer, for example
``-max_total_time=3600``. It ends at the first fault, and leaves the input beside.
"""

import contextlib
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["imageserver.dicom", "imageserver.archive"]):
    from fuzz.pipeline import Pipeline, read
    from fuzz.targets.metadata import judge

from fuzz.seeds import bundled, synthetic

_LARGEST_SEED = 16 * 1024


def main() -> None:
    """Fill an empty corpus with the seeds, and fuzz for ever."""
    kind, corpus, *options = sys.argv[1:]
    folder = Path(corpus)
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        for number, data in enumerate((*synthetic().values(), *bundled(_LARGEST_SEED).values())):
            (folder / f"seed{number}").write_bytes(data)
    with contextlib.ExitStack() as stack:
        atheris.Setup([sys.argv[0], str(folder), *options], _target(kind, stack))
        atheris.Fuzz()


def _target(kind: str, stack: contextlib.ExitStack) -> Callable[[bytes], None]:
    if kind == "render":
        pipeline = Pipeline(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        stack.callback(pipeline.close)
        return partial(_without_outcome, pipeline.process)
    return partial(_without_outcome, {"read": read, "metadata": judge}[kind])


def _without_outcome(act: Callable[[bytes], object], data: bytes) -> None:
    act(data)


if __name__ == "__main__":
    main()
