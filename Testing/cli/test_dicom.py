"""`dpl-segment propagate` from DICOM to DICOM SEG, with the real engine."""

from __future__ import annotations

import json
from pathlib import Path

import highdicom
import numpy as np
import pytest

from DPLSegmentLib.cli import main
from DPLSegmentLib.images.reading import read_segmentation, read_volume
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.images.writing import write_segmentation
from Testing.images.dicom_files import Scan

OTHER = "1.2.826.0.1.9"


@pytest.fixture
def folder(kidney_ct: Volume, tmp_path: Path) -> Path:
    """The crop around the kidney as a series, and a longer one beside it."""
    Scan(kidney_ct.array, spacing=kidney_ct.spacing).write(tmp_path / "ct")
    longer = Scan(np.repeat(kidney_ct.array[:20], 2, 0), series=OTHER).write(tmp_path / "other")
    for path in longer.iterdir():
        path.rename(tmp_path / "ct" / f"other-{path.name}")
    return tmp_path / "ct"


@pytest.fixture
def painted(folder: Path, painted_kidney: Segmentation, tmp_path: Path) -> Path:
    """The painted slice on the grid of the series."""
    grid = read_volume(folder, series=Scan.series).ijk_to_ras
    write_segmentation(Segmentation(painted_kidney.segments, grid), tmp_path / "painted.seg.nrrd")
    return tmp_path / "painted.seg.nrrd"


def words_for(folder: Path, painted: Path, output: Path, *more: str) -> list[str]:
    words = ["propagate", "--support", folder, "--painted", painted, "--output", output, "--device", "cpu", *more]
    return [str(word) for word in words]


def test_a_series_becomes_a_dicom_seg_with_the_voxels_of_the_nrrd_file(
    folder: Path, painted: Path, tmp_path: Path
) -> None:
    for form in ("dcm", "seg.nrrd"):
        assert main(words_for(folder, painted, tmp_path / form, "--series", Scan.series, "--format", form)) == 0
    report = json.loads((tmp_path / "dcm" / "ct.json").read_text())
    assert (report["segmentation"], report["series"]) == ("ct-segmentation.dcm", Scan.series)
    found = highdicom.seg.segread(tmp_path / "dcm" / "ct-segmentation.dcm")
    nrrd = read_segmentation(tmp_path / "seg.nrrd" / "ct-segmentation.seg.nrrd")
    assert [item.SegmentLabel for item in found.SegmentSequence] == [segment.name for segment in nrrd.segments]
    volume = found.get_volume(combine_segments=False)
    assert [int(volume.array[..., n].sum()) for n in range(len(nrrd.segments))] == [
        int(segment.mask.sum()) for segment in nrrd.segments
    ]


def test_a_series_that_is_not_there_is_said(
    folder: Path, painted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words_for(folder, painted, tmp_path / "out", "--series", "9")) == 1
    assert f"holds no series 9: choose one of {Scan.series}, {OTHER}" in capsys.readouterr().err


def test_dicom_seg_of_a_scan_that_is_no_dicom_is_refused(
    kidney_file: Path, painted_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words_for(kidney_file, painted_file, tmp_path / "out", "--format", "dcm")) == 1
    assert "kidney.nii.gz is no DICOM image" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []
