"""How well batches scale: `python -m DPLSegmentLib.cohort.bench [--scans 60]`.

Scans are made from the bundled CT: shifted, resampled and noised, each another way. The same scans go through the
engine in a loop written by hand, through one worker and through two. Every run is a process of its own with one thread
a worker; what is compared is the time from the first scan's begin to the last one's end, without loading the model.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from scipy import ndimage

from DPLSegmentLib.images.reading import read_segmentation, read_volume
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.images.writing import write_segmentation, write_volume
from DPLSegmentLib.resources import resource

_ORGAN = "liver"
_EARLY = 10
_NOISE_HU = 8.0


@dataclass(frozen=True)
class Run:
    """Seconds between the first scan's begin and the last one's end, and the memory of all processes together in MB
    after the tenth scan and after the last one (None where it was not looked at)."""

    name: str
    scans: int
    seconds: float
    early_megabytes: float | None = None
    late_megabytes: float | None = None


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m DPLSegmentLib.cohort.bench", description="How batches scale.")
    parser.add_argument("--scans", type=int, default=60, metavar="N", help="how many scans (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="compared with one (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the numbers as a file too")
    parser.add_argument("--by-hand", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    if arguments.by_hand:
        print(json.dumps(_loop(arguments.by_hand)))
        return
    with tempfile.TemporaryDirectory() as folder:
        make_scans(Path(folder), arguments.scans)
        runs = list(_runs(Path(folder), arguments.workers))
    print(table(runs))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(run) for run in runs], indent=2) + "\n", encoding="utf-8")


def make_scans(folder: Path, count: int) -> None:
    """`support.nii.gz`, `painted.seg.nrrd` and `scans/` with `count` scans, in a folder."""
    ct = read_volume(resource("SampleData/example_ct.nii.gz"))
    labels = read_segmentation(resource("SampleData/example_ct-labels.nii.gz"))
    organ = next(segment for segment in labels.segments if segment.name == _ORGAN)
    painted = np.zeros_like(organ.mask)
    largest = int(organ.mask.sum(axis=(1, 2)).argmax())
    painted[largest] = organ.mask[largest]
    write_volume(ct, folder / "support.nii.gz")
    write_segmentation(Segmentation((organ.with_mask(painted),), ct.ijk_to_ras), folder / "painted.seg.nrrd")
    (folder / "scans").mkdir()
    for number in range(count):
        write_volume(varied(ct, number), folder / "scans" / f"scan{number:03d}.nii.gz")


def varied(ct: Volume, number: int) -> Volume:
    """The CT shifted by a few voxels, on voxels up to 15 % larger or smaller, with noise; another for each number."""
    random = np.random.default_rng(number)
    zoom = random.uniform(0.87, 1.15)
    array = ndimage.zoom(np.roll(ct.array, random.integers(-4, 5, 3), axis=(0, 1, 2)).astype(np.float32), zoom, order=1)
    noisy = array + random.normal(0, _NOISE_HU, array.shape)
    scale = np.diag([*((np.array(ct.shape) / array.shape)[::-1]), 1.0])
    return Volume(noisy.round().astype(np.int16), ct.ijk_to_ras @ scale, f"scan{number:03d}")


def table(runs: Sequence[Run]) -> str:
    """The runs and what they come to, for the terminal."""
    hand, one, many = runs
    lines = [f"{run.name:<22}{run.seconds:8.1f} s {3600 * run.scans / run.seconds:8.0f} scans/hour" for run in runs]
    lines.append(f"one worker has {100 * hand.seconds / one.seconds:.0f} % of the speed of the loop by hand (>= 90 %)")
    lines.append(f"{many.name}: {one.seconds / many.seconds:.2f} times as fast as one worker (>= 1.7)")
    for run in runs[1:]:
        if run.early_megabytes and run.late_megabytes:
            memory = f"{run.early_megabytes:.0f} MB after scan {_EARLY}, {run.late_megabytes:.0f} MB after the last one"
            lines.append(f"{run.name}: {memory}")
    return "\n".join(lines)


def _runs(folder: Path, workers: int) -> Iterator[Run]:
    count = len(list((folder / "scans").iterdir()))
    command = [sys.executable, "-m", "DPLSegmentLib.cohort.bench", "--by-hand", str(folder)]
    done = subprocess.run(command, env=_environment(), stdout=subprocess.PIPE, check=True, text=True)
    yield Run("loop by hand", count, json.loads(done.stdout.splitlines()[-1]))
    yield _batch(folder, count, 1)
    yield _batch(folder, count, workers)


def _loop(folder: Path) -> float:
    """What a researcher would write: seconds for reading, propagating and writing scan after scan."""
    from DPLSegmentLib.propagation.engine import load_engine
    from DPLSegmentLib.propagation.types import Support

    engine = load_engine("cpu")
    support = Support(read_volume(folder / "support.nii.gz"), read_segmentation(folder / "painted.seg.nrrd"))
    prototypes = engine.prototypes([support])
    start = time.perf_counter()
    for path in sorted((folder / "scans").iterdir()):
        result = engine.propagate(prototypes, read_volume(path))
        write_segmentation(result.segmentation, folder / f"{path.name}-hand.seg.nrrd")
        write_volume(result.confidence, folder / f"{path.name}-hand.nii.gz")
    return time.perf_counter() - start


def _batch(folder: Path, count: int, workers: int) -> Run:
    """One batch; its events say when scans begin and end."""
    words = ["--support", folder / "support.nii.gz", "--painted", folder / "painted.seg.nrrd", folder / "scans"]
    more = ["--output", folder / f"out{workers}", "--workers", workers, "--device", "cpu", "--events"]
    command = [sys.executable, "-m", "DPLSegmentLib", "batch", *map(str, [*words, *more])]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=_environment(), stdin=pipe, stdout=pipe, text=True) as process:
        return _followed(process, f"{workers} worker{'s' if workers > 1 else ''}", count)


def _followed(process: subprocess.Popen[str], name: str, count: int) -> Run:
    begin, ends, memory = 0.0, [], {}
    for line in process.stdout or ():
        event: dict[str, Any] = json.loads(line)
        if event.get("state") == "running":
            begin = begin or time.perf_counter()
        if event.get("state") == "done":
            ends.append(time.perf_counter())
            if len(ends) in (_EARLY, count):
                memory[len(ends)] = _megabytes(process.pid)
    return Run(name, len(ends), ends[-1] - begin, memory.get(_EARLY), memory.get(count))


def _megabytes(pid: int) -> float:
    """Resident memory of a process and all that it has started."""
    parent = psutil.Process(pid)
    return sum(process.memory_info().rss for process in [parent, *parent.children(recursive=True)]) / 1e6


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    main()
