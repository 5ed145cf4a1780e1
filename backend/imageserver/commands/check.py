"""``imageserver check``: compare the index with the files, and the files with their checksums."""

import argparse
import json
import os
import sys
from typing import Any

from imageserver.archive.checking import MEANINGS, Check, check
from imageserver.archive.files import DataDirectory
from imageserver.archive.quarantine import count_quarantined
from imageserver.commands.opening import open_database
from imageserver.settings import Settings

HELP = "compare the index with the files and the files with their checksums; changes nothing"


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser: argparse.ArgumentParser = commands.add_parser("check", help=HELP, description=HELP)
    parser.add_argument(
        "--full", action="store_true", help="read every file and compare it with its checksum"
    )
    parser.add_argument("--list", action="store_true", help="name each file that differs")
    parser.add_argument(
        "--json", action="store_true", help="one JSON document, for programs; names each file"
    )
    parser.set_defaults(run=run)


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Check, and print what differs; 0 where nothing does, else 1."""
    show = _show_progress if arguments.full and sys.stderr.isatty() else _show_nothing
    with open_database(settings) as database:
        directory = DataDirectory(settings.data_dir, settings.store_dir)
        found = check(database, directory, is_full=arguments.full, on_progress=show)
    quarantined = count_quarantined(settings.store_dir)
    if arguments.json:
        print(json.dumps({**_as_json(found), "quarantined": quarantined}, indent=2))
    else:
        print("\n".join(_lines(found, quarantined, arguments.full, arguments.list)))
    return 0 if found.is_well else 1


def _lines(found: Check, quarantined: int, is_full: bool, with_paths: bool) -> list[str]:
    lines = [f"{found.files} files in the data directory, {found.rows} in the index"]
    if is_full:
        lines.append(f"{found.compared} compared with their checksum")
    if found.without_checksum:
        lines.append(f"{found.without_checksum} without a checksum yet")
    if found.waiting:
        lines.append(f"{found.waiting} changed within the last minute, and left to the server")
    lines += [f"{count} not shown: {code}" for code, count in found.refused.items()]
    if quarantined:
        lines.append(f"{quarantined} in quarantine: see imageserver quarantine list")
    for kind, paths in found.differences.items():
        if paths:
            lines.append(f"{len(paths)} {kind}: {MEANINGS[kind]}")
            lines += [f"  {printable(path)}" for path in paths] if with_paths else []
    lines.append("all well" if found.is_well else "there are differences")
    return lines


def _as_json(found: Check) -> dict[str, Any]:
    return {
        "is_well": found.is_well,
        "files": found.files,
        "rows": found.rows,
        "compared": found.compared,
        "without_checksum": found.without_checksum,
        "waiting": found.waiting,
        "refused": found.refused,
        "differences": {
            kind.value: [printable(path) for path in paths] for kind, paths in found.differences.items()
        },
    }


def printable(path: bytes) -> str:
    """Return a path on one line, with escapes for what no terminal should get."""
    name = os.fsdecode(path).encode("utf-8", "backslashreplace").decode()
    return name if name.isprintable() else name.encode("unicode_escape").decode()


def _show_progress(done: int, total: int) -> None:
    if done == total:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    elif done % 20 == 0:
        print(f"\r{done} of {total} files read", end="", file=sys.stderr, flush=True)


def _show_nothing(_done: int, _total: int) -> None:
    """Print nothing: nobody watches."""
