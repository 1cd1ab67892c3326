"""`dpl-segment propagate` on a real crop, with the real engine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from DPLSegmentLib.cli import main
from DPLSegmentLib.images.reading import read_segmentation, read_volume
from DPLSegmentLib.images.resample import same_grid
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.images.writing import write_segmentation, write_volume

TRIPLE = ["kidney-confidence.nii.gz", "kidney-segmentation.seg.nrrd", "kidney.json"]


@pytest.fixture(scope="module")
def inputs(kidney_ct: Volume, painted_kidney: Segmentation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the crop and its painted slices."""
    folder = tmp_path_factory.mktemp("inputs")
    write_volume(kidney_ct, folder / "kidney.nii.gz")
    write_segmentation(painted_kidney, folder / "painted.seg.nrrd")
    return folder


@pytest.fixture(scope="module")
def results(inputs: Path) -> Path:
    """The folder with the results of a run with default options, and saved prototypes."""
    output = inputs / "results"
    assert main(words_for(inputs, output, "--save-prototypes", inputs / "saved" / "kidney.prototypes")) == 0
    return output


def words_for(inputs: Path, output: Path, *more: str | Path) -> list[str]:
    """The words that segment the crop from its painted slices."""
    words = ["propagate", "--support", inputs / "kidney.nii.gz", "--painted", inputs / "painted.seg.nrrd"]
    return [str(word) for word in (*words, "--output", output, "--device", "cpu", *more)]


def test_a_scan_gets_a_segmentation_a_confidence_and_a_report(results: Path) -> None:
    assert sorted(path.name for path in results.iterdir()) == TRIPLE


def test_segmentation_and_confidence_lie_on_the_scans_grid(results: Path, kidney_ct: Volume) -> None:
    confidence = read_volume(results / "kidney-confidence.nii.gz")
    assert same_grid(read_segmentation(results / "kidney-segmentation.seg.nrrd"), kidney_ct)
    assert same_grid(confidence, kidney_ct)
    assert confidence.array.min() >= 0.0 and 0.5 < confidence.array.max() <= 1.0


def test_structures_keep_the_names_and_colours_they_were_painted_with(
    results: Path, painted_kidney: Segmentation
) -> None:
    found = read_segmentation(results / "kidney-segmentation.seg.nrrd")
    assert [segment.name for segment in found.segments] == [segment.name for segment in painted_kidney.segments]
    for segment, painted in zip(found.segments, painted_kidney.segments, strict=True):
        assert segment.color == pytest.approx(painted.color, abs=0.01)
        assert segment.mask.sum() > painted.mask.sum()


def test_the_report_says_sizes_confidence_time_device_and_model(results: Path, kidney_ct: Volume) -> None:
    report = json.loads((results / "kidney.json").read_text())
    found = read_segmentation(results / "kidney-segmentation.seg.nrrd")
    for structure, segment in zip(report["structures"], found.segments, strict=True):
        assert structure["name"] == segment.name
        assert structure["millilitres"] == pytest.approx(segment.mask.sum() * kidney_ct.voxel_millilitres, rel=1e-3)
        assert 0.0 <= structure["confidence"] <= 1.0
    assert {"load", "read"} < report["seconds"].keys()
    assert report["device"] and report["model_id"]


def test_the_same_run_gives_the_same_mask(results: Path, inputs: Path) -> None:
    assert main(words_for(inputs, inputs / "again")) == 0
    first, second = (
        read_segmentation(folder / "kidney-segmentation.seg.nrrd") for folder in (results, inputs / "again")
    )
    for one, other in zip(first.segments, second.segments, strict=True):
        assert np.array_equal(one.mask, other.mask)


def test_json_on_stdout_is_one_document(inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words_for(inputs, tmp_path, "--json", "--format", "nii.gz")) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["results"][0]["segmentation"] == "kidney-segmentation.nii.gz"
    assert document["failed"] == {}


def test_a_label_map_keeps_the_painted_values(
    inputs: Path, tmp_path: Path, painted_kidney: Segmentation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words_for(inputs, tmp_path, "--format", "nii.gz")) == 0
    labels = read_volume(tmp_path / "kidney-segmentation.nii.gz").array
    assert set(np.unique(labels)) == {0} | {segment.value for segment in painted_kidney.segments}


def test_a_slice_range_is_kept(inputs: Path, tmp_path: Path) -> None:
    assert main(words_for(inputs, tmp_path, "--range", "4", "29")) == 0
    found = read_segmentation(tmp_path / "kidney-segmentation.seg.nrrd")
    assert not any(segment.mask[:4].any() for segment in found.segments)


def test_a_slice_range_beyond_the_scan_is_refused(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words_for(inputs, tmp_path, "--range", "100", "120")) == 1
    assert "range" in said_one_sentence(capsys)
    assert list(tmp_path.iterdir()) == []


def test_saved_prototypes_take_the_place_of_a_painted_scan(
    results: Path, inputs: Path, tmp_path: Path, painted_kidney: Segmentation
) -> None:
    saved = inputs / "saved" / "kidney.prototypes"
    words = ["--prototypes", saved, "--query", inputs / "kidney.nii.gz", "--output", tmp_path, "--device", "cpu"]
    assert main(["propagate", *map(str, words)]) == 0
    found = read_segmentation(tmp_path / "kidney-segmentation.seg.nrrd")
    assert [segment.name for segment in found.segments] == [segment.name for segment in painted_kidney.segments]
    assert any(segment.mask.any() for segment in found.segments)


def test_a_file_that_holds_no_prototypes_is_refused(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--prototypes", inputs / "kidney.nii.gz", "--query", inputs / "kidney.nii.gz", "--output", tmp_path]
    assert main(["propagate", *map(str, words)]) == 1
    assert said_one_sentence(capsys)
    assert list(tmp_path.iterdir()) == []


def test_scans_of_one_name_get_a_result_each(inputs: Path, tmp_path: Path) -> None:
    scan = inputs / "kidney.nii.gz"
    assert main(words_for(inputs, tmp_path, "--query", scan, "--query", scan)) == 0
    assert {"kidney-segmentation.seg.nrrd", "kidney-2-segmentation.seg.nrrd"} < {
        path.name for path in tmp_path.iterdir()
    }


def test_a_bad_scan_among_several_is_named_and_the_others_are_segmented(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (inputs / "bad.nii.gz").write_text("no image")
    queries = ["--query", inputs / "bad.nii.gz", inputs / "kidney.nii.gz"]
    assert main(words_for(inputs, tmp_path, *queries)) == 1
    assert "1 of 2 scans failed" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == TRIPLE


@pytest.mark.parametrize("content", [b"", b"not weights", b"PK\x03\x04" + bytes(1000)])
def test_broken_weights_are_refused(
    content: bytes, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "weights.pt"
    weights.write_bytes(content)
    assert main(words_for(inputs, tmp_path / "out", "--weights", weights)) == 1
    assert "weights.pt" in said_one_sentence(capsys)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is there")
def test_a_graphics_card_that_is_not_there_is_said(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words_for(inputs, tmp_path), "--device", "cuda"]) == 1
    assert "cuda" in said_one_sentence(capsys).lower()


def test_a_disk_that_takes_no_more_leaves_nothing_behind(inputs: Path, tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); "
    code = f"{limit}import sys; from DPLSegmentLib.cli import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-B", "-c", code, *words_for(inputs, tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("dpl-segment: ")
    assert list(tmp_path.iterdir()) == []


def said_one_sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """The line of stderr that is not the progress bar's; there is just one."""
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dpl-segment:")]
    assert len(lines) == 1
    return lines[0]
