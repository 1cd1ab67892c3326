"""How the worker process is started."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from DPLSegmentLib.threads import WAITING
from DPLSegmentLib.worker.requests import WorkerOptions
from DPLSegmentLib.worker.transport import PipeTransport, Transport

PACKAGE_ROOT = Path(__file__).resolve().parents[2]


def worker_command(python: str, options: WorkerOptions) -> list[str]:
    """The command line for an interpreter; inside Slicer that is `PythonSlicer`."""
    command = [python, "-m", "DPLSegmentLib.worker", "--device", options.device]
    if options.weights is not None:
        command += ["--weights", str(options.weights)]
    if options.memory_limit_mib is not None:
        command += ["--memory-limit", str(options.memory_limit_mib)]
    return command


def worker_environment(base: Mapping[str, str], package_root: Path = PACKAGE_ROOT) -> dict[str, str]:
    """`base`, in which `package_root`, the folder that holds DPLSegmentLib, is found before anything else.

    Nothing is imported from the current folder, and text is UTF-8 whatever the system says.
    """
    paths = [str(package_root), *filter(None, [base.get("PYTHONPATH")])]
    ours = {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(paths)}
    return {"OMP_NUM_THREADS": str(_cores()), **WAITING, **base, **ours}


def starter(python: str = sys.executable, base: Mapping[str, str] = os.environ) -> Callable[[WorkerOptions], Transport]:
    """What `Worker` needs to start processes of this interpreter."""
    return lambda options: PipeTransport(worker_command(python, options), worker_environment(base))


def _cores() -> int:
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1
