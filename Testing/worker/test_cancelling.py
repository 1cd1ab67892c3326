"""Cancel is answered within a second, whatever the process is doing."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.worker.client import PropagateRequest, Scan, Worker

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be halted there")
ON_TIME = 1.0


def test_a_propagation_is_cancelled_in_mid_run_and_the_same_process_goes_on(
    worker: Worker, drive: Any, told: Any, other_told: Any, whole_request: PropagateRequest,
    request_for_kidney: PropagateRequest,
) -> None:  # fmt: skip
    job = worker.propagate(whole_request, told)
    drive(worker, lambda: told.slices)
    pid, start = worker.info.pid, time.monotonic()
    worker.cancel(job)
    worker.cancel(job)
    assert time.monotonic() - start < 0.02
    drive(worker, lambda: told.ends)
    print(f"\ncancelled after {told.ended_at - start:.3f} s")
    assert told.ends == ["cancelled"] and told.ended_at - start < ON_TIME
    worker.propagate(request_for_kidney, other_told)
    drive(worker, lambda: other_told.ends)
    assert other_told.ends == ["done"] and worker.info.pid == pid and told.ends == ["cancelled"]


def test_an_embedding_is_cancelled_in_mid_run(worker: Worker, drive: Any, told: Any, ct: Volume) -> None:
    job = worker.embed(Scan("new", ct.with_array(ct.array + np.int16(2))), told)
    drive(worker, lambda: told.progress)
    start = time.monotonic()
    worker.cancel(job)
    drive(worker, lambda: told.ends)
    assert told.ends == ["cancelled"] and told.ended_at - start < ON_TIME


def test_a_request_that_waits_is_cancelled_at_the_next_poll(
    worker: Worker, told: Any, other_told: Any, drive: Any, request_for_kidney: PropagateRequest, blocks: Callable
) -> None:
    worker.propagate(request_for_kidney, other_told)
    worker.cancel(worker.propagate(request_for_kidney, told))
    assert told.ends == []
    worker.poll()
    assert told.ends == ["cancelled"]
    drive(worker, lambda: other_told.ends)
    assert other_told.ends == ["done"] and blocks() == []


def test_what_is_done_cannot_be_cancelled(
    worker: Worker, told: Any, drive: Any, request_for_kidney: PropagateRequest
) -> None:
    job = worker.propagate(request_for_kidney, told)
    drive(worker, lambda: told.ends)
    worker.cancel(job)
    drive(worker, lambda: worker.idle)
    assert told.ends == ["done"] and job.ended


@POSIX
def test_a_process_that_does_not_answer_is_killed_and_what_waits_is_done_by_a_new_one(
    new_worker: Worker, drive: Any, told: Any, other_told: Any, whole_request: PropagateRequest,
    request_for_kidney: PropagateRequest, lives: Callable[[int], bool], blocks: Callable,
) -> None:  # fmt: skip
    job = new_worker.propagate(whole_request, told)
    new_worker.propagate(request_for_kidney, other_told)
    drive(new_worker, lambda: told.progress)
    pid, start = new_worker.info.pid, time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    new_worker.cancel(job)
    drive(new_worker, lambda: told.ends)
    print(f"\ncancelled after {told.ended_at - start:.3f} s")
    assert told.ends == ["cancelled"] and told.ended_at - start < ON_TIME
    drive(new_worker, lambda: other_told.ends)
    assert other_told.ends == ["done"] and new_worker.info.pid != pid and not lives(pid)
    assert drive.longest < 0.1 and blocks() == []


@POSIX
def test_stop_ends_a_process_that_does_not_answer_within_a_second(
    new_worker: Worker, drive: Any, told: Any, request_for_kidney: PropagateRequest, lives: Callable[[int], bool]
) -> None:
    new_worker.propagate(request_for_kidney, told)
    drive(new_worker, lambda: told.progress)
    pid = new_worker.info.pid
    os.kill(pid, signal.SIGSTOP)
    start = time.monotonic()
    new_worker.stop()
    new_worker.stop()
    assert time.monotonic() - start < 1.2 and not lives(pid)
    assert told.ends == ["cancelled"] and not new_worker.running and new_worker.idle


def test_stop_in_mid_run_is_soon_over_and_leaves_nothing(
    new_worker: Worker, drive: Any, told: Any, whole_request: PropagateRequest, lives: Callable[[int], bool],
    blocks: Callable,
) -> None:  # fmt: skip
    new_worker.propagate(whole_request, told)
    drive(new_worker, lambda: told.slices)
    pid, start = new_worker.info.pid, time.monotonic()
    new_worker.stop()
    assert time.monotonic() - start < 1.0 and not lives(pid)
    assert told.ends == ["cancelled"] and blocks() == []
