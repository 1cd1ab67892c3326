"""Why a worker cannot work, for programs that can do something about it."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """TORCH: PyTorch is absent or broken, it can be installed. PACKAGE: another package is. MODEL, DEVICE: the weights
    or the device asked for. PYTHON: the interpreter cannot be started. VERSION: client and worker are of two versions.
    ENDED: the process ended by itself or was killed. OTHER: something unexpected."""

    TORCH = "torch"
    PACKAGE = "package"
    MODEL = "model"
    DEVICE = "device"
    PYTHON = "python"
    VERSION = "version"
    ENDED = "ended"
    OTHER = "other"
