"""The network and the device that a command runs it on."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from DPLSegmentLib.propagation.engine import Engine

DEVICES = ("auto", "cuda", "mps", "cpu")

Result = TypeVar("Result")


def add_model_arguments(parser: argparse._ActionsContainer) -> None:
    """--device and --weights, as every command has them that runs the network."""
    parser.add_argument("--device", choices=DEVICES, default="auto", help="auto: the fastest there is (the default)")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="other weights than the bundled ones")


def load_model(arguments: argparse.Namespace) -> tuple[Engine, float]:
    """The engine and the seconds it took, torch's import among them.

    Raises CheckpointError or PropagationError for unusable weights or a device that is not there.
    """
    return timed(lambda: _load(arguments))


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """What `work` returns, and the seconds it took."""
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def _load(arguments: argparse.Namespace) -> Engine:
    from DPLSegmentLib.propagation.engine import load_engine

    return load_engine(arguments.device, arguments.weights)
