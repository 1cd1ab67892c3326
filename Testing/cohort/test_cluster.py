"""Batches on real worker processes of this computer."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlparse

import distributed
import psutil
import pytest

from DPLSegmentLib.cli import main
from DPLSegmentLib.cohort.connection import local_workers

from .conftest import finish, next_event, states, triple, triples, words_for

Child = Callable[..., subprocess.Popen[str]]

TWO = ("--workers", "2")


def kill_worker(batch: subprocess.Popen[str], address: str) -> None:
    """End the process that listens at this address, one that the batch has started, as the kernel ends one."""
    port = urlparse(address).port
    for process in psutil.Process(batch.pid).children(recursive=True):
        if any(line.laddr.port == port and line.status == psutil.CONN_LISTEN for line in process.net_connections()):
            process.kill()
            return
    raise AssertionError(f"no process listens at {address}")


def test_two_workers_write_what_one_writes_and_a_failure_is_tried_on_both(
    cohort: Path, results: Path, tmp_path: Path
) -> None:
    scans, output = Path(shutil.copytree(cohort / "scans", tmp_path / "scans")), tmp_path / "out"
    (scans / "text.nii.gz").write_text("no image")
    assert main(words_for(cohort, scans, output, *TWO)) == 1
    assert states(output) == {"scan0": "done", "scan1": "done", "scan2": "done", "text": "failed"}
    assert triples(output) == triples(results)
    for name in ("scan0-segmentation.seg.nrrd", "scan1-segmentation.seg.nrrd", "scan2-confidence.nii.gz"):
        assert (output / name).read_bytes() == (results / name).read_bytes()
    log = (output / "batch.log").read_text()
    assert "text failed on " in log and "goes to another worker" in log
    assert "Dask dashboard: http://127.0.0.1:" in log


def test_a_worker_killed_in_mid_scan_loses_no_scan(cohort: Path, tmp_path: Path, child: Child) -> None:
    batch = child(words_for(cohort, cohort / "scans", tmp_path, "--events", *TWO))
    kill_worker(batch, next_event(batch, "running")["worker"])
    finish(batch)
    assert batch.returncode == 0
    assert set(states(tmp_path).values()) == {"done"}
    assert triples(tmp_path) == triple("scan0") | triple("scan1") | triple("scan2")


def test_a_scan_that_ends_its_workers_is_named_and_done_when_it_no_longer_does(
    cohort: Path, tmp_path: Path, child: Child
) -> None:
    once = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    batch = child(words_for(cohort, cohort / "scans", tmp_path, "--events", *TWO), **once)
    event = next_event(batch, "running")
    kill_worker(batch, event["worker"])
    again = next_event(batch, "running", event["id"])
    kill_worker(batch, again["worker"])
    said = finish(batch)
    assert batch.returncode == 1
    assert states(tmp_path)[event["id"]] == "failed" and "lack of memory" in said
    assert list(states(tmp_path).values()).count("done") == 2
    assert main(words_for(cohort, cohort / "scans", tmp_path)) == 0
    assert states(tmp_path)[event["id"]] == "done"


def test_ctrl_c_in_a_terminal_ends_all_processes_and_the_batch_goes_on_later(
    cohort: Path, tmp_path: Path, child: Child
) -> None:
    batch = child(words_for(cohort, cohort / "scans", tmp_path, "--events", *TWO))
    done = next_event(batch, "done")["id"]
    os.killpg(batch.pid, signal.SIGINT)
    said = finish(batch)
    assert batch.returncode == 130
    assert said.splitlines()[-1].startswith("dpl-segment: Interrupted")
    assert triples(tmp_path) == set().union(
        *(triple(scan) for scan, state in states(tmp_path).items() if state == "done")
    )
    assert main(words_for(cohort, cohort / "scans", tmp_path)) == 0
    assert states(tmp_path)[done] == "finished before"
    assert triples(tmp_path) == triple("scan0") | triple("scan1") | triple("scan2")


def test_strangers_on_this_computer_cannot_use_the_workers() -> None:
    with local_workers(1) as connection:
        address = connection.client.scheduler_info()["address"]
        assert address.startswith("tls://127.0.0.1:")
        for stranger in (address.replace("tls", "tcp"), address):
            with pytest.raises((OSError, TypeError, ValueError)):
                distributed.Client(stranger, timeout=2, set_as_default=False)
