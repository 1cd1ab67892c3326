"""From nothing to a result: one organ in a fresh process, with the seconds since its start and the peak memory.

`python -m DPLSegmentLib.evaluation.cold METHOD SCAN PAINTED STARTED DEVICE [WEIGHTS]` prints one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from DPLSegmentLib.evaluation.errors import EvaluationError
from DPLSegmentLib.evaluation.memory import peak_megabytes
from DPLSegmentLib.images.reading import read_segmentation, read_volume
from DPLSegmentLib.images.writing import write_segmentation, write_volume
from DPLSegmentLib.propagation.types import SliceResult, Support

OURS, GROW, WALK = "ours", "grow from seeds", "random walker"
WAIT_SECONDS = 600


@dataclass(frozen=True)
class ColdStart:
    """Seconds from the start of the process to the first and to the whole result; peak memory in MB."""

    first: float
    whole: float
    megabytes: float | None


def cold_start(method: str, support: Support, device: str = "auto", weights: Path | None = None) -> ColdStart:
    """Start a process that segments what is painted; reading the scan from a file is part of it.

    Raises EvaluationError with the process's last words when it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        scan, painted = Path(folder, "scan.nii.gz"), Path(folder, "painted.seg.nrrd")
        write_volume(support.volume, scan)
        write_segmentation(support.painted, painted)
        words = [method, str(scan), str(painted), str(time.time()), device, *([str(weights)] if weights else [])]
        done = subprocess.run(
            [sys.executable, "-m", __name__, *words], capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
        )
    if done.returncode:
        raise EvaluationError(f"A fresh process of {method} failed: {done.stderr.strip()[-300:]}")
    return ColdStart(**json.loads(done.stdout.strip().splitlines()[-1]))


def main(words: Sequence[str]) -> None:
    """The fresh process."""
    method, scan, painted, started, device, *weights = words
    support = Support(read_volume(scan), read_segmentation(painted))
    first = _segment(method, support, device, weights[0] if weights else None)
    whole = time.time()
    seconds = {"first": (first or whole) - float(started), "whole": whole - float(started)}
    print(json.dumps({**seconds, "megabytes": peak_megabytes()}))


def _segment(method: str, support: Support, device: str, weights: str | None) -> float | None:
    """Do it; returns when the first neighbouring slice was there, None where all slices come at the end."""
    if method == OURS:
        return _propagate(support, device, weights)
    _segmenter(method).segment([support], support.volume)
    return None


def _propagate(support: Support, device: str, weights: str | None) -> float:
    from DPLSegmentLib.propagation.engine import load_engine

    arrivals: list[float] = []

    def note(_slice: SliceResult) -> None:
        arrivals.append(time.time())

    load_engine(device, Path(weights) if weights else None).propagate([support], support.volume, on_slice=note)
    return arrivals[0]


def _segmenter(method: str) -> Any:
    if method == GROW:
        from DPLSegmentLib.evaluation.grow_from_seeds import GrowFromSeeds

        return GrowFromSeeds()
    from DPLSegmentLib.evaluation.random_walker import RandomWalker

    return RandomWalker()


if __name__ == "__main__":
    main(sys.argv[1:])
