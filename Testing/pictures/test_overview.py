"""The overview picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.pictures.overview import write_overview
from DPLSegmentLib.pictures.palette import colors_for
from DPLSegmentLib.pictures.slices import chosen_slices
from DPLSegmentLib.pictures.strip import slice_confidence
from DPLSegmentLib.pictures.view import build_view
from DPLSegmentLib.propagation.types import Propagation

from .conftest import MakeResult


@pytest.fixture
def result(kidney_ct: Volume, kidney_truth: Segmentation, make_result: MakeResult) -> Propagation:
    """Kidney and liver, found without a fault."""
    return make_result(kidney_ct, kidney_truth)


def test_a_result_is_drawn_with_what_was_painted_and_the_reference(
    kidney_ct: Volume, result: Propagation, painted_kidney: Segmentation, kidney_truth: Segmentation, tmp_path: Path
) -> None:
    write_overview(tmp_path / "overview.png", kidney_ct, result, painted_kidney, kidney_truth, "Kidney")
    picture = imread(tmp_path / "overview.png")
    assert picture.shape[0] > 900 and picture.shape[1] > 1600
    assert picture[..., :3].std() > 0.1
    assert [path.name for path in tmp_path.iterdir()] == ["overview.png"]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_sweep_along_any_axis_is_drawn(
    axis: int, kidney_ct: Volume, kidney_truth: Segmentation, make_result: MakeResult, tmp_path: Path
) -> None:
    write_overview(tmp_path / "overview.png", kidney_ct, make_result(kidney_ct, kidney_truth, axis))
    assert (tmp_path / "overview.png").stat().st_size > 50_000


def test_a_result_in_which_nothing_was_found_is_drawn(
    kidney_ct: Volume, kidney_truth: Segmentation, make_result: MakeResult, tmp_path: Path
) -> None:
    empty = tuple(segment.with_mask(np.zeros_like(segment.mask)) for segment in kidney_truth.segments)
    result = make_result(kidney_ct, Segmentation(empty, kidney_truth.ijk_to_ras))
    write_overview(tmp_path / "overview.png", kidney_ct, result)
    assert (tmp_path / "overview.png").exists()


def test_a_folder_that_is_not_there_is_said(kidney_ct: Volume, result: Propagation, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="could not be written"):
        write_overview(tmp_path / "nowhere" / "overview.png", kidney_ct, result)


def test_every_painted_slice_is_among_those_shown(
    kidney_ct: Volume, result: Propagation, painted_kidney: Segmentation
) -> None:
    view = build_view(kidney_ct, result, painted_kidney, None)
    shown = chosen_slices(view, 6)
    painted = {index for structure in view.structures for index in structure.painted_slices}
    assert len(shown) == len(set(shown)) == 6
    assert painted <= set(shown)


def test_slices_are_named_as_the_scan_numbers_them(
    kidney_ct: Volume, result: Propagation, painted_kidney: Segmentation
) -> None:
    view = build_view(kidney_ct, result, painted_kidney, None)
    for structure, segment in zip(view.structures, painted_kidney.segments, strict=True):
        numbers = [view.original_index(index) for index in structure.painted_slices]
        assert numbers == np.flatnonzero(segment.mask.any(axis=(1, 2))).tolist()


def test_dice_of_the_truth_with_itself_is_one(
    kidney_ct: Volume, result: Propagation, kidney_truth: Segmentation
) -> None:
    view = build_view(kidney_ct, result, None, kidney_truth)
    assert [structure.dice for structure in view.structures] == [1.0, 1.0]


def test_confidence_of_a_slice_is_the_mean_inside_the_structure() -> None:
    mask = np.zeros((3, 2, 2), bool)
    mask[1, 0] = True
    confidence = np.full((3, 2, 2), 0.1)
    confidence[1, 0] = (0.4, 0.8)
    assert slice_confidence(mask, confidence, 0) == pytest.approx([np.nan, 0.6, np.nan], nan_ok=True)


def test_structures_of_one_colour_are_told_apart() -> None:
    assert len(set(colors_for([(0.5, 0.7, 0.5)] * 8))) == 8
