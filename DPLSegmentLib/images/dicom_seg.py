"""Segmentations to DICOM SEG files that refer to the images they were made from.

Read by 3D Slicer, dcmqi, pydicom-seg and highdicom: one bit a voxel, empty frames left out. Needs the extra `dicom`.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from DPLSegmentLib.images.atomic import atomic
from DPLSegmentLib.images.dicom import DicomScan
from DPLSegmentLib.images.dicom_elements import is_dicom
from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.extras import extra_module, own_version
from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.images.terminology import Coding, Terminology, terminology_of

NAME = "DPLSegment"
_SERIES_NUMBER = 300
_LONGEST_LABEL = 64
_NEEDED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
_MAY_BE_EMPTY = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate",
    "StudyTime", "ReferringPhysicianName", "Modality",
)  # fmt: skip


def check_dicom_seg(scan: Path) -> None:
    """Raise ImageError when a segmentation of this scan cannot become DICOM SEG; looks at no voxel."""
    extra_module("highdicom", "Writing DICOM SEG")
    if not scan.is_dir() and not is_dicom(scan):
        raise ImageError(
            f"{scan.name} is no DICOM image, so that DICOM SEG has nothing to refer to: choose another --format."
        )


def write_dicom_seg(segmentation: Segmentation, scan: DicomScan, path: Path, model_id: str) -> None:
    """Write segments on the grid of the scan that they were made from (`images.dicom.find_scan`).

    Names, colours and terminology are kept, overlaps too; "Tissue" stands where no terminology was chosen.
    Raises ImageError when the grids differ, the images lack an identifier, or the file cannot be written.
    """
    highdicom = extra_module("highdicom", "Writing DICOM SEG")
    _check_same_grid(segmentation, scan)
    with warnings.catch_warnings(), atomic(path) as temporary:
        warnings.simplefilter("ignore")  # they quote what is odd in the images, dates of birth included
        _checked(highdicom, segmentation, scan, model_id).save_as(temporary)


def _checked(highdicom: Any, segmentation: Segmentation, scan: DicomScan, model_id: str) -> Any:
    sources = _sources(scan)
    try:
        return _made(highdicom, segmentation, scan, sources, model_id)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ImageError(
            f"DICOM SEG cannot refer to {scan.files[0].name} and its series, whose description is not as the "
            f"standard wants it ({type(error).__name__}): choose another --format."
        ) from error


def _made(highdicom: Any, segmentation: Segmentation, scan: DicomScan, sources: list[Any], model_id: str) -> Any:
    return highdicom.seg.Segmentation(
        source_images=sources,
        pixel_array=_in_order_of(scan, _voxels(segmentation)),
        segmentation_type="BINARY",
        segment_descriptions=[
            _description(highdicom, number, segment, model_id)
            for number, segment in enumerate(segmentation.segments, 1)
        ],
        series_instance_uid=highdicom.UID(),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer=NAME,
        manufacturer_model_name=NAME,
        software_versions=own_version(),
        device_serial_number=model_id,
        pixel_measures=_measures(highdicom, scan.ijk_to_ras),
        content_label="SEGMENTATION",
        content_description="Made from one painted slice",
        series_description=f"{NAME} segmentation",
        specific_character_set="ISO_IR 192",
    )


def _check_same_grid(segmentation: Segmentation, scan: DicomScan) -> None:
    if not segmentation.segments:
        raise ImageError(f"{segmentation.name} has no segments: there is nothing to write.")
    if len(scan.frames) != segmentation.shape[0] or not np.allclose(
        scan.ijk_to_ras, segmentation.ijk_to_ras, atol=1e-3
    ):
        raise ImageError(
            f"{segmentation.name} is not on the grid of the DICOM images in {scan.files[0].parent}: give the scan that "
            "it was made from."
        )


def _sources(scan: DicomScan) -> list[Any]:
    """The headers of the scan's files, complete enough to be referred to."""
    pydicom = extra_module("pydicom", "Writing DICOM SEG")
    images = [pydicom.dcmread(file, stop_before_pixels=True) for file in scan.files]
    for image, file in zip(images, scan.files, strict=True):
        missing = [keyword for keyword in _NEEDED if not image.get(keyword)]
        if missing:
            raise ImageError(f"{file.name} has no {missing[0]}, which DICOM SEG refers to: choose another --format.")
        _complete(image, pydicom)
    return images


def _complete(image: Any, pydicom: Any) -> None:
    """What the standard wants to be there and may be empty is empty where it is missing or no date, time or sex."""
    for keyword in _MAY_BE_EMPTY:
        if keyword not in image or _is_odd(keyword, str(image[keyword].value or ""), pydicom):
            setattr(image, keyword, "")
    if not image.get("SliceThickness"):
        image.SliceThickness = 1


def _is_odd(keyword: str, text: str, pydicom: Any) -> bool:
    kinds = {"Date": pydicom.valuerep.DA, "Time": pydicom.valuerep.TM}
    try:
        kinds.get(keyword[-4:], str)(text)
    except ValueError:
        return True
    return keyword == "PatientSex" and text not in ("", "M", "F", "O")


def _voxels(segmentation: Segmentation) -> np.ndarray:
    """Segment numbers [z, y, x], or one mask for each segment [z, y, x, segment] where they overlap."""
    masks = [segment.mask for segment in segmentation.segments]
    numbers = np.zeros(segmentation.shape, np.uint8 if len(masks) < 256 else np.uint16)
    for number, mask in enumerate(masks, 1):
        if numbers[mask].any():
            return np.stack(masks, -1).astype(np.uint8)
        numbers[mask] = number
    return numbers


def _in_order_of(scan: DicomScan, voxels: np.ndarray) -> np.ndarray:
    """Frames as they are stored in a multi-frame file; with a file for each slice the order is the volume's."""
    return voxels[np.argsort(scan.frames)] if len(scan.files) == 1 else voxels


def _measures(highdicom: Any, ijk_to_ras: np.ndarray) -> Any:
    """Slices as thick as they are apart: what readers take for the size of a voxel."""
    across, down, apart = (float(side) for side in np.linalg.norm(ijk_to_ras[:3, :3], axis=0))
    return highdicom.PixelMeasuresSequence((down, across), slice_thickness=apart, spacing_between_slices=apart)


def _description(highdicom: Any, number: int, segment: Segment, model_id: str) -> Any:
    terminology = terminology_of(segment.tags)
    description = highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=_label(segment.name) or f"Segment {number}",
        segmented_property_category=_code(highdicom, terminology.category),
        segmented_property_type=_code(highdicom, terminology.kind),
        algorithm_type="SEMIAUTOMATIC",
        algorithm_identification=_algorithm(highdicom, model_id),
        anatomic_regions=[_code(highdicom, terminology.region)] if terminology.region else None,
        display_color=highdicom.color.CIELabColor.from_rgb(*(255 * min(max(part, 0.0), 1.0) for part in segment.color)),
    )
    _add_modifiers(highdicom, description, terminology)
    return description


def _add_modifiers(highdicom: Any, description: Any, terminology: Terminology) -> None:
    if terminology.modifier:
        kind = description.SegmentedPropertyTypeCodeSequence[0]
        kind.SegmentedPropertyTypeModifierCodeSequence = [_code(highdicom, terminology.modifier)]
    if terminology.region and terminology.region_modifier:
        region = description.AnatomicRegionSequence[0]
        region.AnatomicRegionModifierSequence = [_code(highdicom, terminology.region_modifier)]


def _algorithm(highdicom: Any, model_id: str) -> Any:
    return highdicom.AlgorithmIdentificationSequence(
        name=NAME,
        family=highdicom.sr.CodedConcept("123110", "DCM", "Artificial Intelligence"),
        version=own_version(),
        parameters={"model": model_id},
    )


def _code(highdicom: Any, coding: Coding) -> Any:
    return highdicom.sr.CodedConcept(coding.value, coding.scheme, coding.meaning)


def _label(name: str) -> str:
    """What DICOM allows as a label: one line without backslashes, 64 characters."""
    printable = "".join(character if character.isprintable() else " " for character in name)
    return " ".join(printable.replace("\\", "/").split())[:_LONGEST_LABEL]
