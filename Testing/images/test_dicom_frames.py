"""Enhanced multi-frame CT: all slices in one file."""

from __future__ import annotations

import random
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from scipy.spatial.transform import Rotation

from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.reading import read_volume
from DPLSegmentLib.images.volume import Volume
from Testing.images.dicom_files import Scan, save

OBLIQUE = Rotation.from_euler("xyz", (12, -20, 35), degrees=True).as_matrix()
ORDER = [3, 1, 0, 2, 5, 4]


@pytest.fixture
def scan(crop: Volume) -> Scan:
    return Scan(crop.array[:6], axes=OBLIQUE)


@pytest.fixture
def file(scan: Scan, tmp_path: Path) -> Path:
    return scan.write_enhanced(tmp_path / "enhanced.dcm", ORDER)


@pytest.fixture
def image(file: Path) -> Dataset:
    return dcmread(file)


@pytest.mark.parametrize("as_folder", [False, True])
def test_frames_are_read_at_their_places_whatever_their_order(scan: Scan, file: Path, as_folder: bool) -> None:
    volume = read_volume(file.parent if as_folder else file)
    np.testing.assert_array_equal(volume.array, scan.voxels)
    np.testing.assert_allclose(volume.ijk_to_ras, scan.ijk_to_ras, atol=1e-6)


def test_a_file_of_many_frames_outweighs_a_localizer_of_three_files(scan: Scan, file: Path) -> None:
    Scan(scan.voxels[:3], series="1.2.826.0.1.8").write(file.parent)
    assert read_volume(file.parent).shape[0] == 6


def test_frames_with_scales_of_their_own_keep_their_values(scan: Scan, file: Path, image: Dataset) -> None:
    shared = image.SharedFunctionalGroupsSequence[0]
    own = shared.PixelValueTransformationSequence[0]
    del shared.PixelValueTransformationSequence
    for number, frame in enumerate(image.PerFrameFunctionalGroupsSequence):
        part = Dataset()
        part.update(own)
        part.RescaleSlope = 1 + number
        frame.PixelValueTransformationSequence = [part]
    save(image, file)
    slopes = 1 + np.argsort(ORDER)
    expected = (scan.voxels + 2048.0) * slopes[:, None, None] - 2048
    np.testing.assert_allclose(read_volume(file).array, expected)


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ([0, 0, 0], "several slices at one place.*frame 1 of enhanced.dcm and frame 5 of"),
        ([0, 0, 500.0], "some are missing"),
        (["1e400", 0, 0], "frame 5 of enhanced.dcm does not say where it lies"),
    ],
)
def test_a_frame_at_a_wrong_place_is_refused(file: Path, image: Dataset, place: list[object], sentence: str) -> None:
    positions = [frame.PlanePositionSequence[0] for frame in image.PerFrameFunctionalGroupsSequence]
    same = positions[0].ImagePositionPatient
    positions[4].ImagePositionPatient = same if place == [0, 0, 0] else place
    save(image, file)
    with pytest.raises(ImageError, match=sentence):
        read_volume(file)


def test_frames_in_several_directions_are_refused(file: Path, image: Dataset) -> None:
    turned = Dataset()
    turned.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.PerFrameFunctionalGroupsSequence[2].PlaneOrientationSequence = [turned]
    save(image, file)
    with pytest.raises(ImageError, match="enhanced.dcm has slices in several directions"):
        read_volume(file)


def test_files_changed_at_random_are_read_or_refused_with_a_sentence(file: Path) -> None:
    whole = file.read_bytes()
    for seed in range(120):
        dice = random.Random(seed)
        content = bytearray(whole)
        for _ in range(dice.choice([1, 2, 4])):
            content[dice.randrange(132, 1900)] = dice.choice([0, 1, 49, 65, 127, 128, 255])
        file.write_bytes(content)
        with suppress(ImageError):
            assert read_volume(file).shape[0] == 6


@pytest.mark.parametrize("keyword", ["PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"])
def test_frames_that_do_not_say_where_they_lie_are_refused(file: Path, image: Dataset, keyword: str) -> None:
    del image[keyword]
    save(image, file)
    with pytest.raises(ImageError, match="does not say"):
        read_volume(file)


def test_what_reads_them_is_named_when_it_is_not_installed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ImageError, match=r"enhanced.dcm is a multi-frame DICOM.*dpl-segment\[dicom\]"):
        read_volume(file)
