"""What the user is told when something goes wrong."""

from __future__ import annotations

import errno

from DPLSegmentLib.worker.reasons import Reason

_INSTALL = "press Install or check PyTorch under Advanced"
_DISK = {
    errno.ENOSPC: "There is no space left for {file}: free some, or choose another folder.",
    errno.EDQUOT: "The quota of {file} is used up: free some space, or choose another folder.",
    errno.EACCES: "{file} may not be written or read: choose another file.",
    errno.EPERM: "{file} may not be written or read: choose another file.",
    errno.EROFS: "{file} is on a disk that is mounted read-only: choose another folder.",
    errno.ENOENT: "{file} does not exist: choose another file.",
}


def sentence(error: BaseException) -> str:
    """For a job. Errors of this library carry their own sentence."""
    if is_ours(error):
        return _one_line(str(error))
    if isinstance(error, OSError) and error.errno in _DISK and error.filename:
        return _DISK[error.errno].format(file=error.filename)
    if out_of_memory(error):
        return "The memory does not suffice for this scan: close other programs, or give a smaller scan."
    return f"An unexpected {type(error).__name__} in the worker: try again, and report it with the log under Advanced."


def refusal(error: BaseException) -> tuple[Reason, str]:
    """For a worker that cannot start: why, and what the user is told."""
    package = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    if package == "torch" and isinstance(error, ModuleNotFoundError):
        return Reason.TORCH, f"PyTorch is not installed: {_INSTALL}."
    if package not in ("", "torch"):
        return (
            Reason.PACKAGE,
            f"The Python package {package} is missing or broken: install DPLSegment anew.",
        )
    if isinstance(error, ImportError | OSError) and not is_ours(error):
        return Reason.TORCH, f"PyTorch is installed but cannot be loaded: {_INSTALL}, and see the log."
    if type(error).__name__ == "DeviceError":
        return Reason.DEVICE, "The device chosen cannot be used by this PyTorch: choose auto or cpu under Advanced."
    if is_ours(error):
        return Reason.MODEL, _one_line(str(error))
    return Reason.OTHER, f"The worker cannot start ({type(error).__name__}): see the log under Advanced."


def start_sentence(error: OSError) -> str:
    """For an interpreter that cannot be started."""
    reason = error.strerror or type(error).__name__
    return f"The worker could not be started ({reason}): check that Slicer is installed completely, or start it again."


def ended_sentence(exit_code: int | None, worked: bool) -> str:
    """For a process that ended by itself or was killed."""
    if not worked:
        return f"The worker ended while it was starting (exit code {exit_code}): see the log under Advanced."
    killed = exit_code is not None and exit_code < 0
    why = "was ended from outside, perhaps because the memory was full" if killed else "ended unexpectedly"
    return f"The worker {why} (exit code {exit_code}): try again; the log is under Advanced."


def no_shared_memory(error: OSError) -> str:
    """For a block that cannot be made or filled."""
    reason = error.strerror or str(error)
    return f"There is no shared memory left for this scan ({reason}): close other programs, or close scans."


def is_ours(error: BaseException) -> bool:
    """Whether the error is one of this library, whose text is meant for the user."""
    return type(error).__module__.startswith("DPLSegmentLib")


def out_of_memory(error: BaseException) -> bool:
    """Whether a processor or a graphics card has too little memory."""
    torch_says = type(error).__name__ == "OutOfMemoryError" or "allocate memory" in str(error)
    full = isinstance(error, OSError) and error.errno in (errno.ENOMEM, errno.ENOSPC)
    return isinstance(error, MemoryError) or torch_says or full


def _one_line(text: str) -> str:
    return " ".join(text.split())
