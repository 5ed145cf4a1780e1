"""Find the Chromium that the journeys run in."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from scripts import debian
from scripts.preparation import FRONTEND, SetupError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

MISSING = (
    "No Chromium was found (CHROMIUM_PATH, PATH, Playwright's own); install one, on Debian: apt-get install "
    "chromium, elsewhere: cd frontend && npx playwright install --with-deps chromium"
)


def find_chromium() -> Path:
    """Return Chromium's program: CHROMIUM_PATH, one on PATH, Playwright's own, Debian's package as root."""
    given = os.environ.get("CHROMIUM_PATH")
    if given:
        if not os.access(given, os.X_OK):
            raise SetupError(f"CHROMIUM_PATH names no program: {given}")
        return Path(given)
    found = _on_path() or _of_playwright()
    if found is None and debian.install("chromium"):
        found = _on_path()
    if found is None:
        raise SetupError(MISSING)
    return found


def _on_path() -> Path | None:
    return next((Path(found) for found in map(shutil.which, NAMES) if found), None)


def _of_playwright() -> Path | None:
    script = "console.log(require('@playwright/test').chromium.executablePath())"
    answer = subprocess.run(
        ["node", "--input-type=commonjs", "--eval", script],
        cwd=FRONTEND,
        capture_output=True,
        text=True,
        check=False,
    )
    program = Path(answer.stdout.strip())
    return program if answer.returncode == 0 and program.is_file() else None
