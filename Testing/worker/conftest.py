"""Real worker processes, a listener that remembers, and a loop that polls as the panel does."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import Progress, Propagation, SliceResult
from DPLSegmentLib.worker.blocks import PREFIX
from DPLSegmentLib.worker.client import PaintedScan, PropagateRequest, Scan, Worker, WorkerOptions
from DPLSegmentLib.worker.launch import starter

LONGEST_WAIT = 300.0


class Told:
    """What a listener was told, and when (monotonic)."""

    def __init__(self) -> None:
        self.progress: list[Progress] = []
        self.slices: list[SliceResult] = []
        self.ends: list[str] = []
        self.result: Propagation | None = None
        self.sentence = ""
        self.ended_at = 0.0
        self.first_slice_at = 0.0

    def on_progress(self, progress: Progress) -> None:
        """Remember it."""
        self.progress.append(progress)

    def on_slice(self, result: SliceResult) -> None:
        """Remember it."""
        self.first_slice_at = self.first_slice_at or time.monotonic()
        self.slices.append(result)

    def on_done(self, result: Propagation | None) -> None:
        """Remember it."""
        self.result = result
        self._end("done")

    def on_failed(self, sentence: str) -> None:
        """Remember it."""
        self.sentence = sentence
        self._end("failed")

    def on_cancelled(self) -> None:
        """Remember it."""
        self._end("cancelled")

    def _end(self, how: str) -> None:
        self.ends.append(how)
        self.ended_at = time.monotonic()


@contextmanager
def spent() -> Iterator[list[float]]:
    """The seconds a block took. Where the system gave the processor to another program meanwhile, which says nothing
    of the block, those that it computed."""
    seconds, start, computed, preempted = [], time.monotonic(), time.thread_time(), preemptions()
    yield seconds
    wall = time.monotonic() - start
    seconds.append(wall if preemptions() == preempted else time.thread_time() - computed)


def preemptions() -> int:
    """How often this thread had to give way; 0 where the system does not count it."""
    if sys.platform != "linux":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw


@dataclass
class Driver:
    """Polls a worker until something is true; `longest` is the longest poll in seconds."""

    pause: float = 0.005
    longest: float = 0.0
    polls: list[float] = field(default_factory=list)

    def __call__(self, worker: Worker, until: Callable[[], object], seconds: float = LONGEST_WAIT) -> None:
        """Fails the test when it takes longer than that."""
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, f"waited {seconds} s in vain; log: {worker.log()}"
            with spent() as seconds:
                worker.poll()
            self.polls += seconds
            time.sleep(self.pause)
        self.longest = max(self.polls, default=0.0)


@pytest.fixture
def drive() -> Driver:
    """A fresh driver."""
    return Driver()


@pytest.fixture
def timed() -> Callable[[], AbstractContextManager[list[float]]]:
    """Measures a block."""
    return spent


@pytest.fixture
def told() -> Told:
    """A fresh listener."""
    return Told()


@pytest.fixture
def other_told() -> Told:
    """Another one."""
    return Told()


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    """A worker that the tests of a file share."""
    worker = Worker(starter(), WorkerOptions("cpu"))
    worker.start()
    yield worker
    worker.stop()


@pytest.fixture
def new_worker() -> Iterator[Worker]:
    """One that a test may do anything to; it is not started yet."""
    worker = Worker(starter(), WorkerOptions("cpu"))
    yield worker
    worker.stop()


@pytest.fixture(scope="session")
def kidney_scan(kidney_ct: Volume) -> Scan:
    """The small crop of the CT."""
    return Scan("vtkMRMLScalarVolumeNode1 17", kidney_ct)


@pytest.fixture(scope="session")
def request_for_kidney(kidney_scan: Scan, painted_kidney: Segmentation) -> PropagateRequest:
    """One painted slice each of kidney and liver to the crop itself."""
    return PropagateRequest((PaintedScan(kidney_scan, painted_kidney),), kidney_scan)


@pytest.fixture(scope="session")
def other_scan(ct: Volume) -> Scan:
    """Another piece of the CT around the right kidney, as it were another scan."""
    box = (slice(70, 108), slice(20, 76), slice(60, 122))
    moved = ct.ijk_to_ras.copy()
    moved[:3, 3] += ct.ijk_to_ras[:3, :3] @ np.array([part.start for part in box][::-1])
    return Scan("vtkMRMLScalarVolumeNode2 3", Volume(ct.array[box].copy(), moved, "other"))


@pytest.fixture(scope="session")
def whole_request(ct: Volume, truth: Segmentation) -> PropagateRequest:
    """Four organs on the whole CT, painted on their largest slice."""
    names = ("liver", "spleen", "right kidney", "left kidney")
    organs = (segment for segment in truth.segments if segment.name in names)
    segments = tuple(organ.with_mask(largest_slice_of(organ.mask)) for organ in organs)
    scan = Scan("ct", ct)
    return PropagateRequest((PaintedScan(scan, Segmentation(segments, ct.ijk_to_ras)),), scan)


def largest_slice_of(mask: np.ndarray) -> np.ndarray:
    """A mask [z, y, x] with only its largest axial slice."""
    painted, index = np.zeros_like(mask), int(mask.sum((1, 2)).argmax())
    painted[index] = mask[index]
    return painted


@pytest.fixture
def blocks() -> Callable[[], list[str]]:
    """The blocks of this process that have a name, where the system shows them."""
    folder = Path("/dev/shm")
    return lambda: sorted(path.name for path in folder.glob(f"{PREFIX}{os.getpid()}-*"))


@pytest.fixture
def lives() -> Callable[[int], bool]:
    """Whether a process lives; one that ended and was not collected yet does not."""

    def living(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    return living
