"""Where a number was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import torch

_CPUINFO = Path("/proc/cpuinfo")


def machine() -> dict[str, Any]:
    """CPU, cores, threads, GPU, versions and the commit of the source tree (None outside of one)."""
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "commit": commit(),
    }


def cpu_name() -> str:
    """The processor's name as the system tells it."""
    if _CPUINFO.is_file():
        names = [line.partition(":")[2].strip() for line in _CPUINFO.read_text().splitlines() if "model name" in line]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def commit() -> str | None:
    """The git commit of the source tree, with "+" when files differ from it; None where there is no git or no tree."""
    here = Path(__file__).resolve().parent
    try:
        head = _git(here, "rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git(here, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def describe(facts: dict[str, Any]) -> str:
    """One line for the foot of a table."""
    accelerator = f", {facts['gpu']}" if facts["gpu"] else ""
    return (
        f"{facts['cpu']}, {facts['cores']} cores, {facts['threads']} threads{accelerator}, "
        f"torch {facts['torch']}, commit {facts['commit'] or 'unknown'}"
    )


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(("git", *words), cwd=folder, capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()
