"""`make run`: set everything up, start the API and the pages' server, and stop both on Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.child import Child, stop_all
from scripts.listening import Address, check_ports, get_json
from scripts.preparation import (
    FRONTEND,
    ROOT,
    SetupError,
    build_pages,
    prepare_python,
    python_environment,
    require_node,
    require_python,
    say,
)

START_SECONDS = 120.0  # a first migration on a slow disk
SETUP_LINK = re.compile(r"https?://[^\s\"'\\]+/setup#code=[^\s\"'\\]+")


@dataclass(frozen=True)
class Servers:
    """Where both servers listen, and what they are given."""

    api: Address
    pages: Address
    web_url: str
    settings: dict[str, str]

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Servers:
        """Read the settings that the launcher needs itself; the API checks all of them when it starts."""
        given = {name: value for name, value in environment.items() if name.startswith("IMAGESERVER_")}
        defaults = {
            "IMAGESERVER_DATA_DIR": str(ROOT / "data"),
            "IMAGESERVER_STATE_DIR": str(ROOT / ".state"),
            "IMAGESERVER_HOST": "127.0.0.1",
            "IMAGESERVER_PORT": "8000",
            "IMAGESERVER_WEB_PORT": "3000",
        }
        settings = defaults | {name: value for name, value in given.items() if value}
        settings.setdefault("IMAGESERVER_STORE_DIR", str(Path(settings["IMAGESERVER_STATE_DIR"]) / "store"))
        host, web_port = settings["IMAGESERVER_HOST"], settings["IMAGESERVER_WEB_PORT"]
        return cls(
            api=Address.of("IMAGESERVER_PORT", host, settings["IMAGESERVER_PORT"]),
            pages=Address.of("IMAGESERVER_WEB_PORT", host, web_port),
            web_url=settings.get("IMAGESERVER_WEB_URL", f"http://localhost:{web_port}").rstrip("/"),
            settings=settings,
        )


class StopRequest:
    """Counts Ctrl-C and the signals that mean the same: the first one stops politely, the second one at once."""

    def __init__(self) -> None:
        self.count = 0
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, self._note)

    def _note(self, *_: object) -> None:
        self.count += 1


def main() -> int:
    """Run both servers until Ctrl-C; return the exit code."""
    try:
        require_python()
        require_node()
        servers = Servers.of(os.environ)
        check_ports(servers.api, servers.pages)
        python = prepare_python()
        build_pages()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return serve(servers, python)


def serve(servers: Servers, python: Path) -> int:
    """Start both servers, announce them, and wait; nothing is left running afterwards."""
    stop = StopRequest()
    links: list[str] = []
    say("Starting …")
    children: list[Child] = []
    try:
        children.append(_start_api(servers, python, links))
        children.append(
            Child("The pages' server", ["node", "server.js"], FRONTEND, os.environ | servers.settings)
        )
        if _wait_until_ready(servers, children, stop):
            _announce(servers, links)
        while not stop.count and all(child.is_running for child in children):
            time.sleep(0.1)
        return _report_end(children, stop)
    finally:
        stop_all(children, at_once=lambda: stop.count > 1)


def _start_api(servers: Servers, python: Path, links: list[str]) -> Child:
    def note_link(line: str) -> None:
        links.extend(SETUP_LINK.findall(line))

    command: list[str | Path] = [python, "-m", "imageserver", "serve"]
    # From the root, so that a relative IMAGESERVER_DATA_DIR means what it says to who typed `make run` there.
    return Child("The API", command, ROOT, python_environment() | servers.settings, on_line=note_link)


def _wait_until_ready(servers: Servers, children: list[Child], stop: StopRequest) -> bool:
    """Wait until both answer; False when one of them ended or a person asked to stop before that."""
    deadline = time.monotonic() + START_SECONDS
    waiting = [(servers.api, "/readyz"), (servers.pages, "/healthz")]
    while not stop.count and all(child.is_running for child in children):
        waiting = [(address, path) for address, path in waiting if get_json(address, path) is None]
        if not waiting:
            return True
        if time.monotonic() > deadline:
            say(f"Not ready after {START_SECONDS:.0f} s; the log above may say why. Still waiting …")
            deadline = float("inf")
        time.sleep(0.1)
    return False


def _announce(servers: Servers, links: list[str]) -> None:
    status = get_json(servers.api, "/auth/status") or {}
    for _ in range(50):  # the API answers a moment before it prints the link
        if links or not status.get("setup_required"):
            break
        time.sleep(0.1)
    lines = [
        "",
        f"  Medical Image Server   {servers.web_url}",
        f"  API                    {servers.api.url}/docs",
    ]
    lines.append("  Ctrl-C stops it.")
    if links:
        lines += ["", "  No account exists yet. Create the first one with this link; it works once:"]
        lines.append(f"  {links[-1]}")
    say("\n".join([*lines, ""]))


def _report_end(children: list[Child], stop: StopRequest) -> int:
    if stop.count:
        say("Stopping …")
        return 0
    ended = next(child for child in children if not child.is_running)
    ended.finish_output()
    code = ended.exit_code
    print(f"{ended.name} ended by itself (exit code {code}); stopping the rest.", file=sys.stderr)
    return code if 0 < code < 126 else 1


if __name__ == "__main__":
    threading.current_thread().name = "launcher"
    sys.exit(main())
