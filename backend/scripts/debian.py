"""The last resort for a missing program: as root on Debian or a relative of it, the distribution's own package."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from scripts.preparation import say

# Debian's postgresql would start a server of the system on installation; the tests bring their own.
CLUSTER_SETTINGS = Path("/etc/postgresql-common/createcluster.conf")


def install(package: str) -> bool:
    """Install a package and tell whether that worked. Not root, or no apt-get here: False, and nothing is done."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    say(f"Installing Debian's package {package}, because nothing that can stand in for it is installed …")
    if package == "postgresql" and not CLUSTER_SETTINGS.exists():
        CLUSTER_SETTINGS.parent.mkdir(parents=True, exist_ok=True)
        CLUSTER_SETTINGS.write_text("create_main_cluster = false\n")
    apt_install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", package]
    return _succeeds(apt_install) or (_succeeds(["apt-get", "update", "--quiet"]) and _succeeds(apt_install))


def _succeeds(command: list[str]) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0
