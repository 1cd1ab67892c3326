"""`dpl-segment batch` in one process, with the real engine."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from DPLSegmentLib.cli import main
from DPLSegmentLib.cohort.orders import model_id
from DPLSegmentLib.images.reading import read_segmentation, read_volume
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.writing import write_segmentation
from DPLSegmentLib.propagation.engine import load_engine

from .conftest import states, triple, triples, words_for


@pytest.fixture
def copied(results: Path, tmp_path: Path) -> Path:
    """A finished output folder that may be changed."""
    return Path(shutil.copytree(results, tmp_path / "results"))


def times(output: Path) -> dict[str, int]:
    """When each JSON file was written."""
    return {path.stem: path.stat().st_mtime_ns for path in output.glob("*.json")}


def test_every_scan_gets_the_files_of_propagate(results: Path) -> None:
    assert triples(results) == triple("scan0") | triple("scan1") | triple("scan2")


def test_results_equal_those_of_propagate_voxel_by_voxel(results: Path, cohort: Path, tmp_path: Path) -> None:
    painted = ["--support", cohort / "support.nii.gz", "--painted", cohort / "painted.seg.nrrd"]
    query = ["--query", cohort / "scans" / "scan1.nii.gz", "--output", tmp_path, "--device", "cpu"]
    assert main(["propagate", *map(str, [*painted, *query])]) == 0
    for name in ("scan1-segmentation.seg.nrrd", "scan1-confidence.nii.gz"):
        assert (tmp_path / name).read_bytes() == (results / name).read_bytes()


def test_a_painted_scan_in_the_batch_keeps_what_was_painted(
    cohort: Path, tmp_path: Path, small_painted: Segmentation
) -> None:
    shutil.copy(cohort / "support.nii.gz", tmp_path / "copy.nii.gz")
    assert main(words_for(cohort, tmp_path / "copy.nii.gz", tmp_path / "out")) == 0
    found = read_segmentation(tmp_path / "out" / "copy-segmentation.seg.nrrd").segments[0]
    painted = small_painted.segments[0].mask
    assert np.array_equal(found.mask[4], painted[4]) and found.mask.sum() > painted.sum()


def test_saved_prototypes_take_the_place_of_a_painted_scan(results: Path, cohort: Path, tmp_path: Path) -> None:
    saved, output = tmp_path / "kidney.prototypes", tmp_path / "out"
    painted = ["--support", cohort / "support.nii.gz", "--painted", cohort / "painted.seg.nrrd"]
    more = ["--save-prototypes", saved, "--output", tmp_path / "own", "--device", "cpu"]
    assert main(["propagate", *map(str, [*painted, *more])]) == 0
    words = ["batch", "--prototypes", saved, cohort / "scans/scan0.nii.gz", "--output", output, "--device", "cpu"]
    assert main([*map(str, words)]) == 0
    name = "scan0-segmentation.seg.nrrd"
    assert (output / name).read_bytes() == (results / name).read_bytes()


def test_the_summary_says_status_seconds_millilitres_confidence_and_slice(results: Path) -> None:
    rows = list(csv.DictReader((results / "summary.csv").read_text().splitlines()))
    assert [row["id"] for row in rows] == ["scan0", "scan1", "scan2"]
    for row in rows:
        report = json.loads((results / f"{row['id']}.json").read_text())
        structure = report["structures"][0]
        assert row["status"] == "done" and float(row["seconds"]) > 0
        assert float(row["right kidney mL"]) == pytest.approx(structure["millilitres"], abs=0.01)
        assert float(row["right kidney confidence"]) == pytest.approx(structure["confidence"], abs=0.001)
        assert row["slice to check"] == ("" if report["next_slice"] is None else str(report["next_slice"]))


def test_the_report_holds_all_pictures_and_begins_with_the_least_certain(results: Path) -> None:
    page = (results / "report.html").read_text()
    assert page.count('src="data:image/png;base64,') == 3
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    rows = csv.DictReader((results / "summary.csv").read_text().splitlines())
    expected = [row["id"] for row in sorted(rows, key=lambda row: float(row["right kidney confidence"]))]
    shown = re.findall(r"<tr><td>(\w+)<br>", page)
    assert [page.index(f"<td>{scan}<br>") for scan in expected] == sorted(
        page.index(f"<td>{scan}<br>") for scan in shown
    )


def test_the_log_names_ids_and_no_paths(results: Path, cohort: Path) -> None:
    log = (results / "batch.log").read_text()
    assert "scan2: done" in log
    assert str(cohort) not in log and ".nii" not in log


def test_finished_scans_are_skipped(copied: Path, cohort: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = times(copied)
    assert main(words_for(cohort, cohort / "scans", copied)) == 0
    assert times(copied) == before
    assert set(states(copied).values()) == {"finished before"}
    assert "3 finished before" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["no JSON", "no confidence", "half a JSON"])
def test_half_written_scans_are_done_again(damage: str, copied: Path, cohort: Path, results: Path) -> None:
    report = copied / "scan1.json"
    before = times(copied)
    if damage == "no confidence":
        (copied / "scan1-confidence.nii.gz").unlink()
    else:
        report.write_text(report.read_text()[:100]) if damage == "half a JSON" else report.unlink()
    assert main(words_for(cohort, cohort / "scans", copied)) == 0
    assert states(copied) == {"scan0": "finished before", "scan1": "done", "scan2": "finished before"}
    assert {scan for scan, when in times(copied).items() if when != before[scan]} == {"scan1"}
    assert (copied / "scan1-confidence.nii.gz").read_bytes() == (results / "scan1-confidence.nii.gz").read_bytes()


def test_only_the_scans_that_are_asked_for_are_begun(cohort: Path, tmp_path: Path) -> None:
    assert main(words_for(cohort, cohort / "scans", tmp_path, "--only", "scan2")) == 0
    assert states(tmp_path) == {"scan0": "not reached", "scan1": "not reached", "scan2": "done"}


def test_results_of_another_painting_are_kept_unless_told(
    copied: Path, cohort: Path, small_painted: Segmentation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = small_painted.segments[0].with_mask(np.roll(small_painted.segments[0].mask, 1, axis=0))
    painted = tmp_path / "other.seg.nrrd"
    write_segmentation(Segmentation((other,), small_painted.ijk_to_ras), painted)
    words = words_for(cohort, cohort / "scans" / "scan0.nii.gz", copied)
    words[words.index("--painted") + 1] = str(painted)
    before = {path.name: path.read_bytes() for path in copied.iterdir() if path.is_file()}
    assert main(words) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in copied.iterdir() if path.is_file()} == before
    assert main([*words, "--overwrite"]) == 0
    assert (copied / "scan0.json").read_bytes() != before["scan0.json"]


def test_the_result_of_another_scan_of_the_same_name_is_kept(copied: Path, cohort: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(cohort / "scans" / "scan1.nii.gz", tmp_path / "elsewhere" / "scan0.nii.gz")
    before = times(copied)
    assert main(words_for(cohort, tmp_path / "elsewhere", copied)) == 1
    assert times(copied) == before


def test_a_scan_that_was_exported_again_is_done_again(cohort: Path, tmp_path: Path) -> None:
    scan = tmp_path / "scan.nii.gz"
    shutil.copy(cohort / "scans" / "scan0.nii.gz", scan)
    assert main(words_for(cohort, scan, tmp_path / "out")) == 0
    shutil.copyfile(cohort / "scans" / "scan1.nii.gz", scan)
    assert main(words_for(cohort, scan, tmp_path / "out")) == 0
    assert states(tmp_path / "out") == {"scan": "done"}


def test_a_list_gives_the_ids(cohort: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(f"path,id\n{cohort / 'scans' / 'scan0.nii.gz'},P-001\n")
    assert main(words_for(cohort, tmp_path / "list.csv", tmp_path / "out")) == 0
    assert triples(tmp_path / "out") == triple("P-001")


def test_results_inside_the_input_folder_are_no_scans(cohort: Path, tmp_path: Path) -> None:
    shutil.copy(cohort / "scans" / "scan0.nii.gz", tmp_path)
    for expected in ("done", "finished before"):
        assert main(words_for(cohort, tmp_path, tmp_path / "out")) == 0
        assert states(tmp_path / "out") == {"scan0": expected}


def test_one_worker_needs_no_dask(cohort: Path, tmp_path: Path) -> None:
    words = words_for(cohort, cohort / "scans" / "scan0.nii.gz", tmp_path)
    code = "import sys; from DPLSegmentLib.cli import main; main(sys.argv[1:]); "
    code += "print(sorted({'dask', 'distributed'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_model_is_known_without_loading_it() -> None:
    assert model_id(None) == load_engine("cpu").model_id


@pytest.mark.parametrize(
    "more",
    [
        ["--workers", "0"],
        ["--scheduler", "tls://127.0.0.1:1"],
        ["--tls-ca", "ca.pem"],
        ["--workers", "2", "--scheduler", "tcp://x:1"],
    ],
)
def test_options_that_contradict_each_other_are_wrong_usage(more: list[str], cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words_for(cohort, cohort / "scans", tmp_path, *more))
    assert ended.value.code == 2


def test_the_segmentation_lies_on_the_scans_grid(results: Path, cohort: Path) -> None:
    scan = read_volume(cohort / "scans" / "scan0.nii.gz")
    assert read_segmentation(results / "scan0-segmentation.seg.nrrd").shape == scan.shape
