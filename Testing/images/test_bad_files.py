"""What is not a usable scan is refused with a sentence, before it does harm."""

from __future__ import annotations

import gzip
import resource
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.reading import read_segmentation, read_volume, stem
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.images.writing import write_segmentation, write_volume

SUFFIXES = [".nii.gz", ".nrrd", ".mha"]
DETACHED_NRRD = """NRRD0004
type: short
dimension: 3
space: left-posterior-superior
sizes: 40 30 20
space directions: (1,0,0) (0,1,0) (0,0,1)
endian: little
encoding: raw
space origin: (0,0,0)
data file: """
DETACHED_META = """ObjectType = Image
NDims = 3
BinaryData = True
ElementSpacing = 1 1 1
DimSize = 40 30 20
ElementType = MET_SHORT
ElementDataFile = """


@pytest.fixture
def scan(crop: Volume) -> Volume:
    return crop.with_array(crop.array[:20, :30, :40])


@pytest.fixture
def written(scan: Volume, tmp_path: Path) -> Callable[[str], Path]:
    def write(suffix: str, array: np.ndarray | None = None) -> Path:
        file = tmp_path / f"scan{suffix}"
        write_volume(scan if array is None else scan.with_array(array), file)
        return file

    return write


def assert_refused(file: Path, sentence: str, frame: int | None = None) -> None:
    with pytest.raises(ImageError, match=sentence):
        read_volume(file, frame)


@pytest.mark.parametrize("reader", [read_volume, read_segmentation])
def test_a_file_that_does_not_exist_is_named(reader: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="There is no file .*nothing.nii.gz: check its name and folder"):
        reader(tmp_path / "nothing.nii.gz")


@pytest.mark.parametrize("name", ["text.nii.gz", "text.nrrd", "text.txt", "text.mha", "text.seg.nrrd"])
@pytest.mark.parametrize("content", [b"", b"these are no voxels", b"\x1f\x8b\x08\x00"])
def test_a_file_that_is_no_image_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert_refused(tmp_path / name, f"{name} is not an image that can be read")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.99])
def test_a_truncated_file_is_refused(suffix: str, kept: float, written: Callable[[str], Path]) -> None:
    file = written(suffix)
    content = file.read_bytes()
    file.write_bytes(content[: int(kept * len(content))])
    assert_refused(file, "incomplete or damaged|not an image")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_with_flipped_bits_is_refused(suffix: str, written: Callable[[str], Path]) -> None:
    file = written(suffix)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    assert_refused(file, "incomplete or damaged|not an image")


@pytest.mark.parametrize("name", ["scan.nii", "scan.nrrd", "scan.mha"])
def test_a_truncated_file_without_compression_is_refused(name: str, scan: Volume, tmp_path: Path) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(scan.array), tmp_path / name, useCompression=False)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:-100])
    assert_refused(tmp_path / name, f"{name} is incomplete or damaged")


@pytest.mark.parametrize(
    ("suffix", "honest", "lie"),
    [
        (".nrrd", b"sizes: 40 30 20", b"sizes: 40000 30000 20000"),
        (".mha", b"DimSize = 40 30 20", b"DimSize = 40000 30000 20000"),
        (".nrrd", b"sizes: 40 30 20", b"sizes: 400 3000 1000"),
        (".mha", b"DimSize = 40 30 20", b"DimSize = 400 3000 1000"),
        (".nrrd", b"sizes: 40 30 20", b"sizes: -40 30 20"),
        (".nrrd", b"sizes: 40 30 20", b"sizes: 4611686018427387904 4611686018427387904 20"),
    ],
)
def test_a_header_that_claims_too_much_is_refused_before_memory_is_taken(
    suffix: str, honest: bytes, lie: bytes, written: Callable[[str], Path]
) -> None:
    file = written(suffix)
    file.write_bytes(file.read_bytes().replace(honest, lie))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert_refused(file, "too large|more voxels than its file can hold|not an image")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize("sizes", [(30000, 30000, 30000), (1500, 1000, 1000), (-3, 30, 20)])
def test_a_nifti_header_that_claims_too_much_is_refused(sizes: tuple[int, ...], written: Callable[[str], Path]) -> None:
    file = written(".nii.gz")
    content = bytearray(gzip.decompress(file.read_bytes()))
    struct.pack_into("<3h", content, 42, *sizes)
    file.write_bytes(gzip.compress(content))
    assert_refused(file, "too large|more voxels than its file can hold|not an image")


@pytest.mark.parametrize("place", ["../voxels.raw", "/etc/hostname", "LIST\n/etc/hostname", "LIST\n../voxels.raw"])
@pytest.mark.parametrize(
    ("name", "header"), [("scan.nhdr", DETACHED_NRRD), ("scan.nrrd", DETACHED_NRRD), ("scan.mhd", DETACHED_META)]
)
def test_voxels_outside_the_folder_are_refused(
    name: str, header: str, place: str, scan: Volume, tmp_path: Path
) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "voxels.raw").write_bytes(scan.array.tobytes())
    (tmp_path / "inner" / name).write_text(header + place + "\n\n")
    assert_refused(tmp_path / "inner" / name, f"{name} takes its voxels from .*outside its folder")


@pytest.mark.parametrize("name", ["scan.nhdr", "scan.mhd"])
def test_voxels_hidden_behind_an_endless_header_are_refused(name: str, tmp_path: Path) -> None:
    padding, header = ("# " + "x" * 100 + "\n") * 20000, DETACHED_NRRD if name == "scan.nhdr" else DETACHED_META
    first, rest = header.split("\n", 1)
    (tmp_path / name).write_text(f"{first}\n{padding}{rest}/etc/hostname\n")
    assert_refused(tmp_path / name, "its header has no end")


@pytest.mark.parametrize(("name", "header"), [("scan.nhdr", DETACHED_NRRD), ("scan.mhd", DETACHED_META)])
def test_voxels_beside_their_header_are_read(name: str, header: str, scan: Volume, tmp_path: Path) -> None:
    (tmp_path / "voxels.raw").write_bytes(scan.array.tobytes())
    (tmp_path / name).write_text(header + "voxels.raw\n")
    np.testing.assert_array_equal(read_volume(tmp_path / name).array, scan.array)


@pytest.mark.parametrize("name", ["series.nii.gz", "series.nrrd"])
def test_a_4d_image_is_refused_until_a_frame_is_named(name: str, scan: Volume, tmp_path: Path) -> None:
    frames = np.stack([scan.array, scan.array + 1, scan.array + 2])
    sitk.WriteImage(sitk.GetImageFromArray(frames, isVector=False), tmp_path / name)
    assert_refused(tmp_path / name, "4D image of 3 frames: choose one with --frame N, 0 to 2")
    assert_refused(tmp_path / name, "has no frame 3: choose --frame N, 0 to 2", frame=3)
    assert_refused(tmp_path / name, "has no frame -1", frame=-1)
    np.testing.assert_array_equal(read_volume(tmp_path / name, frame=2).array, scan.array + 2)
    with pytest.raises(ImageError, match="is a 4D map: save the painted frame as a 3D file"):
        read_segmentation(tmp_path / name)


def test_a_frame_of_a_3d_image_is_refused(written: Callable[[str], Path]) -> None:
    assert_refused(written(".nrrd"), "has no frame 1: leave out --frame, it is a 3D image", frame=1)


@pytest.mark.parametrize("name", ["photo.nrrd", "photo.nii.gz"])
@pytest.mark.parametrize("reader", [read_volume, read_segmentation])
def test_a_colour_image_is_refused(reader: Callable[[Path], object], name: str, scan: Volume, tmp_path: Path) -> None:
    colours = np.stack([scan.array.clip(0, 255).astype(np.uint8)] * 3, axis=-1)
    sitk.WriteImage(sitk.GetImageFromArray(colours, isVector=True), tmp_path / name)
    with pytest.raises(ImageError, match=f"{name} is a colour or vector image"):
        reader(tmp_path / name)


def test_a_flat_picture_is_refused(scan: Volume, tmp_path: Path) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(scan.array[0].clip(0, 255).astype(np.uint8)), tmp_path / "slice.png")
    assert_refused(tmp_path / "slice.png", "slice.png is a single flat picture")


@pytest.mark.parametrize("axis", range(3))
def test_a_scan_of_one_slice_is_refused(axis: int, scan: Volume, written: Callable[..., Path]) -> None:
    assert_refused(written(".nii.gz", scan.array.take([5], axis)), "scan is a single slice: at least two")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_scan_with_voxels_that_are_no_numbers_is_refused(
    suffix: str, value: float, scan: Volume, written: Callable[..., Path]
) -> None:
    array = scan.array.astype(np.float32)
    array[3, 4, 5] = value
    assert_refused(written(suffix, array), "scan holds voxels that are not numbers")


def test_a_constant_scan_is_refused(scan: Volume, written: Callable[..., Path]) -> None:
    assert_refused(written(".nrrd", np.full_like(scan.array, 7)), "scan has the same value in every voxel")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("reader", [read_volume, read_segmentation])
def test_sheared_axes_are_refused(reader: Callable[[Path], object], suffix: str, scan: Volume, tmp_path: Path) -> None:
    sheared = np.eye(4)
    sheared[0, 1] = 0.4
    write_volume(Volume((scan.array > 0).astype(np.uint8), sheared), tmp_path / f"sheared{suffix}")
    with pytest.raises(ImageError, match="sheared.* has slanted"):
        reader(tmp_path / f"sheared{suffix}")


@pytest.mark.parametrize(
    "directions", ["(0,0,0) (0,1,0) (0,0,1)", "(1,0,0) (1,0,0) (0,0,1)", "(nan,0,0) (0,1,0) (0,0,1)"]
)
@pytest.mark.parametrize("reader", [read_volume, read_segmentation])
def test_axes_that_span_no_space_are_refused(
    reader: Callable[[Path], object], directions: str, scan: Volume, tmp_path: Path
) -> None:
    (tmp_path / "voxels.raw").write_bytes((scan.array > 0).astype(np.int16).tobytes())
    (tmp_path / "scan.nhdr").write_text(DETACHED_NRRD.replace("(1,0,0) (0,1,0) (0,0,1)", directions) + "voxels.raw\n")
    with pytest.raises(ImageError):
        reader(tmp_path / "scan.nhdr")


def test_a_segmentation_given_as_the_scan_is_refused(overlapping: Segmentation, tmp_path: Path) -> None:
    write_segmentation(overlapping, tmp_path / "painted.seg.nrrd")
    assert_refused(tmp_path / "painted.seg.nrrd", "is a segmentation: choose the scan")


def test_a_folder_given_as_the_painted_map_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is a folder: choose the painted map itself"):
        read_segmentation(tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.nii.gz", "a"),
        ("a.seg.nrrd", "a"),
        ("a.b.NRRD", "a.b"),
        ("a.b.mha", "a.b"),
        ("a", "a"),
        (".nii.gz", ".nii.gz"),
    ],
)
def test_a_file_is_named_without_the_suffix_of_its_format(name: str, expected: str) -> None:
    assert stem(Path("folder") / name) == expected
