"""The command ``imageserver``: serve, and what an administrator does beside the running server."""

import argparse
import gc
import os
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from imageserver.accounts.keys import KeysRefused
from imageserver.commands import audit, check, deleted, index, quarantine, token, user
from imageserver.errors import AppError
from imageserver.logs import configure_logging
from imageserver.main import create_app
from imageserver.migrations import NewerSchema
from imageserver.server import serve
from imageserver.settings import Settings
from imageserver.startup import StartRefused

TURN_SECONDS = 0.001  # a fifth of the default
OBJECTS_BETWEEN_COLLECTIONS = 10_000  # those of a request nearly all go by themselves
EXIT_CONFIGURATION = 78  # EX_CONFIG of sysexits.h


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; the process ends with its exit code."""
    parsed = build_parser().parse_args(arguments)
    try:
        settings = Settings()
        configure_logging(settings.log_level)
        sys.exit(parsed.run(settings, parsed))
    except ValidationError as error:
        _refuse(*(f"IMAGESERVER_{_name(item['loc'])}{item['msg']}" for item in error.errors()))
    except (NewerSchema, KeysRefused, StartRefused) as error:
        _refuse(str(error))
    except AppError as error:
        print(f"imageserver: {error.detail}", file=sys.stderr)
        sys.exit(1)
    except (KeyboardInterrupt, EOFError):  # Ctrl-C or Ctrl-D at a question
        print("\nimageserver: stopped before the end", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # `imageserver audit | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def build_parser() -> argparse.ArgumentParser:
    """Describe all commands."""
    parser = argparse.ArgumentParser(prog="imageserver", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve_parser = commands.add_parser("serve", help="migrate the database and serve the API")
    serve_parser.set_defaults(run=run_serve)
    user.add_parser(commands)
    token.add_parser(commands)
    audit.add_parser(commands)
    index.add_parser(commands)
    check.add_parser(commands)
    deleted.add_parser(commands)
    quarantine.add_parser(commands)
    return parser


def run_serve(settings: Settings, _arguments: argparse.Namespace) -> int:
    """Serve the API until a signal ends it."""
    serve(settings)
    return 0


def application() -> object:
    """Make the application in a worker process; the settings come from the environment again."""
    settings = Settings()
    configure_logging(settings.log_level)
    # Many slices at once are many threads, and the event loop waits for its turn behind each of them.
    sys.setswitchinterval(TURN_SECONDS)
    made = create_app(settings)
    # A look for garbage takes a tenth of a second where it goes over all libraries, and all threads wait meanwhile.
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 10, 10)
    return made


def _name(location: tuple[int | str, ...]) -> str:
    return f"{str(location[0]).upper()}: " if location else "…: "


def _refuse(*messages: str) -> None:
    for message in messages:
        print(f"imageserver: start refused: {message}", file=sys.stderr)
    sys.exit(EXIT_CONFIGURATION)
