"""Folders with DICOM slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.reading import read_volume
from DPLSegmentLib.images.volume import Volume

OBLIQUE = Rotation.from_euler("xyz", (12, -20, 35), degrees=True).as_matrix()


@dataclass
class Series:
    """Writes slices [z, y, x] of 0.8 x 0.7 mm as DICOM files, at heights along the third axis of OBLIQUE (LPS)."""

    folder: Path
    uid: str = "1.2.826.0.1.1"
    tilt: float = 0.0

    def write(self, array: np.ndarray, heights: Sequence[float]) -> Path:
        self.folder.mkdir(exist_ok=True)
        for number, (height, voxels) in enumerate(zip(heights, array, strict=True)):
            self._write_slice(number, voxels, OBLIQUE @ (0, self.tilt * height, height))
        return self.folder

    def _write_slice(self, number: int, voxels: np.ndarray, position: np.ndarray) -> None:
        image = sitk.GetImageFromArray(voxels[None])
        image.SetSpacing((0.8, 0.7, 1.0))
        tags = {
            "0008|0060": "CT",
            "0008|0018": f"{self.uid}.{number + 1}",
            "0020|000d": "1.2.826.0.1",
            "0020|000e": self.uid,
            "0020|0013": str(number + 1),
            "0020|0032": "\\".join(f"{part:.6f}" for part in position),
            "0020|0037": "\\".join(f"{part:.8f}" for part in OBLIQUE[:, :2].T.ravel()),
            "0028|1052": "-1024",
            "0028|1053": "1",
        }
        for key, value in tags.items():
            image.SetMetaData(key, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(self.folder / f"{self.uid}-{number:03}.dcm"))
        writer.Execute(image)


@pytest.fixture
def slices(crop: Volume) -> np.ndarray:
    return crop.array[:6]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "series"


@pytest.mark.parametrize("step", [2.5, -2.5])
def test_a_series_is_read_at_its_place_in_either_direction(slices: np.ndarray, folder: Path, step: float) -> None:
    volume = read_volume(Series(folder).write(slices, np.arange(6) * step))
    np.testing.assert_array_equal(volume.array, slices if step > 0 else slices[::-1])
    expected = np.diag([-1.0, -1.0, 1.0]) @ OBLIQUE * (0.8, 0.7, 2.5)
    np.testing.assert_allclose(volume.ijk_to_ras[:3, :3], expected, atol=1e-5)
    lowest = np.diag([-1.0, -1.0, 1.0]) @ OBLIQUE @ (0, 0, min(0, 5 * step))
    np.testing.assert_allclose(volume.ijk_to_ras[:3, 3], lowest, atol=1e-5)
    assert volume.name == "series"


def test_the_largest_series_is_read_unless_another_is_named(slices: np.ndarray, folder: Path) -> None:
    Series(folder, "1.2.826.0.1.1").write(slices[:3], (0, 3, 6))
    Series(folder, "1.2.826.0.1.2").write(slices, range(6))
    assert read_volume(folder).shape[0] == 6
    assert read_volume(folder, series="1.2.826.0.1.1").shape[0] == 3
    with pytest.raises(ImageError, match="holds no series 9: choose one of 1.2.826.0.1.1, 1.2.826.0.1.2"):
        read_volume(folder, series="9")


@pytest.mark.parametrize(
    ("heights", "tilt", "sentence"),
    [
        ((0, 2, 4, 8, 10, 12), 0.0, "has slices 2.00 to 4.00 mm apart: some are missing"),
        ((0, 2, 4, 4, 6, 8), 0.0, "several slices at one place: export each of its scans"),
        ((0, 2, 4, 6, 8, 10), 0.3, "gantry tilt of 16.7 degrees: resample it"),
    ],
)
def test_a_series_that_is_no_regular_grid_is_refused(
    heights: tuple[float, ...], tilt: float, sentence: str, slices: np.ndarray, folder: Path
) -> None:
    Series(folder, tilt=tilt).write(slices, heights)
    with pytest.raises(ImageError, match=sentence):
        read_volume(folder)


def test_a_series_of_one_slice_is_refused(slices: np.ndarray, folder: Path) -> None:
    Series(folder).write(slices[:1], (0,))
    with pytest.raises(ImageError, match="series is a single slice"):
        read_volume(folder)
    with pytest.raises(ImageError, match="is a single slice"):
        read_volume(next(folder.iterdir()))


def test_a_series_with_a_damaged_slice_is_refused(slices: np.ndarray, folder: Path) -> None:
    Series(folder).write(slices, range(6))
    damaged = sorted(folder.iterdir())[3]
    damaged.write_bytes(damaged.read_bytes()[:-100])
    with pytest.raises(ImageError):
        read_volume(folder)


def test_a_folder_without_dicom_is_refused_quietly(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ImageError, match="holds no DICOM series: choose the folder that the slices lie in"):
        read_volume(tmp_path)
    assert capfd.readouterr().err == ""
