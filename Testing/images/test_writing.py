"""Files are complete or not there."""

from __future__ import annotations

import gzip
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from DPLSegmentLib.images import encoding
from DPLSegmentLib.images.atomic import atomic
from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.reading import read_volume
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.images.writing import write_segmentation, write_volume

SUFFIXES = [".nii.gz", ".nrrd", ".mha"]
TYPES = [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64, np.float32, np.float64]
TOO_LARGE = """
import resource, sys
import numpy as np
from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.images.writing import write_volume
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
noise = np.random.default_rng(0).integers(0, 1000, (20, 40, 50)).astype(np.int16)
try:
    write_volume(Volume(noise, np.eye(4)), sys.argv[1])
except ImageError as error:
    print(error)
"""


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "full"
    folder.mkdir()
    mounted = (
        sys.platform == "linux"
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("a small disk can only be mounted by root on Linux")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def forbidden_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder without write permission, also when the tests run as root."""
    folder = tmp_path / "forbidden"
    folder.mkdir()
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(user)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("stored", TYPES)
def test_a_volume_written_and_read_back_is_the_same_voxel_for_voxel(
    stored: type, suffix: str, crop: Volume, tmp_path: Path
) -> None:
    volume = crop.with_array(np.abs(crop.array[:4] // 16).astype(stored))
    write_volume(volume, tmp_path / f"scan{suffix}")
    again = read_volume(tmp_path / f"scan{suffix}")
    assert again.array.dtype == stored and again.name == "scan"
    np.testing.assert_array_equal(again.array, volume.array)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_simpleitk_sees_the_same_scan(suffix: str, crop: Volume, tmp_path: Path) -> None:
    write_volume(crop, tmp_path / f"scan{suffix}")
    image = sitk.ReadImage(tmp_path / f"scan{suffix}")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), crop.array)
    np.testing.assert_allclose(image.GetSpacing(), crop.spacing[::-1], rtol=1e-6)


@pytest.mark.parametrize("order", [">", "<"])
def test_a_scan_in_any_byte_order_is_written_right(order: str, crop: Volume, tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        write_volume(crop.with_array(crop.array.astype(f"{order}i2")), tmp_path / f"scan{suffix}")
        np.testing.assert_array_equal(read_volume(tmp_path / f"scan{suffix}").array, crop.array)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_view_of_a_scan_is_written_right(suffix: str, crop: Volume, tmp_path: Path) -> None:
    view = crop.array[::-1, ::2].transpose(2, 0, 1)
    write_volume(crop.with_array(view), tmp_path / f"scan{suffix}")
    np.testing.assert_array_equal(read_volume(tmp_path / f"scan{suffix}").array, view)


def test_masks_and_half_precision_are_written_in_the_next_type(crop: Volume, tmp_path: Path) -> None:
    for array, stored in ((crop.array > 0, np.uint8), (crop.array.astype(np.float16), np.float32)):
        write_volume(crop.with_array(array), tmp_path / "scan.nii.gz")
        again = read_volume(tmp_path / "scan.nii.gz").array
        assert again.dtype == stored
        np.testing.assert_array_equal(again, array)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, -1024.0), (0.5, 3.0), (2.0, 0.0)])
def test_a_nifti_with_scaled_numbers_is_read_scaled(
    slope: float, intercept: float, crop: Volume, tmp_path: Path
) -> None:
    content = bytearray(gzip.decompress(encoding.nifti(crop.array, crop.ijk_to_ras)))
    content[112:120] = np.array([slope, intercept], "<f4").tobytes()
    (tmp_path / "scan.nii").write_bytes(content)
    array = read_volume(tmp_path / "scan.nii").array
    assert array.dtype == np.float32
    np.testing.assert_allclose(array, crop.array * slope + intercept)
    np.testing.assert_allclose(array, sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / "scan.nii")))


def test_a_nifti_of_a_big_endian_machine_is_read(tmp_path: Path) -> None:
    voxels = np.arange(60, dtype=">i2").reshape(3, 4, 5)
    header = bytearray(352)
    struct.pack_into(">i", header, 0, 348)
    struct.pack_into(">8h", header, 40, 3, 5, 4, 3, 1, 1, 1, 1)
    struct.pack_into(">hh", header, 70, 4, 16)
    struct.pack_into(">4f", header, 76, 1, 1, 2, 3)
    struct.pack_into(">fff", header, 108, 352, 1, 0)
    struct.pack_into(">hh", header, 252, 0, 1)
    struct.pack_into(">12f", header, 280, 1, 0, 0, 10, 0, 2, 0, 20, 0, 0, 3, 30)
    struct.pack_into("4s", header, 344, b"n+1")
    (tmp_path / "scan.nii").write_bytes(bytes(header) + voxels.tobytes())
    volume = read_volume(tmp_path / "scan.nii")
    assert volume.spacing == (3.0, 2.0, 1.0) and volume.ijk_to_ras[:3, 3].tolist() == [10, 20, 30]
    np.testing.assert_array_equal(volume.array, voxels)


def test_an_unknown_suffix_is_refused(crop: Volume, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="scan.png is no image name: let it end in .nii.gz, .nrrd, .mha"):
        write_volume(crop, tmp_path / "scan.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_is_reported_and_leaves_nothing_behind(suffix: str, crop: Volume, full_disk: Path) -> None:
    with pytest.raises(
        ImageError, match=r"could not be written to .*full \(No space left on device\): free some space"
    ):
        write_volume(crop, full_disk / f"scan{suffix}")
    assert not list(full_disk.iterdir())


def test_a_segmentation_is_not_half_written_on_a_full_disk(overlapping: Segmentation, full_disk: Path) -> None:
    (full_disk / "filler").write_bytes(b"x" * 14000)
    with pytest.raises(ImageError, match="No space left on device"):
        write_segmentation(overlapping, full_disk / "painted.seg.nrrd")
    assert [file.name for file in full_disk.iterdir()] == ["filler"]


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are a thing of POSIX")
def test_a_file_size_limit_is_reported_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TOO_LARGE, str(tmp_path / "scan.nii.gz")]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert "scan.nii.gz could not be written to" in done.stdout and "(File too large)" in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="folder permissions are a thing of POSIX")
def test_a_folder_without_write_permission_is_reported(crop: Volume, forbidden_folder: Path) -> None:
    with pytest.raises(ImageError, match=r"\(Permission denied\): choose a folder that you may write to"):
        write_volume(crop, forbidden_folder / "scan.nrrd")


def test_a_folder_that_does_not_exist_is_reported(crop: Volume, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="make that folder first"):
        write_volume(crop, tmp_path / "nowhere" / "scan.nrrd")


def test_a_folder_of_the_same_name_is_reported(crop: Volume, tmp_path: Path) -> None:
    (tmp_path / "scan.nrrd").mkdir()
    with pytest.raises(ImageError, match="scan.nrrd could not be written"):
        write_volume(crop, tmp_path / "scan.nrrd")
    assert [file.name for file in tmp_path.iterdir()] == ["scan.nrrd"]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError, MemoryError])
def test_an_interrupted_file_leaves_the_old_one_as_it_was(failure: type, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("old")
    with pytest.raises(failure), atomic(tmp_path / "report.json") as temporary:
        temporary.write_text("half")
        raise failure
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]
    assert (tmp_path / "report.json").read_text() == "old"


def test_a_finished_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "overview.png").write_text("old")
    with atomic(tmp_path / "overview.png") as temporary:
        assert temporary.suffix == ".png" and temporary.parent == tmp_path
        temporary.write_text("new")
        assert (tmp_path / "overview.png").read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["overview.png"]
    assert (tmp_path / "overview.png").read_text() == "new"


def test_the_temporary_name_keeps_a_double_suffix(tmp_path: Path) -> None:
    with atomic(tmp_path / "scan.seg.nrrd") as temporary:
        assert temporary.name.endswith(".seg.nrrd")
        temporary.touch()
