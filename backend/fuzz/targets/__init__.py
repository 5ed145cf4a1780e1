"""One module per target. Its name is the module's, its description the first line of the docstring.

A module has ``COUNT``, the number of inputs of a whole run, and ``run(options) -> Report``.
"""

import importlib
import pkgutil
from typing import Protocol, cast

from fuzz.report import Options, Report


class Target(Protocol):
    """What a module of this package has."""

    COUNT: int

    def run(self, options: Options) -> Report:
        """Try `options.count` inputs, or as many as fit into `options.seconds`."""


def target_names() -> list[str]:
    """Return the names of all targets."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def find_target(name: str) -> Target:
    """Import the module of a target."""
    return cast(Target, importlib.import_module(f"{__name__}.{name}"))


def describe(name: str) -> str:
    """Return the first line of a target's docstring."""
    return (importlib.import_module(f"{__name__}.{name}").__doc__ or "").partition("\n")[0]
