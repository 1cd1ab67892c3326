"""What the worker does is what the engine does, and nobody waits for it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copy
from typing import Any

import numpy as np
import pytest

from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.engine import Engine, load_engine
from DPLSegmentLib.propagation.types import Propagation, SliceResult, Support
from DPLSegmentLib.resources import resource
from DPLSegmentLib.worker.client import PaintedScan, PropagateRequest, Scan, Worker, WorkerOptions

CLIENT_SIDE = ("client", "launch", "hearing", "job", "link", "blocks", "protocol", "transport")


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The engine in this process, for comparison."""
    return load_engine("cpu")


@pytest.fixture
def odd_folder(tmp_path: Path) -> Path:
    """A folder as some users have it."""
    folder = tmp_path / "Jörg Müller 日本 'x'"
    folder.mkdir()
    return folder


def assert_same(result: Propagation | None, expected: Propagation) -> None:
    """All but the times is the same, voxel for voxel."""
    assert result is not None
    pairs = zip(result.segmentation.segments, expected.segmentation.segments, strict=True)
    for got, wanted in pairs:
        assert np.array_equal(got.mask, wanted.mask) and got.mask.dtype == wanted.mask.dtype
        assert (got.name, got.value, got.color, dict(got.tags)) == (
            wanted.name, wanted.value, wanted.color, dict(wanted.tags),
        )  # fmt: skip
    for got, wanted in ((result.confidence, expected.confidence),):
        assert np.array_equal(got.array, wanted.array) and got.array.dtype == wanted.array.dtype
        assert np.array_equal(got.ijk_to_ras, wanted.ijk_to_ras)
    same = ("structures", "axis", "next_slice", "device", "model_id")
    assert [getattr(result, name) for name in same] == [getattr(expected, name) for name in same]
    assert result.segmentation.name == expected.segmentation.name
    assert result.seconds.keys() >= {"embed", "sweep", "polish"}


def in_process(engine: Engine, request: PropagateRequest, **switches: Any) -> Propagation:
    """The same request to the engine itself."""
    supports = [Support(each.scan.volume, each.painted) for each in request.supports]
    return engine.propagate(supports, request.query.volume, slice_range=request.slice_range, **switches)


def test_the_result_is_that_of_the_engine_voxel_for_voxel(
    worker: Worker, drive: Any, told: Any, engine: Engine, request_for_kidney: PropagateRequest, blocks: Callable
) -> None:
    worker.propagate(request_for_kidney, told)
    drive(worker, lambda: told.ends)
    assert told.ends == ["done"]
    streamed: list[SliceResult] = []
    assert_same(told.result, in_process(engine, request_for_kidney, on_slice=streamed.append))
    assert len(told.slices) == len(streamed)
    for got, wanted in zip(told.slices, streamed, strict=True):
        assert (got.structure, got.axis, got.index) == (wanted.structure, wanted.axis, wanted.index)
        assert got.confidence == wanted.confidence and np.array_equal(got.mask, wanted.mask)
    assert blocks() == []


def test_another_scan_and_a_range_give_what_the_engine_gives(
    worker: Worker, drive: Any, told: Any, engine: Engine, request_for_kidney: PropagateRequest, other_scan: Scan
) -> None:
    request = replace(request_for_kidney, query=other_scan, slice_range=(np.int64(5), np.int64(30)))
    worker.propagate(request, told)
    drive(worker, lambda: told.ends)
    assert_same(told.result, in_process(engine, request))


def test_names_colours_and_terminology_come_back(
    worker: Worker, drive: Any, told: Any, request_for_kidney: PropagateRequest
) -> None:
    (support,) = request_for_kidney.supports
    first, second = support.painted.segments
    marked = replace(first, name="Niere ✓", value=41, color=(0.1, 1 / 3, 1.0), tags={"Terminology": "a~b^c^d~|e"})
    painted = Segmentation((marked, second), support.painted.ijk_to_ras)
    worker.propagate(replace(request_for_kidney, supports=(PaintedScan(support.scan, painted),)), told)
    drive(worker, lambda: told.ends)
    (got, _) = told.result.segmentation.segments
    assert (got.name, got.value, got.color, got.tags) == (marked.name, 41, marked.color, marked.tags)


def test_prototypes_and_weights_work_in_a_folder_with_spaces_and_other_letters(
    new_worker: Worker, drive: Any, told: Any, other_told: Any, engine: Engine, odd_folder: Path,
    request_for_kidney: PropagateRequest, other_scan: Scan,
) -> None:  # fmt: skip
    weights = Path(copy(resource("Models/dpl-segment.pt"), odd_folder / "Gewichte ä.pt"))
    new_worker.restart(WorkerOptions("cpu", weights))
    file = odd_folder / "Prototypen ö.pt"
    new_worker.save_prototypes(request_for_kidney.supports, file, told)
    new_worker.propagate(PropagateRequest((), other_scan, prototypes=file), other_told)
    drive(new_worker, lambda: other_told.ends)
    assert (told.ends, told.result, other_told.ends) == (["done"], None, ["done"])
    assert_same(other_told.result, in_process(engine, replace(request_for_kidney, query=other_scan)))
    assert sorted(path.name for path in odd_folder.iterdir()) == [weights.name, file.name]


def test_a_scan_is_embedded_once_for_embed_and_propagate(
    worker: Worker, drive: Any, told: Any, other_told: Any, kidney_ct: Volume, painted_kidney: Segmentation
) -> None:
    scan = Scan("fresh", kidney_ct.with_array(kidney_ct.array + np.int16(1)))
    worker.embed(scan, told)
    worker.propagate(PropagateRequest((PaintedScan(scan, painted_kidney),), scan), other_told)
    drive(worker, lambda: other_told.ends)
    assert told.ends == ["done"] and {each.stage for each in told.progress} == {"embed"}
    assert "embed" not in {each.stage for each in other_told.progress}


def test_a_propagation_does_not_wait_for_the_embedding_of_another_scan(
    worker: Worker, drive: Any, told: Any, other_told: Any, ct: Volume, request_for_kidney: PropagateRequest
) -> None:
    worker.embed(Scan("elsewhere", ct.with_array(ct.array + np.int16(1))), told)
    drive(worker, lambda: told.progress)
    worker.propagate(request_for_kidney, other_told)
    drive(worker, lambda: other_told.ends)
    assert told.ends == ["cancelled"] and other_told.ends == ["done"]


def test_nothing_waits_while_the_bundled_ct_is_segmented(
    worker: Worker, drive: Any, told: Any, other_told: Any, whole_request: PropagateRequest,
    timed: Callable,
) -> None:  # fmt: skip
    worker.embed(whole_request.query, told)
    drive(worker, lambda: told.ends)
    start = time.monotonic()
    with timed() as asked:
        worker.propagate(whole_request, other_told)
    drive(worker, lambda: other_told.ends)
    first, whole = other_told.first_slice_at - start, other_told.ended_at - start
    print(f"\nask {asked[0]:.4f} s, longest of {len(drive.polls)} polls {drive.longest:.4f} s")
    print(f"first slice {first:.2f} s, whole {whole:.2f} s")
    assert asked[0] < 0.02
    assert drive.longest < 0.05


def test_a_large_scan_is_sent_without_holding_anybody_up(
    new_worker: Worker, drive: Any, told: Any, timed: Callable
) -> None:
    voxels = np.random.default_rng(0).integers(-1000, 2000, (200, 512, 512)).astype(np.int16)
    scan = Scan("large", Volume(voxels, np.diag([0.7, 0.7, 1.0, 1.0])))
    with timed() as asked:
        job = new_worker.embed(scan, told)
    drive(new_worker, lambda: told.progress or told.ends)
    new_worker.cancel(job)
    drive(new_worker, lambda: told.ends)
    print(f"\nlongest of {len(drive.polls)} polls {drive.longest:.4f} s")
    assert asked[0] < 0.05 and drive.longest < 0.05


def test_scans_beyond_the_memory_limit_are_dropped_and_sent_again(
    new_worker: Worker, drive: Any, told: Any, other_told: Any, request_for_kidney: PropagateRequest, other_scan: Scan
) -> None:
    new_worker.restart(WorkerOptions("cpu", memory_limit_mib=0))
    other = replace(request_for_kidney, query=other_scan)
    new_worker.propagate(other, told)
    new_worker.embed(Scan("third", other_scan.volume), told)
    drive(new_worker, lambda: new_worker.idle)
    new_worker.propagate(other, other_told)
    drive(new_worker, lambda: other_told.ends)
    assert (told.ends, other_told.ends) == (["done", "done"], ["done"])


@pytest.mark.parametrize("array", [np.zeros((4, 20, 20)), np.full((4, 20, 20), np.nan), np.ones((1, 20, 20))])
def test_a_scan_that_shows_nothing_is_refused_by_name_and_the_worker_goes_on(
    worker: Worker, drive: Any, told: Any, other_told: Any, array: np.ndarray, request_for_kidney: PropagateRequest
) -> None:
    worker.embed(Scan("odd", Volume(array, np.eye(4), "odd scan")), told)
    drive(worker, lambda: told.ends)
    worker.propagate(request_for_kidney, other_told)
    drive(worker, lambda: other_told.ends)
    assert told.ends == ["failed"] and told.sentence.startswith("odd scan ")
    assert other_told.ends == ["done"]


def test_bad_requests_end_with_a_sentence(
    worker: Worker, drive: Any, told: Any, kidney_scan: Scan, painted_kidney: Segmentation, other_scan: Scan,
    tmp_path: Path,
) -> None:  # fmt: skip
    empty = replace(painted_kidney, segments=tuple(s.with_mask(s.mask & False) for s in painted_kidney.segments))
    requests = {
        "There is no painted scan": PropagateRequest((), kidney_scan),
        "Nothing is painted": PropagateRequest((PaintedScan(kidney_scan, empty),), kidney_scan),
        "does not fit other": PropagateRequest((PaintedScan(other_scan, painted_kidney),), other_scan),
        "slice range": PropagateRequest((PaintedScan(kidney_scan, painted_kidney),), kidney_scan, (5, 500)),
        "There is no prototype file": PropagateRequest((), kidney_scan, prototypes=tmp_path / "none.pt"),
    }
    for said, request in requests.items():
        told.ends.clear()
        worker.propagate(request, told)
        drive(worker, lambda: told.ends)
        assert told.ends == ["failed"] and said in told.sentence
    told.ends.clear()
    painted = PaintedScan(kidney_scan, painted_kidney)
    worker.save_prototypes([painted], tmp_path / "missing" / "p.pt", told)
    drive(worker, lambda: told.ends)
    assert told.ends == ["failed"] and "could not be written" in told.sentence
    assert "Traceback" not in worker.log()


def test_the_worker_says_what_it_is(worker: Worker, drive: Any) -> None:
    drive(worker, lambda: worker.info and worker.idle)
    assert worker.info.device == "CPU" and worker.info.devices[-1] == "cpu"
    assert worker.state == "Ready on CPU" and worker.running and worker.failure is None


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_an_idle_worker_takes_less_than_a_gigabyte(new_worker: Worker, drive: Any) -> None:
    start = time.monotonic()
    new_worker.start()
    assert new_worker.state == "Starting the worker"
    drive(new_worker, lambda: new_worker.info)
    status = Path(f"/proc/{new_worker.info.pid}/status").read_text()
    kib = int(status.split("VmRSS:")[1].split()[0])
    print(f"\nhello after {time.monotonic() - start:.2f} s, {kib / 1024:.0f} MiB")
    assert kib < 1 << 20


def test_the_client_side_never_imports_torch() -> None:
    names = ", ".join(f"DPLSegmentLib.worker.{name}" for name in CLIENT_SIDE)
    code = f"import sys, {names}; print([n for n in ('torch', 'scipy', 'SimpleITK') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
