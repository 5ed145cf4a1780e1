"""The developer's small chores: `make format`, `bench`, `sample`, `screenshots`, `lock`, `audit`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from scripts.chromium import find_chromium
from scripts.preparation import (
    BACKEND,
    FRONTEND,
    ROOT,
    VENV,
    SetupError,
    build_pages,
    prepare_node_packages,
    prepare_python,
    python_environment,
)
from scripts.stage import run_each

# Tools that only these chores need; pinned here, installed beside the locked environment on demand.
RESOLVER = "uv==0.13.9"
AUDITOR = "pip-audit==2.10.1"

# CVE-2024-23342, timing of ECDSA signatures in `ecdsa`, which python-jose pulls in. We sign with HS256 only and
# never call it; there is no fixed release. See docs/decisions/0031.
ACCEPTED_ADVISORIES = ("CVE-2024-23342",)

RESOLVE_OPTIONS = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--quiet"]
NO_ADDRESSES = ["--no-emit-index-url", "--no-emit-find-links"]  # a lock must not name anybody's mirror


def format_code() -> int:
    """Format both halves."""
    python = prepare_python("requirements-dev.lock")
    prepare_node_packages()
    tools: list[list[str | Path]] = [[python, "-m", "ruff", "check", "--fix", "."]]
    tools.append([python, "-m", "ruff", "format", "."])
    back = run_each(tools, BACKEND, python_environment())
    return run_each([["npm", "run", "format"]], FRONTEND, dict(os.environ)) or back


def bench() -> int:
    """Measure speed and memory."""
    python = prepare_python("requirements-dev.lock")
    return run_each([[python, "-m", "benchmarks"]], BACKEND, python_environment())


def sample() -> int:
    """Make the sample volume again."""
    python = prepare_python()
    return run_each([[python, Path("backend/scripts/make_sample.py")]], ROOT, python_environment())


def screenshots() -> int:
    """Take the pictures of the documents."""
    python = prepare_python()
    build_pages()
    environment = dict(os.environ) | {
        "IMAGESERVER_PYTHON": str(python),
        "CHROMIUM_PATH": str(find_chromium()),
    }
    return run_each([["npm", "run", "screenshots"]], FRONTEND, environment)


def lock() -> int:
    """Resolve the dependencies anew. The development lock may not differ from the other one."""
    resolve: list[str | Path] = [_tool(RESOLVER, "uv"), "pip", "compile", *RESOLVE_OPTIONS, *NO_ADDRESSES]
    commands: list[list[str | Path]] = [[*resolve, "pyproject.toml", "-o", "requirements.lock"]]
    development = [
        "--extra",
        "dev",
        "-c",
        "requirements.lock",
        "pyproject.toml",
        "-o",
        "requirements-dev.lock",
    ]
    commands.append([*resolve, *development])
    back = run_each(commands, BACKEND, python_environment())
    npm: list[str | Path] = ["npm", "install", "--package-lock-only", "--no-audit", "--no-fund"]
    return run_each([npm], FRONTEND, dict(os.environ)) or back


def audit() -> int:
    """Look up known holes: everything that is locked for Python, what the built pages' server uses for Node.js."""
    auditor = _tool(AUDITOR, "pip-audit")
    accepted = [word for name in ACCEPTED_ADVISORIES for word in ("--ignore-vuln", name)]
    command: list[str | Path] = [auditor, "-r", "requirements-dev.lock", "--require-hashes", "--disable-pip"]
    back = run_each([[*command, *accepted]], BACKEND, python_environment())
    return run_each([["npm", "audit", "--audit-level=high"]], FRONTEND, dict(os.environ)) or back


def _tool(requirement: str, program: str) -> Path:
    """Install a pinned tool into a folder of its own, so that its libraries do not mix with the locked ones."""
    python = prepare_python()
    folder = VENV / "tools" / requirement
    if not (folder / "bin" / program).exists():
        commands: list[list[str | Path]] = [[python, "-m", "venv", folder]]
        commands.append([folder / "bin" / "python", "-m", "pip", "install", "--quiet", requirement])
        if run_each(commands, ROOT, python_environment()) != 0:
            raise SetupError(f"{requirement} could not be installed.")
    return folder / "bin" / program


CHORES: dict[str, Callable[[], int]] = {
    "format": format_code,
    "bench": bench,
    "sample": sample,
    "screenshots": screenshots,
    "lock": lock,
    "audit": audit,
}


def main(name: str) -> int:
    """Do one chore and return its exit code."""
    try:
        return CHORES[name]()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
