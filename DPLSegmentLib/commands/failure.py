"""What is said when a command fails, and the exit code that goes with it."""

from __future__ import annotations

import errno
import sys
import traceback

FAILED = 1
INTERRUPTED = 130

_DISK = {
    errno.ENOSPC: "There is no space left on the disk of {file}: free some, or choose another output folder.",
    errno.EDQUOT: "The quota of {file} is used up: free some space, or choose another output folder.",
    errno.EACCES: "{file} may not be written or read: change its permissions, or choose another output folder.",
    errno.EPERM: "{file} may not be written or read: change its permissions, or choose another output folder.",
    errno.EROFS: "{file} is on a disk that is mounted read-only: choose another output folder.",
    errno.ENOENT: "{file} does not exist: check the path.",
    errno.ENOTDIR: "{file} lies below a file that is not a folder: choose another path.",
    errno.EEXIST: "{file} exists and is not a folder: choose another output folder.",
    errno.EISDIR: "{file} is a folder: choose another path.",
}


class CommandError(ValueError):
    """A command cannot do what was asked; the message says why and what to do."""


def report(error: BaseException, debug: bool = False) -> int:
    """Say on stderr what went wrong; returns the exit code."""
    if debug:
        traceback.print_exception(error)
    print(f"dpl-segment: {sentence(error)}", file=sys.stderr)
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAILED


def sentence(error: BaseException) -> str:
    """What the user is told. Exceptions of this library carry their own sentence."""
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted: what was finished is kept, nothing is half-written."
    if type(error).__module__.startswith("DPLSegmentLib"):
        return _one_line(str(error)) or "Stopped before it was finished."
    if isinstance(error, ModuleNotFoundError):
        return _missing_package(error)
    if isinstance(error, OSError) and error.errno in _DISK:
        return _DISK[error.errno].format(file=error.filename or "the output folder")
    if isinstance(error, MemoryError):
        return "There is not enough memory: close other programs, or give a smaller scan."
    return (
        f"An unexpected {type(error).__name__} ({_one_line(str(error))[:200]}): run again with --debug and report it."
    )


def _missing_package(error: ModuleNotFoundError) -> str:
    return (
        f"The Python package {error.name} is missing: install it, or install dpl-segment with the extra that needs it."
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
