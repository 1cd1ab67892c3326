"""Unusable files, full disks and interruptions: nothing stops the rest, nothing is half-written."""

from __future__ import annotations

import gzip
import shutil
import signal
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from DPLSegmentLib.cli import main
from DPLSegmentLib.images.reading import read_volume

from .conftest import finish, next_event, states, triple, triples, words_for

Child = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def hostile(cohort: Path, tmp_path: Path) -> Path:
    """One good scan among files that are broken, or that lie."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    good = cohort / "scans" / "scan0.nii.gz"
    shutil.copy(good, folder / "good.nii.gz")
    (folder / "truncated.nii.gz").write_bytes(good.read_bytes()[:5000])
    (folder / "text.nii.gz").write_text("no image")
    (folder / "empty.nrrd").touch()
    header = bytearray(gzip.decompress(good.read_bytes()))
    struct.pack_into("<3h", header, 42, 10000, 10000, 10000)
    (folder / "huge.nii.gz").write_bytes(gzip.compress(bytes(header)))
    (tmp_path / "secret.raw").write_bytes(bytes(1000))
    lines = ["NRRD0004", "type: uint8", "dimension: 3", "sizes: 10 10 10", "encoding: raw", "data file: ../secret.raw"]
    (folder / "outside.nhdr").write_text("\n".join(lines) + "\n")
    return folder


def test_files_that_cannot_be_used_are_named_and_the_good_one_is_segmented(
    hostile: Path, cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert main(words_for(cohort, hostile, output)) == 1
    assert "5 of 6 scans failed" in capsys.readouterr().err
    bad = dict.fromkeys(("empty", "huge", "outside", "text", "truncated"), "failed")
    assert states(output) == {"good": "done", **bad}
    assert triples(output) == triple("good")
    assert all(f"{scan}: failed; " in (output / "batch.log").read_text() for scan in bad)


def test_a_full_disk_leaves_no_partial_file_and_the_rest_is_done_later(
    cohort: Path, tmp_path: Path, child: Child
) -> None:
    """A limit on the size of files takes the place of a full disk: writing fails in the middle of a file."""
    output = tmp_path / "out"
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1500, resource.RLIM_INFINITY))"
    process = child(words_for(cohort, cohort / "scans", output), limit)
    said = finish(process)
    assert process.returncode == 1
    assert said.splitlines()[-1].startswith("dpl-segment: ")
    assert triples(output) == set()
    assert not any(path.name.startswith(".") for path in output.iterdir())
    assert main(words_for(cohort, cohort / "scans", output)) == 0
    assert set(states(output).values()) == {"done"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_batch_keeps_what_is_finished_and_goes_on_later(
    number: signal.Signals, cohort: Path, tmp_path: Path, child: Child
) -> None:
    output = tmp_path / "out"
    process = child(words_for(cohort, cohort / "scans", output, "--events"))
    next_event(process, "done")
    process.send_signal(number)
    finish(process)
    assert process.returncode == 130
    assert states(output)["scan0"] == "done" and states(output)["scan2"] == "not reached"
    finished = {scan for scan, state in states(output).items() if state == "done"}
    assert triples(output) == set().union(*map(triple, finished))
    assert main(words_for(cohort, cohort / "scans", output)) == 0
    assert {scan for scan, state in states(output).items() if state == "finished before"} == finished


def test_a_killed_batch_leaves_whole_results_and_goes_on(cohort: Path, tmp_path: Path, child: Child) -> None:
    output = tmp_path / "out"
    process = child(words_for(cohort, cohort / "scans", output, "--events"))
    next_event(process, "done")
    process.kill()
    process.wait()
    for path in output.glob("*-confidence.nii.gz"):
        assert np.isfinite(read_volume(path).array).all()
    assert main(words_for(cohort, cohort / "scans", output)) == 0
    assert states(output)["scan0"] == "finished before"
    assert triples(output) == triple("scan0") | triple("scan1") | triple("scan2")
