"""Set up what every launcher needs: the virtual environment, the front end's packages, the built pages.

Each piece leaves a stamp, a hash of what it was made from, and is made again only when that changed. So the second
start takes no network and no time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BACKEND = ROOT / "backend"
FRONTEND = ROOT / "frontend"
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20

# pip settings of the user that would put packages elsewhere than into our virtual environment.
MISPLACING_PIP_SETTINGS = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_CONSTRAINT", "PIP_REQUIREMENT")


class SetupError(Exception):
    """Something is missing on this machine; the message is one line that says what and what to do."""


def say(message: str) -> None:
    """Tell the person at the terminal what is going on."""
    print(message, flush=True)


def run(command: list[str | Path], *, cwd: Path, env: dict[str, str], what: str) -> None:
    """Run a step of the set-up; what it prints is shown only if it fails."""
    done = subprocess.run(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
        raise SetupError(f"{what} failed; the reason stands above.")


def python_environment() -> dict[str, str]:
    """Return the environment for the virtual environment's Python: the user's, without what would mislead it."""
    misleading = {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", *MISPLACING_PIP_SETTINGS}
    environment = {name: value for name, value in os.environ.items() if name not in misleading}
    return environment | {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUNBUFFERED": "1"}


# --- programs ---------------------------------------------------------------------------------------------------


def require_python() -> None:
    """Refuse a Python that is too old, or one that Debian ships without the part that makes environments."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        raise SetupError(f"Python 3.11 or newer is needed; this is {found} ({sys.executable}).")
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise SetupError(
            f"Python's venv module is incomplete; on Debian and Ubuntu: apt-get install python{version}-venv"
        ) from None


def require_node() -> str:
    """Return the version of Node.js on PATH, or refuse one that is missing or too old. Looks for npm, too."""
    version = _version_of("node", f"Node.js {OLDEST_NODE} or newer is needed")
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        raise SetupError(
            f"Node.js {OLDEST_NODE} or newer is needed; this is {version} ({shutil.which('node')})."
        )
    _version_of("npm", "npm, which comes with Node.js, is needed")
    return version


def _version_of(program: str, need: str) -> str:
    if shutil.which(program) is None:
        raise SetupError(f"{need}; no program '{program}' was found on PATH.")
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    version = answer.stdout.strip()
    if answer.returncode != 0 or not version.lstrip("v")[:1].isdigit():
        raise SetupError(f"{need}; '{program} --version' does not work ({shutil.which(program)}).")
    return version


# --- stamps -----------------------------------------------------------------------------------------------------


def fingerprint(paths: Iterable[Path], *extra: str) -> str:
    """Return a hash over names and contents of files (folders: everything below), and of further words."""
    digest = hashlib.sha256("\0".join(extra).encode())
    for path in _files(paths):
        digest.update(f"\0{os.path.relpath(path, ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in sorted(paths):
        if path.is_dir():
            yield from (file for file in sorted(path.rglob("*")) if file.is_file())
        elif path.is_file():
            yield path


def is_current(stamp: Path, expected: str) -> bool:
    """Tell whether the stamp says that its piece was made from exactly these inputs."""
    return stamp.is_file() and stamp.read_text() == expected


# --- pieces -----------------------------------------------------------------------------------------------------


def prepare_python(lock_name: str = "requirements.lock") -> Path:
    """Create `.venv` with the locked libraries of one lock file, if it is not there yet, and return its Python.

    `requirements-dev.lock` holds everything of `requirements.lock` and the tools for tests.
    """
    require_python()
    locks = ["requirements.lock"] if lock_name == "requirements.lock" else ["requirements.lock", lock_name]
    prints = {name: fingerprint([BACKEND / name]) for name in locks}
    stamps = {name: VENV / f"{name}.stamp" for name in locks}
    works = _virtual_environment_works()
    if works and is_current(stamps[lock_name], prints[lock_name]):
        return VENV_PYTHON
    outdated = any(stamp.exists() and not is_current(stamp, prints[name]) for name, stamp in stamps.items())
    if outdated or not works:
        _create_virtual_environment()
    say(f"Installing the libraries of backend/{lock_name} …")
    pip: list[str | Path] = [
        VENV_PYTHON,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "-r",
        lock_name,
    ]
    run(pip, cwd=BACKEND, env=python_environment(), what=f"Installing backend/{lock_name}")
    _make_package_importable()
    for name in locks:
        stamps[name].write_text(prints[name])
    return VENV_PYTHON


def _virtual_environment_works() -> bool:
    """Tell whether `.venv` is whole: not when its base Python was removed or replaced by another version."""
    if not VENV_PYTHON.exists():
        return False
    command: list[str | Path] = [VENV_PYTHON, "-c", "import imageserver"]
    return subprocess.run(command, env=python_environment(), capture_output=True, check=False).returncode == 0


def _create_virtual_environment() -> None:
    """Make `.venv`; an older one is emptied first, so that no library lingers that the lock no longer names."""
    say("Creating .venv …")
    command: list[str | Path] = [sys.executable, "-m", "venv", "--clear", VENV]
    run(command, cwd=ROOT, env=python_environment(), what="Creating .venv")


def _make_package_importable() -> None:
    """Put `backend/` on the environment's path, and the command `imageserver` beside its Python.

    What `pip install --editable` does, without its build tool, which no lock names.
    """
    site_packages = next(VENV.glob("lib/python*/site-packages"))
    (site_packages / "imageserver.pth").write_text(f"{os.path.relpath(BACKEND, site_packages)}\n")
    command = VENV / "bin" / "imageserver"
    command.write_text('#!/bin/sh\nexec "$(dirname "$0")/python" -m imageserver "$@"\n')
    command.chmod(0o755)


def prepare_node_packages() -> None:
    """Install the locked packages of the front end, if they are not there yet."""
    node = require_node()
    inputs = [FRONTEND / name for name in ("package.json", "package-lock.json", ".npmrc")]
    expected = fingerprint(inputs, node)
    stamp = FRONTEND / "node_modules" / ".imageserver-packages.stamp"
    if is_current(stamp, expected):
        return
    say("Installing the packages of frontend/package-lock.json …")
    # The build needs the development packages, also where NODE_ENV or the user's npm says "production".
    npm: list[str | Path] = ["npm", "ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"]
    run(npm, cwd=FRONTEND, env=dict(os.environ), what="npm ci")
    stamp.write_text(expected)


def build_pages() -> None:
    """Build the SPA into `frontend/build`, if its sources changed."""
    prepare_node_packages()
    sources = [FRONTEND / "src", FRONTEND / "static"]
    sources += [path for path in FRONTEND.iterdir() if path.is_file() and path.name != ".DS_Store"]
    expected = fingerprint(sources)
    stamp = FRONTEND / "node_modules" / ".imageserver-build.stamp"
    if is_current(stamp, expected) and (FRONTEND / "build" / "index.html").is_file():
        return
    say("Building the pages …")
    stamp.unlink(missing_ok=True)
    npm: list[str | Path] = ["npm", "run", "--silent", "build"]
    run(npm, cwd=FRONTEND, env=os.environ | {"NODE_ENV": "production"}, what="Building the pages")
    stamp.write_text(expected)
