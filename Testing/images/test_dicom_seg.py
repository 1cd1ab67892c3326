"""DICOM SEG: what highdicom, dcmqi and dciodvfy find in the files."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import highdicom
import numpy as np
import pytest
from pydicom import dcmread
from scipy.spatial.transform import Rotation

from DPLSegmentLib.images.dicom import find_scan
from DPLSegmentLib.images.dicom_seg import check_dicom_seg, write_dicom_seg
from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.reading import read_segmentation, read_volume
from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.images.writing import write_segmentation
from Testing.images.dicom_files import PATIENT, Scan, change

PLANES = {
    "axial": np.eye(3),
    "sagittal": np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]),
    "oblique": Rotation.from_euler("xyz", (12, -20, 35), degrees=True).as_matrix(),
}
ORDER = [3, 1, 0, 2, 6, 4, 7, 5]
KIDNEY = (
    "Segmentation category and type~SCT^123037004^Anatomical Structure~SCT^64033007^Kidney~SCT^24028007^Right"
    "~Anatomic codes~SCT^818981001^Abdomen~^^"
)
_LPS_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@pytest.fixture
def voxels(crop: Volume) -> np.ndarray:
    return crop.array[4:12]


@pytest.fixture(params=[(plane, kind) for plane in PLANES for kind in ("series", "frames")], ids="-".join)
def source(request: pytest.FixtureRequest, voxels: np.ndarray, tmp_path: Path) -> Path:
    """The same slices as a series and as frames of one file, in no order, in three directions."""
    plane, kind = request.param
    scan = Scan(voxels, axes=PLANES[plane])
    if kind == "series":
        return scan.write(tmp_path / "source", ORDER)
    return scan.write_enhanced(tmp_path / "source.dcm", ORDER)


@pytest.fixture
def axial(voxels: np.ndarray, tmp_path: Path) -> Path:
    return Scan(voxels).write(tmp_path / "axial")


def painted(volume: Volume, overlap: bool = True) -> Segmentation:
    """Soft tissue, what is brighter, and nothing, as they might have been painted."""
    tissue, bright = volume.array > 0, volume.array > 100
    segments = (
        Segment("Nïere | rechts", tissue if overlap else tissue & ~bright, 1, (0.25, 0.5, 0.75), {
            "TerminologyEntry": KIDNEY}),
        Segment("bright", bright, 2, (1.0, 0.0, 0.0)),
        Segment("nothing\nyet \\ later", np.zeros_like(tissue), 3, (0.0, 1.0, 0.0)),
    )  # fmt: skip
    return Segmentation(segments, volume.ijk_to_ras, "painted")


def written(source: Path, overlap: bool = True) -> tuple[Path, Segmentation]:
    """The SEG file, and what comes back from the NRRD file of the same segmentation."""
    segmentation = painted(read_volume(source), overlap)
    seg, nrrd = (source.parent / f"result.{suffix}" for suffix in ("dcm", "seg.nrrd"))
    write_dicom_seg(segmentation, find_scan(source), seg, "0123456789ab")
    write_segmentation(segmentation, nrrd)
    return seg, read_segmentation(nrrd)


def places(mask: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    """Where in the patient the voxels of a mask [z, y, x] lie: µm, sorted [n, 3]."""
    points = np.argwhere(mask)[:, ::-1] @ ijk_to_ras[:3, :3].T + ijk_to_ras[:3, 3]
    return np.unique(np.rint(1000 * points).astype(int), axis=0)


def assert_same_places(one: np.ndarray, other: np.ndarray) -> None:
    assert one.shape == other.shape
    assert not len(one) or np.abs(one - other).max() <= 1


@pytest.mark.parametrize("overlap", [False, True])
def test_every_voxel_lies_where_that_of_the_nrrd_file_does(source: Path, overlap: bool) -> None:
    seg, nrrd = written(source, overlap)
    found = highdicom.seg.segread(seg)
    for number, segment in enumerate(nrrd.segments[:2], 1):
        volume = found.get_volume(segment_numbers=[number], combine_segments=False)
        matrix = _LPS_RAS @ volume.affine[:, [2, 1, 0, 3]]
        assert segment.mask.any()
        assert_same_places(places(volume.array[..., 0], matrix), places(segment.mask, nrrd.ijk_to_ras))


def test_dcmqi_finds_the_same_voxels_names_codes_and_colours(source: Path, tmp_path: Path) -> None:
    seg, nrrd = written(source)
    folder = tmp_path / "dcmqi"
    folder.mkdir()
    run_tool("dcmqi", "segimage2itkimage", ["--inputDICOM", seg, "--outputDirectory", folder, "-t", "nrrd"])
    for number, segment in enumerate(nrrd.segments, 1):
        found = read_segmentation(folder / f"{number}.nrrd")
        mask = found.segments[0].mask if found.segments else np.zeros((1, 1, 1), bool)
        assert_same_places(places(mask, found.ijk_to_ras), places(segment.mask, nrrd.ijk_to_ras))
    kidney, bright, nothing = (item[0] for item in json.loads((folder / "meta.json").read_text())["segmentAttributes"])
    assert [item["SegmentLabel"] for item in (kidney, bright, nothing)] == [
        "Nïere | rechts", "bright", "nothing yet / later"]  # fmt: skip
    assert kidney["SegmentedPropertyTypeCodeSequence"]["CodeValue"] == "64033007"
    assert kidney["SegmentedPropertyTypeModifierCodeSequence"]["CodeMeaning"] == "Right"
    assert bright["SegmentedPropertyTypeCodeSequence"]["CodeMeaning"] == "Tissue"
    assert kidney["recommendedDisplayRGBValue"] == [64, 128, 191]


def test_the_standards_checker_finds_nothing_wrong(source: Path) -> None:
    seg, _ = written(source)
    said = run_tool("dicom3tools", "dciodvfy", [seg])
    assert "Segmentation" in said
    assert not [line for line in said.splitlines() if line.startswith(("Error", "Warning"))]


def test_every_frame_refers_to_the_image_at_its_place(axial: Path) -> None:
    seg, _ = written(axial)
    sources = {image.SOPInstanceUID: image for image in map(dcmread, axial.iterdir())}
    result = dcmread(seg)
    for frame in result.PerFrameFunctionalGroupsSequence:
        (reference,) = frame.DerivationImageSequence[0].SourceImageSequence
        image = sources[reference.ReferencedSOPInstanceUID]
        assert reference.ReferencedSOPClassUID == image.SOPClassUID
        assert frame.PlanePositionSequence[0].ImagePositionPatient == image.ImagePositionPatient
    (series,) = result.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == image.SeriesInstanceUID
    assert len(series.ReferencedInstanceSequence) == len(sources)
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert result[keyword].value == image[keyword].value


def test_algorithm_and_its_part_are_named(axial: Path) -> None:
    result = dcmread(written(axial)[0])
    for segment in result.SegmentSequence:
        assert (segment.SegmentAlgorithmType, segment.SegmentAlgorithmName) == ("SEMIAUTOMATIC", "DPLSegment")
        (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
        assert algorithm.AlgorithmVersion == result.SoftwareVersions
        assert "0123456789ab" in algorithm.AlgorithmParameters
    assert result.SegmentationType == "BINARY"
    assert result.SegmentSequence[0].AnatomicRegionSequence[0].CodeMeaning == "Abdomen"


@pytest.mark.parametrize(
    ("characters", "name"),
    [("ISO_IR 100", "Müller^Jörg"), ("ISO_IR 192", "Иванов^Пётр"), (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎")],
)
def test_the_patients_name_is_kept_in_any_alphabet(axial: Path, characters: str | list[str], name: str) -> None:
    for path in axial.iterdir():
        change(path, SpecificCharacterSet=characters, PatientName=name)
    assert dcmread(written(axial)[0]).PatientName == name


@pytest.mark.parametrize(
    "odd",
    [
        {"PatientID": None, "PatientBirthDate": None, "AccessionNumber": None, "StudyTime": None},
        {"PatientSex": "W"},
        {"PatientBirthDate": "1970.01.01"},
        {"StudyDate": "unknown", "StudyTime": "99"},
        {"SliceThickness": None},
        {"Modality": None},
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value")
def test_images_with_missing_or_odd_descriptions_are_referred_to_all_the_same(
    axial: Path, odd: dict[str, object]
) -> None:
    for path in axial.iterdir():
        change(path, **odd)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        seg, _ = written(axial)
    assert [warning.message for warning in said] == []
    assert dcmread(seg).SegmentationType == "BINARY"


def test_segments_that_were_found_nowhere_are_kept(axial: Path) -> None:
    volume = read_volume(axial)
    empty = Segment("nowhere", np.zeros(volume.shape, bool))
    write_dicom_seg(Segmentation((empty,), volume.ijk_to_ras), find_scan(axial), axial.parent / "seg.dcm", "m")
    assert highdicom.seg.segread(axial.parent / "seg.dcm").number_of_segments == 1


@pytest.mark.parametrize("keyword", ["FrameOfReferenceUID", "StudyInstanceUID"])
def test_an_image_without_an_identifier_is_refused(axial: Path, keyword: str) -> None:
    for path in axial.iterdir():
        change(path, **{keyword: None})
    with pytest.raises(ImageError, match=f"IM000.dcm has no {keyword}"):
        written(axial)
    assert not (axial.parent / "result.dcm").exists()


def test_a_segmentation_of_another_scan_is_refused(axial: Path, crop: Volume, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="painted is not on the grid of the DICOM images"):
        write_dicom_seg(painted(crop), find_scan(axial), tmp_path / "seg.dcm", "m")


def test_a_scan_that_is_no_dicom_is_refused_early(tmp_path: Path) -> None:
    (tmp_path / "scan.nii.gz").write_bytes(b"\x1f\x8b" + bytes(200))
    with pytest.raises(ImageError, match="scan.nii.gz is no DICOM image.*choose another --format"):
        check_dicom_seg(tmp_path / "scan.nii.gz")


def test_what_writes_it_is_named_when_it_is_not_installed(axial: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(ImageError, match=r"needs the Python package highdicom: install it with.*dpl-segment\[dicom\]"):
        check_dicom_seg(axial)


def test_reading_and_writing_the_rest_needs_no_extra() -> None:
    code = (
        "import sys; sys.modules['pydicom'] = sys.modules['highdicom'] = None; "
        "import DPLSegmentLib.commands.propagate, DPLSegmentLib.images.dicom_seg"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_no_sentence_tells_the_patients_name(axial: Path) -> None:
    for path in axial.iterdir():
        change(path, FrameOfReferenceUID=None)
    with pytest.raises(ImageError) as refused:
        written(axial)
    assert not any(part in str(refused.value) for part in PATIENT.split("^"))


def run_tool(package: str, tool: str, words: Sequence[object]) -> str:
    """What a program of a Python package says; the test is skipped where that is not installed."""
    folder = Path(pytest.importorskip(package).__file__).parent / "bin"
    (program,) = (path for path in folder.iterdir() if path.stem == tool)
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
