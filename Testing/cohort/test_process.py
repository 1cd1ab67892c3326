"""A batch in a process of its own, as the panel runs it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from DPLSegmentLib.cli import main
from DPLSegmentLib.cohort.process import BatchProcess, BatchRequest, starter
from DPLSegmentLib.cohort.scans import Record, State
from DPLSegmentLib.cohort.source import PrototypeSource

from .conftest import states


@pytest.fixture
def request_for(cohort: Path, tmp_path: Path) -> BatchRequest:
    """The batch of three scans."""
    painted = (cohort / "support.nii.gz", cohort / "painted.seg.nrrd")
    return BatchRequest((cohort / "scans",), tmp_path / "out", painted=painted, device="cpu")


def told(batch: BatchProcess, until: str) -> list[Record]:
    """All that is told until a scan has this state, or the process has ended."""
    records: list[Record] = []
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and until not in {record.state for record in records}:
        running = batch.running
        records += batch.poll()
        if not running:
            break
        time.sleep(0.02)
    return records


def test_states_are_told_a_stopped_batch_is_taken_up_again_and_a_result_is_opened(request_for: BatchRequest) -> None:
    batch = BatchProcess(starter(sys.executable), request_for)
    first = told(batch, State.DONE)
    assert [record.state for record in first[:3]] == [State.WAITING] * 3 and first[3].state is State.RUNNING
    assert batch.progress and batch.progress[0] in ("scan0", "scan1") and 0 <= batch.progress[1].fraction <= 1
    batch.stop()
    told(batch, "the end")
    again = BatchProcess(starter(sys.executable), request_for)
    records = {record.id: record for record in told(again, "the end")}
    assert records["scan0"].state is State.FINISHED_BEFORE
    assert {record.state for record in records.values()} <= {State.DONE, State.FINISHED_BEFORE} and len(records) == 3
    assert again.message() == "" and (request_for.output / "scan0-segmentation.seg.nrrd").is_file()
    assert len(states(request_for.output)) == 3


def test_a_batch_that_cannot_begin_says_why(request_for: BatchRequest) -> None:
    nowhere = BatchRequest((Path("nowhere"),), request_for.output, prototypes=Path("nowhere"))
    batch = BatchProcess(starter(sys.executable), nowhere)
    assert told(batch, "the end") == []
    assert "nowhere" in batch.message()


def test_the_request_becomes_the_words_of_the_command(tmp_path: Path) -> None:
    tls = (Path("ca"), Path("cert"), Path("key"))
    request = BatchRequest(
        (tmp_path,), Path("out"), prototypes=Path("p"), scheduler="tls://h:1", tls=tls, weights=Path("w"), only=("a",)
    )
    text = " ".join(request.words())
    assert text.startswith(
        "batch --events --prototypes p --scheduler tls://h:1 --tls-ca ca --tls-cert cert --tls-key key"
    )
    assert text.endswith(f"--only a -- {tmp_path}") and "--workers" not in text and "--weights w" in text


def test_prototypes_made_again_of_the_same_slice_go_on_where_a_batch_stopped(cohort: Path, tmp_path: Path) -> None:
    support = ["--support", str(cohort / "support.nii.gz"), "--painted", str(cohort / "painted.seg.nrrd")]
    scan = str(cohort / "scans" / "scan0.nii.gz")
    files = [tmp_path / "first.prototypes", tmp_path / "second.prototypes"]
    for number, path in enumerate(files):
        output = ["--output", str(tmp_path / f"one{number}"), "--device", "cpu"]
        assert main(["propagate", *support, "--query", scan, "--save-prototypes", str(path), *output]) == 0
    first, second = (PrototypeSource.read(path) for path in files)
    assert first.content != second.content and first.fingerprint() == second.fingerprint()
