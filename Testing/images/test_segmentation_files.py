"""Painted maps keep what Slicer keeps: overlaps, names, colours, terminology."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from DPLSegmentLib.images.checks import check_painted
from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.reading import read_segmentation
from DPLSegmentLib.images.resample import resample_segmentation, same_grid
from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.images.writing import write_segmentation, write_volume

THROUGH_SLICER = """
import sys, slicer
scene = slicer.vtkMRMLScene()
node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
source = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
source.SetFileName(sys.argv[1])
target = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
target.SetFileName(sys.argv[2])
sys.exit(0 if source.ReadData(node) and target.WriteData(node) else 1)
"""
needs_slicer = pytest.mark.skipif(
    importlib.util.find_spec("slicer") is None, reason="slicer-core is not installed: pip install slicer-core"
)


def assert_same_segments(found: Segmentation, expected: Segmentation) -> None:
    assert [segment.name for segment in found.segments] == [segment.name for segment in expected.segments]
    for one, other in zip(found.segments, expected.segments, strict=True):
        np.testing.assert_array_equal(one.mask, other.mask)
        np.testing.assert_allclose(one.color, other.color, atol=1e-6)
        assert other.tags.items() <= one.tags.items()


def test_overlapping_segments_are_read_back_with_names_colours_and_terminology(
    overlapping: Segmentation, tmp_path: Path
) -> None:
    write_segmentation(overlapping, tmp_path / "painted.seg.nrrd")
    again = read_segmentation(tmp_path / "painted.seg.nrrd")
    assert_same_segments(again, overlapping)
    assert same_grid(again, overlapping, tolerance_mm=1e-9)
    assert again.name == "painted"
    assert [dict(segment.tags) for segment in again.segments] == [dict(s.tags) for s in overlapping.segments]


def test_segments_that_overlap_share_no_layer_and_others_share_one(overlapping: Segmentation, tmp_path: Path) -> None:
    write_segmentation(overlapping, tmp_path / "painted.seg.nrrd")
    image = sitk.ReadImage(tmp_path / "painted.seg.nrrd")
    assert image.GetNumberOfComponentsPerPixel() == 2
    assert [image.GetMetaData(f"Segment{index}_Layer") for index in range(3)] == ["0", "1", "0"]


def test_segments_without_overlap_are_a_plain_label_map_with_their_values(organs: Segmentation, tmp_path: Path) -> None:
    write_segmentation(organs, tmp_path / "organs.seg.nrrd")
    again = read_segmentation(tmp_path / "organs.seg.nrrd")
    assert_same_segments(again, organs)
    np.testing.assert_array_equal(again.labelmap(), organs.labelmap())
    assert sitk.ReadImage(tmp_path / "organs.seg.nrrd").GetNumberOfComponentsPerPixel() == 1


def test_the_same_segmentation_is_the_same_file_bit_for_bit(overlapping: Segmentation, tmp_path: Path) -> None:
    files = [tmp_path / "one.seg.nrrd", tmp_path / "other.seg.nrrd"]
    for file in files:
        write_segmentation(overlapping, file)
    assert files[0].read_bytes() == files[1].read_bytes()


@needs_slicer
def test_what_3d_slicer_reads_and_writes_again_is_the_same(
    overlapping: Segmentation, crop: Volume, tmp_path: Path
) -> None:
    write_segmentation(overlapping, tmp_path / "ours.seg.nrrd")
    files = [str(tmp_path / "ours.seg.nrrd"), str(tmp_path / "slicers.seg.nrrd")]
    subprocess.run([sys.executable, "-c", THROUGH_SLICER, *files], check=True, capture_output=True)
    again = resample_segmentation(read_segmentation(files[1]), crop)
    assert_same_segments(again, overlapping)


def test_a_file_of_an_older_slicer_has_a_layer_for_each_segment(tmp_path: Path) -> None:
    layers = np.zeros((2, 3, 4, 2), np.uint8)
    layers[0, ..., 0] = layers[:, 1, :, 1] = 1
    image = sitk.GetImageFromArray(layers, isVector=True)
    for index, name in enumerate(("first", "second")):
        image.SetMetaData(f"Segment{index}_ID", name)
        image.SetMetaData(f"Segment{index}_Color", "1 0 0")
    sitk.WriteImage(image, tmp_path / "old.seg.nrrd")
    first, second = read_segmentation(tmp_path / "old.seg.nrrd").segments
    assert (first.name, second.name) == ("first", "second")
    np.testing.assert_array_equal(first.mask, layers[..., 0] == 1)
    np.testing.assert_array_equal(second.mask, layers[..., 1] == 1)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_a_label_map_is_read_back_with_the_names_beside_it(organs: Segmentation, suffix: str, tmp_path: Path) -> None:
    names = {str(segment.value): segment.name for segment in organs.segments}
    (tmp_path / "labels.json").write_text(json.dumps(names))
    write_segmentation(organs, tmp_path / f"organs{suffix}")
    again = read_segmentation(tmp_path / f"organs{suffix}")
    assert_same_segments(again, organs)
    np.testing.assert_array_equal(again.labelmap(), organs.labelmap())


def test_labels_without_names_are_numbered(organs: Segmentation, tmp_path: Path) -> None:
    write_segmentation(Segmentation(organs.segments[1:3], organs.ijk_to_ras), tmp_path / "two.nii.gz")
    assert [segment.name for segment in read_segmentation(tmp_path / "two.nii.gz").segments] == [
        "Segment_2",
        "Segment_3",
    ]


def test_a_label_map_stored_as_fractions_of_nothing_is_accepted(crop: Volume, tmp_path: Path) -> None:
    write_volume(crop.with_array((crop.array > 100) * 7.0), tmp_path / "float.nrrd")
    (segment,) = read_segmentation(tmp_path / "float.nrrd").segments
    assert segment.value == 7
    np.testing.assert_array_equal(segment.mask, crop.array > 100)


def test_a_label_value_beyond_a_byte_is_kept(crop: Volume, tmp_path: Path) -> None:
    segment = Segment("far", crop.array > 100, 40000)
    for name in ("far.nii.gz", "far.seg.nrrd"):
        write_segmentation(Segmentation((segment,), crop.ijk_to_ras), tmp_path / name)
        assert read_segmentation(tmp_path / name).segments[0].value == 40000


@pytest.mark.parametrize(
    ("voxels", "reason"),
    [
        (lambda array: array, "negative numbers"),
        (lambda array: array * 0.5, "fractions"),
        (lambda array: np.where(array > 0, np.nan, 0.0), "fractions"),
        (lambda array: array.astype(np.int32) + 2000, "different values"),
        (lambda array: (array > 0) * 70000, "the value 70000"),
    ],
)
def test_a_scan_given_as_a_painted_map_is_refused(
    voxels: Callable[[np.ndarray], np.ndarray], reason: str, crop: Volume, tmp_path: Path
) -> None:
    write_volume(crop.with_array(voxels(crop.array)), tmp_path / "map.nrrd")
    with pytest.raises(ImageError, match=f"map.nrrd is not a label map .*{reason}.*choose the painted map"):
        read_segmentation(tmp_path / "map.nrrd")


def test_a_map_with_nothing_painted_is_noticed(crop: Volume, tmp_path: Path) -> None:
    empty = np.zeros_like(crop.array)
    write_volume(crop.with_array(empty), tmp_path / "blank.nii.gz")
    write_segmentation(Segmentation((Segment("none", empty > 0),), crop.ijk_to_ras), tmp_path / "blank.seg.nrrd")
    for name in ("blank.nii.gz", "blank.seg.nrrd"):
        with pytest.raises(ImageError, match="Nothing is painted in blank"):
            check_painted(read_segmentation(tmp_path / name))


def test_a_painted_map_passes_the_check(overlapping: Segmentation) -> None:
    check_painted(overlapping)


def test_names_that_cannot_be_understood_are_refused(organs: Segmentation, tmp_path: Path) -> None:
    write_segmentation(organs, tmp_path / "organs.nii.gz")
    for text in ("[1, 2]", '{"liver": "1"}', "{", ""):
        (tmp_path / "labels.json").write_text(text)
        with pytest.raises(ImageError, match="labels.json does not name labels"):
            read_segmentation(tmp_path / "organs.nii.gz")


@pytest.mark.parametrize("line", ["Segment0_Color:=red", "Segment0_LabelValue:=one", "Segment0_Layer:=5"])
def test_a_damaged_segmentation_header_is_refused(line: str, overlapping: Segmentation, tmp_path: Path) -> None:
    file = tmp_path / "painted.seg.nrrd"
    write_segmentation(overlapping, file)
    key = line.split(":=")[0].encode()
    header, voxels = file.read_bytes().split(b"\n\n", 1)
    lines = [line.encode() if old.startswith(key + b":=") else old for old in header.split(b"\n")]
    file.write_bytes(b"\n".join(lines) + b"\n\n" + voxels)
    with pytest.raises(ImageError, match="painted.seg.nrrd has a damaged segmentation header"):
        read_segmentation(file)


def test_a_segmentation_of_fractions_is_refused(overlapping: Segmentation, tmp_path: Path) -> None:
    file = tmp_path / "painted.seg.nrrd"
    write_segmentation(overlapping, file)
    content = file.read_bytes().replace(b"Representation:=Binary labelmap", b"Representation:=Fractional labelmap")
    file.write_bytes(content)
    with pytest.raises(ImageError, match="holds no binary label map"):
        read_segmentation(file)
