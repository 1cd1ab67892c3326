"""Painted maps as the command line reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from DPLSegmentLib.commands.failure import CommandError
from DPLSegmentLib.commands.inputs import read_names, read_support
from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.images.writing import write_segmentation


@pytest.fixture
def painted_map(painted_kidney: Segmentation, tmp_path: Path) -> Path:
    """The painted slices as a label map without names."""
    path = tmp_path / "painted.nii.gz"
    write_segmentation(painted_kidney, path)
    return path


def test_a_painted_map_on_the_scans_grid_is_taken_as_it_is(
    kidney_file: Path, painted_file: Path, painted_kidney: Segmentation, capsys: pytest.CaptureFixture[str]
) -> None:
    support = read_support(kidney_file, painted_file)
    for read, painted in zip(support.painted.segments, painted_kidney.segments, strict=True):
        assert read.name == painted.name
        assert np.array_equal(read.mask, painted.mask)
    assert capsys.readouterr().err == ""


def test_a_painted_map_of_another_extent_is_resampled_and_that_is_said(
    kidney_file: Path, painted_kidney: Segmentation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tuple(segment.with_mask(segment.mask[:, :-5]) for segment in painted_kidney.segments)
    write_segmentation(Segmentation(cut, painted_kidney.ijk_to_ras), tmp_path / "cut.seg.nrrd")
    support = read_support(kidney_file, tmp_path / "cut.seg.nrrd")
    assert support.painted.shape == support.volume.shape
    assert np.array_equal(support.painted.segments[0].mask[:, :-5], cut[0].mask)
    assert "another grid" in capsys.readouterr().err


def test_a_painted_map_elsewhere_in_space_is_refused(
    kidney_file: Path, painted_kidney: Segmentation, tmp_path: Path
) -> None:
    moved = painted_kidney.ijk_to_ras.copy()
    moved[:3, 3] += 5000.0
    write_segmentation(Segmentation(painted_kidney.segments, moved), tmp_path / "moved.seg.nrrd")
    with pytest.raises(ImageError, match="overlap"):
        read_support(kidney_file, tmp_path / "moved.seg.nrrd")


def test_an_empty_painted_map_is_refused(kidney_file: Path, kidney_ct: Volume, tmp_path: Path) -> None:
    from DPLSegmentLib.images.writing import write_volume

    write_volume(kidney_ct.with_array(np.zeros(kidney_ct.shape, np.uint8)), tmp_path / "empty.nii.gz")
    with pytest.raises(ImageError, match="[Nn]othing is painted"):
        read_support(kidney_file, tmp_path / "empty.nii.gz")


def test_label_values_are_named_by_a_json_file(kidney_file: Path, painted_map: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.json"
    names.write_text('{"1": "Leber"}')
    support = read_support(kidney_file, painted_map, names=names)
    assert support.painted.segments[0].name == "Leber"


@pytest.mark.parametrize("text", ["", "[1, 2]", '{"liver": 1}', "{"])
def test_a_file_that_names_nothing_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "names.json"
    path.write_text(text)
    with pytest.raises(CommandError, match="does not name labels"):
        read_names(path)
