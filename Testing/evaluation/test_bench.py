"""The scan, the fresh process and the table of the bench; speed itself is for `make bench` to say."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from DPLSegmentLib.evaluation.bench import Line, table
from DPLSegmentLib.evaluation.bench_scan import BenchScan, bench_scan
from DPLSegmentLib.evaluation.cold import OURS, WALK, cold_start
from DPLSegmentLib.evaluation.errors import EvaluationError
from DPLSegmentLib.evaluation.memory import peak_megabytes
from DPLSegmentLib.evaluation.onnx_speed import encoder_milliseconds
from DPLSegmentLib.evaluation.painting import occupied
from DPLSegmentLib.evaluation.speed import embedded_slices_a_second, first_neighbour, propagation
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.types import Support

BALLAST = """
import numpy as np
from DPLSegmentLib.evaluation.memory import peak_megabytes
before = peak_megabytes()
ballast = np.ones(20_000_000)
loaded = peak_megabytes()
del ballast
print(before, loaded, peak_megabytes())
"""


@pytest.fixture(scope="module")
def scan() -> BenchScan:
    return bench_scan()


@pytest.fixture(scope="module")
def painted(kidney_ct: Volume, painted_kidney: Segmentation) -> Support:
    return Support(kidney_ct, painted_kidney)


def test_the_scan_has_140_slices_of_257_by_257_and_four_organs(scan: BenchScan) -> None:
    assert scan.volume.shape == scan.organs.shape == (140, 257, 257)
    assert scan.volume.array.dtype == np.int16
    assert [organ.name for organ in scan.organs.segments] == ["liver", "right kidney", "left kidney", "spleen"]


def test_the_scan_covers_the_space_of_the_bundled_one(scan: BenchScan, ct: Volume) -> None:
    last = np.array([*[size - 1 for size in scan.volume.shape[::-1]], 1.0])
    same = np.array([*[size - 1 for size in ct.shape[::-1]], 1.0])
    assert scan.volume.ijk_to_ras @ last == pytest.approx(ct.ijk_to_ras @ same)


def test_a_painting_is_one_slice_an_organ_and_a_repaint_is_another_slice(scan: BenchScan) -> None:
    for one, other in zip(scan.support(4).painted.segments, scan.support(4, -1).painted.segments, strict=True):
        (first,), (second,) = occupied(one.mask), occupied(other.mask)
        assert second == first - 1


def test_warm_speeds_are_positive(engine: Engine, painted: Support) -> None:
    assert embedded_slices_a_second(engine, painted.volume, runs=1) > 0
    assert first_neighbour(engine, [painted]) > 0
    assert propagation(engine, [painted]) > 0


@pytest.mark.parametrize("method", [OURS, WALK])
def test_a_fresh_process_tells_its_seconds_and_its_memory(method: str, painted: Support) -> None:
    told = cold_start(method, painted, "cpu")
    assert 0 < told.first <= told.whole
    assert told.megabytes is None or 50 < told.megabytes < 4000


def test_a_fresh_process_that_fails_is_reported(painted: Support) -> None:
    with pytest.raises(EvaluationError, match="quantum"):
        cold_start(OURS, painted, "quantum")


def test_peak_memory_never_falls() -> None:
    if peak_megabytes() is None:
        pytest.skip("this system does not tell")
    told = subprocess.run([sys.executable, "-c", BALLAST], capture_output=True, text=True, check=True).stdout
    before, loaded, after = map(float, told.split())
    assert loaded >= before + 100 and after >= loaded - 5  # the kernel counts in batches


def test_the_encoder_runs_in_onnx_runtime_too(engine: Engine) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    found = encoder_milliseconds(engine.network.encoder, runs=1)
    assert found is not None and min(found) > 0


def test_the_table_has_a_dash_where_nothing_applies() -> None:
    text = table(
        [Line("rate", "1/s", {"ours": 123.4}, ">= 100"), Line("wait", "s", {"ours": 0.1234, "other": 2.0})],
        ["ours", "other"],
    )
    head, first, second = (line.split() for line in text.splitlines())
    assert head == ["ours", "other", "target"]
    assert first == ["rate", "(1/s)", "123", "-", ">=", "100"]
    assert second == ["wait", "(s)", "0.123", "2"]
