"""Started, cancelled and killed at random moments, over and over: nothing may be left.

`DPLSEGMENT_SOAK=200` sets the number of cycles.
"""

from __future__ import annotations

import gc
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from DPLSegmentLib.worker.client import PropagateRequest, Scan, Worker, WorkerOptions
from DPLSegmentLib.worker.launch import worker_command, worker_environment
from DPLSegmentLib.worker.transport import PipeTransport, Transport

CYCLES = int(os.environ.get("DPLSEGMENT_SOAK", "5"))
LONGEST = 4.0


class Recording:
    """Starts workers whose temporary folder is watched, and remembers their process ids."""

    def __init__(self, temporary: Path) -> None:
        self.pids: list[int] = []
        self._environment = worker_environment({**os.environ, "TMPDIR": str(temporary)})

    def __call__(self, options: WorkerOptions) -> Transport:
        """A worker process."""
        transport = PipeTransport(worker_command(sys.executable, options), self._environment)
        self.pids.append(transport.pid)
        return transport


def cycle(worker: Worker, pids: list[int], chance: random.Random, ask: Callable[[], Any], told: Any) -> str:
    """Ask, and do something rude after a random time; returns what happened."""
    job, deed = ask(), chance.choice(["cancel", "kill", "kill", "stop", "nothing"])
    moment = time.monotonic() + chance.uniform(0, LONGEST)
    while time.monotonic() < moment and not told.ends:
        worker.poll()
        time.sleep(0.01)
    before = "before hello" if worker.info is None else "after hello"
    if deed == "cancel":
        worker.cancel(job)
    elif deed == "kill" and worker.running:
        os.kill(pids[-1], 9)
    elif deed == "stop":
        worker.stop()
    end = time.monotonic() + 300
    while not told.ends and time.monotonic() < end:
        worker.poll()
        time.sleep(0.01)
    return f"{deed} {before}: {told.ends}"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_nothing_is_left_after_many_starts_cancels_and_kills(
    tmp_path: Path, request_for_kidney: PropagateRequest, other_scan: Scan, told: Any, blocks: Callable,
    lives: Callable[[int], bool],
) -> None:  # fmt: skip
    chance, start, before = random.Random(0), Recording(tmp_path), open_blocks()
    worker = Worker(start, WorkerOptions("cpu"))
    asks = [
        lambda: worker.propagate(request_for_kidney, told),
        lambda: worker.embed(other_scan, told),
        lambda: worker.propagate(PropagateRequest(request_for_kidney.supports, other_scan), told),
    ]
    happened = []
    for _ in range(CYCLES):
        told.ends.clear()
        happened.append(cycle(worker, start.pids, chance, chance.choice(asks), told))
        assert len(told.ends) == 1, happened[-1]
        assert blocks() == []
        assert sum(map(lives, start.pids)) <= 1 + len(worker._retired._ending)
    worker.stop()
    counts = {what: happened.count(what) for what in sorted(set(happened))}
    print(f"\n{CYCLES} cycles, {len(start.pids)} processes: {counts}")
    assert [pid for pid in start.pids if lives(pid)] == []
    assert blocks() == [] and list(tmp_path.iterdir()) == []
    told.result = None
    gc.collect()
    assert open_blocks() <= before


def open_blocks() -> set[Path]:
    """Descriptors of this process that are blocks; other tests may still hold some."""
    return {link for link in Path("/proc/self/fd").iterdir() if is_block(link)}


def is_block(descriptor: Path) -> bool:
    """A shared-memory block that is still open."""
    try:
        return "dpls-" in str(descriptor.readlink())
    except OSError:
        return False
