"""DICOM files made from arrays, as scanners write them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydicom import Dataset, FileMetaDataset, dcmread, dcmwrite
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
)

PATIENT = "Doe^Jane"
INTERCEPT = -2048
_LPS_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass
class Scan:
    """Hounsfield units [slice, row, column], spacing (slice, row, column) in mm and where they lie.

    `axes` [3, 3] has in its columns the LPS directions along columns, rows and slices, `origin` the first voxel.
    """

    voxels: np.ndarray
    spacing: tuple[float, float, float] = (3.0, 0.8, 0.7)
    axes: np.ndarray = field(default_factory=lambda: np.eye(3))
    origin: tuple[float, float, float] = (-80.0, -60.5, 12.25)
    study: str = "1.2.826.0.1"
    series: str = "1.2.826.0.1.1"
    frame_of_reference: str = "1.2.826.0.2"

    @property
    def ijk_to_ras(self) -> np.ndarray:
        """4x4, for voxels as they are given."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.axes * self.spacing[::-1]
        matrix[:3, 3] = self.origin
        return _LPS_RAS @ matrix

    def position(self, index: int) -> list[str]:
        """Of the first voxel of a slice, as DICOM writes it."""
        return _decimals(np.asarray(self.origin) + self.axes[:, 2] * self.spacing[0] * index)

    @property
    def orientation(self) -> list[str]:
        """Directions along a row and along a column, as DICOM writes them."""
        return _decimals(self.axes[:, :2].T.ravel())

    def datasets(self) -> Iterator[Dataset]:
        """A CT image for each slice."""
        for index, plane in enumerate(self.voxels):
            image = _image(self, CTImageStorage, f"{self.series}.{index + 1}", plane)
            image.InstanceNumber = index + 1
            image.ImagePositionPatient = self.position(index)
            image.ImageOrientationPatient = self.orientation
            image.PixelSpacing = [f"{side:.6g}" for side in self.spacing[1:]]
            image.SliceThickness = f"{self.spacing[0]:.6g}"
            image.RescaleIntercept, image.RescaleSlope, image.RescaleType = INTERCEPT, 1, "HU"
            yield image

    def write(self, folder: Path, order: Sequence[int] | None = None) -> Path:
        """A file for each slice, named by number, in the given order of names."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, image in zip(order or range(len(self.voxels)), self.datasets(), strict=True):
            save(image, folder / f"IM{name:03}.dcm")
        return folder

    def write_enhanced(self, path: Path, order: Sequence[int] | None = None) -> Path:
        """One Enhanced CT file with the slices as frames in the given order."""
        order = list(order or range(len(self.voxels)))
        save(self.enhanced(order), path)
        return path

    def enhanced(self, order: Sequence[int]) -> Dataset:
        """An Enhanced CT image with one plane position a frame and the rest shared."""
        image = _image(self, EnhancedCTImageStorage, f"{self.series}.1", self.voxels[list(order)])
        image.NumberOfFrames = len(order)
        image.InstanceNumber = 1
        image.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
        shared = Dataset()
        shared.PixelMeasuresSequence = [
            _item(PixelSpacing=[f"{s:.6g}" for s in self.spacing[1:]], SliceThickness=f"{self.spacing[0]:.6g}")
        ]
        shared.PlaneOrientationSequence = [_item(ImageOrientationPatient=self.orientation)]
        shared.PixelValueTransformationSequence = [_item(RescaleIntercept=INTERCEPT, RescaleSlope=1, RescaleType="HU")]
        image.SharedFunctionalGroupsSequence = [shared]
        image.PerFrameFunctionalGroupsSequence = [
            _item(PlanePositionSequence=[_item(ImagePositionPatient=self.position(index))]) for index in order
        ]
        return image


def save(image: Dataset, path: Path) -> None:
    """Write a dataset with a file header."""
    dcmwrite(path, image, enforce_file_format=True)


def change(path: Path, **values: object) -> None:
    """Set elements of a file; None takes one out."""
    image = dcmread(path)
    for keyword, value in values.items():
        if value is None:
            del image[keyword]
        else:
            setattr(image, keyword, value)
    save(image, path)


def cut(path: Path, size: int) -> None:
    """Keep the first bytes of a file; a negative size counts from the end."""
    path.write_bytes(path.read_bytes()[:size])


def _image(scan: Scan, storage: str, instance: str, pixels: np.ndarray) -> Dataset:
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SpecificCharacterSet = "ISO_IR 100"
    image.SOPClassUID, image.SOPInstanceUID = storage, instance
    image.file_meta.MediaStorageSOPClassUID, image.file_meta.MediaStorageSOPInstanceUID = storage, instance
    image.Modality = "CT"
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.Manufacturer = "Example"
    image.PatientName, image.PatientID, image.PatientBirthDate, image.PatientSex = PATIENT, "P-1", "19700101", "F"
    image.StudyInstanceUID, image.SeriesInstanceUID = scan.study, scan.series
    image.StudyDate, image.StudyTime, image.StudyID = "20240102", "101500", "S1"
    image.AccessionNumber, image.ReferringPhysicianName = "A1", ""
    image.SeriesNumber = 2
    image.FrameOfReferenceUID, image.PositionReferenceIndicator = scan.frame_of_reference, ""
    image.Rows, image.Columns = pixels.shape[-2:]
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation = 15, 0
    image.PixelData = (pixels.astype(np.int32) - INTERCEPT).clip(0, 65535).astype("<u2").tobytes()
    return image


def _item(**values: object) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _decimals(numbers: np.ndarray) -> list[str]:
    return [f"{number:.8f}"[:16] for number in numbers]
