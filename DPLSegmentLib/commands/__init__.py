"""The commands of the command line, one module each, imported when it is called.

A command reports failure by raising: an exception class of this library is shown as its message, a sentence for the
user. `arguments.usage_error(sentence)` ends with exit code 2.
"""

from __future__ import annotations

import argparse
from typing import Protocol


class Command(Protocol):
    """What a module of this package has at its top level."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's options."""
        ...

    def run(self, arguments: argparse.Namespace) -> None:
        """Do it; results go to stdout, progress to stderr."""
        ...
