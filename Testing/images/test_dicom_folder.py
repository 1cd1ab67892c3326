"""Folders in which something is wrong with a DICOM file, or in which other things lie too."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import SegmentationStorage

from DPLSegmentLib.images.dicom_folder import series_in
from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.reading import read_volume
from DPLSegmentLib.images.volume import Volume
from Testing.images.dicom_files import PATIENT, Scan, change, cut

LAST = 5


@pytest.fixture
def scan(crop: Volume) -> Scan:
    return Scan(crop.array[:6])


@pytest.fixture
def folder(scan: Scan, tmp_path: Path) -> Path:
    return scan.write(tmp_path / "ct")


def test_slices_are_sorted_by_their_place_and_not_by_their_names(scan: Scan, tmp_path: Path) -> None:
    volume = read_volume(scan.write(tmp_path / "ct", order=[3, 1, 5, 0, 2, 4]))
    np.testing.assert_array_equal(volume.array, scan.voxels)
    np.testing.assert_allclose(volume.ijk_to_ras, scan.ijk_to_ras, atol=1e-6)


@pytest.mark.parametrize("number", [0, 3, LAST])
@pytest.mark.parametrize("size", [-1, -3000, 1200, 700, 500, 200, 132, 60, 0])
def test_a_damaged_slice_is_noticed_wherever_it_lies(folder: Path, number: int, size: int) -> None:
    cut(folder / f"IM{number:03}.dcm", size)
    with pytest.raises(ImageError, match=f"IM{number:03}.dcm in .* is (damaged|not readable as DICOM)"):
        read_volume(folder)


@pytest.mark.parametrize("number", [0, LAST])
def test_an_overwritten_slice_is_noticed_by_its_name(folder: Path, number: int) -> None:
    for path in list(folder.iterdir()):
        path.rename(path.with_suffix(""))
    (folder / f"IM{number:03}").write_bytes(bytes(9000))
    with pytest.raises(ImageError, match=f"IM{number:03} in .* is not readable as DICOM"):
        read_volume(folder)


def test_a_slice_with_fewer_voxels_than_it_says_is_noticed(folder: Path) -> None:
    change(folder / "IM005.dcm", PixelData=bytes(1000))
    with pytest.raises(ImageError, match="IM005.dcm in .* is damaged"):
        read_volume(folder)


def test_a_slice_without_voxels_is_noticed(folder: Path) -> None:
    change(folder / "IM005.dcm", PixelData=None)
    with pytest.raises(ImageError, match="IM005.dcm in .* is damaged"):
        read_volume(folder)


def test_a_damaged_slice_of_another_series_does_no_harm(scan: Scan, folder: Path) -> None:
    other = Scan(scan.voxels[:3], series="1.2.826.0.1.9").write(folder.parent / "other")
    for path in list(other.iterdir()):
        path.rename(folder / f"other-{path.name}")
    cut(folder / "other-IM002.dcm", -100)
    assert read_volume(folder).shape[0] == 6
    with pytest.raises(ImageError, match="other-IM002.dcm in .* belong to the series 1.2.826.0.1.9"):
        read_volume(folder, series="1.2.826.0.1.9")
    assert series_in(folder) == [scan.series, "1.2.826.0.1.9"]


def test_a_series_of_damaged_slices_alone_is_named(folder: Path) -> None:
    for path in folder.iterdir():
        cut(path, -10)
    with pytest.raises(ImageError, match="IM000.dcm in .* is damaged: export the series again"):
        read_volume(folder)
    assert series_in(folder) == ["1.2.826.0.1.1"]


def test_other_files_beside_the_slices_do_no_harm(folder: Path) -> None:
    (folder / "README.txt").write_text("exported yesterday")
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(20))
    (folder / ".hidden").write_bytes(b"")
    (folder / "below").mkdir()
    report = folder / "report.dcm"
    shutil.copy(folder / "IM000.dcm", report)
    change(report, PixelData=None, Rows=None, SeriesInstanceUID="1.2.826.0.1.5")
    assert read_volume(folder).shape[0] == 6
    assert series_in(folder) == ["1.2.826.0.1.1"]


def test_a_segmentation_in_the_folder_is_not_taken_for_the_scan(scan: Scan, folder: Path) -> None:
    path = Scan(np.repeat(scan.voxels, 3, 0), series="1.2.826.0.1.7").write_enhanced(folder / "seg.dcm")
    change(path, SOPClassUID=SegmentationStorage)
    assert read_volume(folder).shape[0] == 6


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"FrameOfReferenceUID": "1.2.3"}, "several frames of reference"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, "several directions"),
        ({"PixelSpacing": [0.5, 0.5]}, "different sizes"),
        ({"ImagePositionPatient": None}, "slices without a position"),
        ({"ImagePositionPatient": [0, 0]}, "IM005.dcm does not say where it lies"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "IM005.dcm does not say in which direction it lies"),
    ],
)
def test_a_slice_that_does_not_fit_is_refused(folder: Path, wrong: dict[str, object], sentence: str) -> None:
    change(folder / "IM005.dcm", **wrong)
    with pytest.raises(ImageError, match=sentence):
        read_volume(folder)


def test_a_copy_of_a_slice_is_named(folder: Path) -> None:
    shutil.copy(folder / "IM002.dcm", folder / "IM002 copy.dcm")
    with pytest.raises(ImageError, match="at one place.*IM002 copy.dcm and IM002.dcm"):
        read_volume(folder)


def test_a_missing_slice_is_noticed(folder: Path) -> None:
    (folder / "IM002.dcm").unlink()
    with pytest.raises(ImageError, match="3.00 to 6.00 mm apart: some are missing"):
        read_volume(folder)


def test_slices_with_scales_of_their_own_keep_their_values(scan: Scan, folder: Path) -> None:
    change(folder / "IM004.dcm", RescaleSlope="0.5")
    volume = read_volume(folder)
    np.testing.assert_array_equal(volume.array[:4], scan.voxels[:4])
    np.testing.assert_array_equal(volume.array[4], (scan.voxels[4] + 2048) * 0.5 - 2048)


def test_no_sentence_tells_the_patients_name(folder: Path) -> None:
    for path, size in zip(sorted(folder.iterdir()), (-1, 700, 500, 200, 60, 0), strict=True):
        whole = path.read_bytes()
        cut(path, size)
        with pytest.raises(ImageError) as refused:
            read_volume(folder)
        assert not any(part in str(refused.value) for part in PATIENT.split("^"))
        path.write_bytes(whole)
