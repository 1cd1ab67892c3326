"""Bad input: one sentence, exit code 1, nothing written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from DPLSegmentLib.cli import main
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.images.writing import write_volume


def refused(words: list[str | Path], output: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said on stderr; fails when it is not one line, or anything was written or printed."""
    assert main([*map(str, words), "--output", str(output)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert not output.exists() or list(output.iterdir()) == []
    return said.err


def propagate(scan: Path, painted: Path) -> list[str | Path]:
    """The words that segment a scan."""
    return ["propagate", "--support", scan, "--painted", painted]


@pytest.fixture
def bad_scan(request: pytest.FixtureRequest, kidney_ct: Volume, tmp_path: Path) -> Path:
    """A scan that is broken in the way that the test names."""
    path = tmp_path / "bad.nii.gz"
    array = kidney_ct.array.astype(np.float32)
    if request.param == "text":
        path.write_text("no image")
    elif request.param == "truncated":
        write_volume(kidney_ct, path)
        path.write_bytes(path.read_bytes()[:5000])
    elif request.param == "4D":
        sitk.WriteImage(sitk.JoinSeries([sitk.GetImageFromArray(array)] * 3), str(path))
    else:
        broken = {"NaN": np.where(array > 100, np.nan, array), "constant": array * 0, "one slice": array[:1]}
        write_volume(kidney_ct.with_array(broken[request.param]), path)
    return path


@pytest.mark.parametrize(
    ("bad_scan", "reason"),
    [
        ("text", "bad.nii.gz"),
        ("truncated", "bad.nii.gz"),
        ("4D", "--frame"),
        ("NaN", "NaN"),
        ("constant", "same value"),
        ("one slice", "single slice"),
    ],
    indirect=["bad_scan"],
)
def test_a_scan_that_cannot_be_used_is_refused(
    bad_scan: Path, reason: str, painted_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reason in refused(propagate(bad_scan, painted_file), tmp_path / "out", capsys)


@pytest.mark.parametrize("missing", ["scan", "painted", "query", "names"])
def test_a_file_that_is_not_there_is_named(
    missing: str, kidney_file: Path, painted_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "nowhere.nii.gz"
    words = propagate(nowhere if missing == "scan" else kidney_file, nowhere if missing == "painted" else painted_file)
    words += {"query": ["--query", nowhere], "names": ["--name-from-labels", nowhere]}.get(missing, [])
    assert "nowhere.nii.gz" in refused(words, tmp_path / "out", capsys)


def test_an_empty_painted_map_is_refused(
    kidney_file: Path, kidney_ct: Volume, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_volume(kidney_ct.with_array(np.zeros(kidney_ct.shape, np.uint8)), tmp_path / "empty.nii.gz")
    assert "Nothing is painted" in refused(propagate(kidney_file, tmp_path / "empty.nii.gz"), tmp_path / "out", capsys)


def test_a_painted_map_that_is_a_scan_is_refused(
    kidney_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "label" in refused(propagate(kidney_file, kidney_file), tmp_path / "out", capsys)


def test_a_painted_map_of_another_patient_is_refused(
    kidney_file: Path, kidney_ct: Volume, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = kidney_ct.ijk_to_ras.copy()
    elsewhere[:3, 3] += 3000.0
    write_volume(Volume((kidney_ct.array > 100).astype(np.uint8), elsewhere), tmp_path / "other.nii.gz")
    assert "overlap" in refused(propagate(kidney_file, tmp_path / "other.nii.gz"), tmp_path / "out", capsys)


def test_an_output_below_a_file_is_refused(
    kidney_file: Path, painted_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    refused(propagate(kidney_file, painted_file), tmp_path / "file" / "out", capsys)


def test_an_output_that_is_a_file_is_refused(
    kidney_file: Path, painted_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "file"
    output.write_text("")
    assert main([*map(str, propagate(kidney_file, painted_file)), "--output", str(output)]) == 1
    assert "choose another output folder" in capsys.readouterr().err
    assert output.read_text() == ""
