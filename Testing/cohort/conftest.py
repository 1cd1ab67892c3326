"""Small scans made from the bundled CT, what was painted on one of them, and a batch of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DPLSegmentLib.cli import main
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.images.writing import write_segmentation, write_volume

SLICES = slice(8, 16)
SCANS = 3


@pytest.fixture(scope="session")
def small_ct(kidney_ct: Volume) -> Volume:
    """Eight slices through the right kidney."""
    matrix = kidney_ct.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, 2] * SLICES.start
    return Volume(np.ascontiguousarray(kidney_ct.array[SLICES]), matrix, "small")


@pytest.fixture(scope="session")
def small_painted(small_ct: Volume, kidney_truth: Segmentation) -> Segmentation:
    """The kidney, painted on the slice in the middle."""
    kidney = next(segment for segment in kidney_truth.segments if segment.name == "right kidney")
    mask = np.zeros(small_ct.shape, bool)
    mask[4] = kidney.mask[SLICES][4]
    return Segmentation((kidney.with_mask(mask),), small_ct.ijk_to_ras, "painted")


@pytest.fixture(scope="session")
def cohort(small_ct: Volume, small_painted: Segmentation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `support.nii.gz`, `painted.seg.nrrd` and three scans in `scans`, each with other noise."""
    folder = tmp_path_factory.mktemp("cohort")
    (folder / "scans").mkdir()
    write_volume(small_ct, folder / "support.nii.gz")
    write_segmentation(small_painted, folder / "painted.seg.nrrd")
    for number in range(SCANS):
        noise = np.random.default_rng(number).normal(0, 5, small_ct.shape)
        write_volume(
            small_ct.with_array((small_ct.array + noise).astype(np.int16)), folder / f"scans/scan{number}.nii.gz"
        )
    return folder


@pytest.fixture(scope="session")
def results(cohort: Path) -> Path:
    """The output folder of a whole batch in this process; only looked at."""
    output = cohort / "results"
    assert main(words_for(cohort, cohort / "scans", output)) == 0
    return output


@pytest.fixture
def child() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `dpl-segment` with words in a process of its own, ended after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(words: list[str], before: str = "", **environment: str) -> subprocess.Popen[str]:
        started.append(start_child(words, before, **environment))
        return started[-1]

    yield start
    for process in started:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """Kill a process with all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()


def start_child(words: list[str], before: str = "", **environment: str) -> subprocess.Popen[str]:
    """The command line in a process that heeds Ctrl-C; `before` is Python that runs first."""
    code = f"import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n{before}\n"
    code += "from DPLSegmentLib.cli import main\nif __name__ == '__main__': sys.exit(main(sys.argv[1:]))"
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", code, *words], stdin=pipe, stdout=pipe, stderr=pipe, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment}, start_new_session=True,
    )  # fmt: skip


def words_for(cohort: Path, scans: Path, output: Path, *more: str | Path) -> list[str]:
    """The words of a batch on the CPU."""
    painted = ["--support", cohort / "support.nii.gz", "--painted", cohort / "painted.seg.nrrd"]
    return [str(word) for word in ("batch", *painted, scans, "--output", output, "--device", "cpu", *more)]


def next_event(process: subprocess.Popen[str], state: str, scan: str = "") -> dict[str, Any]:
    """The next event of this state that the process tells, of any scan or of this one."""
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event.get("state") == state and scan in ("", event["id"]):
            return event
    raise AssertionError(f"no scan became {state}: {process.stderr.read() if process.stderr else ''}")


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for the end, with standard input left open; returns what was said on stderr."""
    assert process.stdout is not None and process.stderr is not None
    process.stdout.read()
    said = process.stderr.read()
    process.wait(timeout=30)
    return said


def states(output: Path) -> dict[str, str]:
    """The status of every scan in summary.csv."""
    rows = [line.split(",") for line in (output / "summary.csv").read_text().splitlines()[1:]]
    return {row[0]: row[1] for row in rows}


def triples(output: Path) -> set[str]:
    """Result files in an output folder, none of them a stray one."""
    own = {"summary.csv", "report.html", "batch.log"}
    return {path.name for path in output.iterdir() if path.is_file() and path.name not in own}


def triple(scan: str) -> set[str]:
    """The files of a scan."""
    return {f"{scan}-segmentation.seg.nrrd", f"{scan}-confidence.nii.gz", f"{scan}.json"}
