"""The last resort for a missing program: as root on Debian or a relative of it, the distribution's own package."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

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
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    quiet: dict[str, Any] = {"env": environment, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    apt_install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", package]
    if subprocess.run(apt_install, check=False, stderr=subprocess.DEVNULL, **quiet).returncode == 0:
        return True
    subprocess.run(["apt-get", "update", "--quiet"], check=False, **quiet)
    return subprocess.run(apt_install, check=False, **quiet).returncode == 0
