"""The command line: `dpl-segment COMMAND ...`.

Exit codes: 0 done, 1 failed (a sentence on stderr says what to do), 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from importlib import metadata
from types import FrameType

from DPLSegmentLib.commands import Command
from DPLSegmentLib.commands.failure import report
from DPLSegmentLib.threads import WAITING

COMMANDS = {
    "propagate": "segment whole scans from one painted slice",
    "batch": "do that for hundreds of scans, on this computer or a cluster",
    "demo": "do that on the bundled CT and draw a picture",
    "evaluate": "measure Dice on a folder of labelled scans",
    "calibrate": "measure whether the confidence predicts the error",
    "ablate": "train and measure again with parts of DPL switched off",
    "train": "train the weights",
    "tuning": "write scans to choose rules by, without any drawn label",
    "bench": "measure speed and memory on this machine",
    "info": "say versions, device and model",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` is without the program's name."""
    words = list(sys.argv[1:] if argv is None else argv)
    for name, value in WAITING.items():
        os.environ.setdefault(name, value)
    _stop_cleanly_when_terminated()
    _print_whatever_the_locale()
    try:
        parser = build_parser(words)
        arguments = parser.parse_args(words)
        arguments.run(arguments)
    except (Exception, KeyboardInterrupt) as error:
        return report(error, debug="--debug" in words)
    return 0


def build_parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; only the command that `words` name is imported, so that help and errors come at once."""
    parser = argparse.ArgumentParser(prog="dpl-segment", description="One painted slice becomes a 3D segmentation.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {version()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, help_line in COMMANDS.items():
        subparser = commands.add_parser(name, help=help_line, description=help_line[0].upper() + help_line[1:] + ".")
        if name in words[:1]:
            _add_command(subparser, name)
    return parser


def version() -> str:
    """The installed version, or "source" when the package runs from a source tree that is not installed."""
    try:
        return metadata.version("dpl-segment")
    except metadata.PackageNotFoundError:
        return "source"


def _add_command(parser: argparse.ArgumentParser, name: str) -> None:
    command: Command = importlib.import_module(f"DPLSegmentLib.commands.{name}")
    command.add_arguments(parser)
    parser.add_argument("--debug", action="store_true", help="show the traceback when something fails")
    parser.set_defaults(run=command.run, usage_error=parser.error)


def _stop_cleanly_when_terminated() -> None:
    """SIGTERM ends the work as Ctrl-C does: temporary files are removed. Possible in the main thread only."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        signal.signal(signal.SIGTERM, stop)
    except ValueError:
        return


def _print_whatever_the_locale() -> None:
    """A name that the terminal's encoding has not is shown escaped, not an error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
