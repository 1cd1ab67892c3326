"""The DICOM series of a folder, and which of its files are damaged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from DPLSegmentLib.images.dicom_elements import Elements, read_elements
from DPLSegmentLib.images.errors import ImageError

_SUFFIXES = (".dcm", ".ima", ".dicom")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class DicomFile:
    """A file and what its elements say."""

    path: Path
    elements: Elements


@dataclass(frozen=True)
class DicomFolder:
    """What lies in a folder, not below it: scans by series instance UID, and files that cannot be used."""

    folder: Path
    series: Mapping[str, tuple[DicomFile, ...]]
    bad: tuple[DicomFile, ...]

    def choose(self, uid: str | None) -> str:
        """The series with this UID, or else the one with most slices. Raises ImageError when there is none."""
        if uid not in self.series and (uid or not self.series):
            raise self._nothing(uid)
        return uid or max(self.series, key=self._slices)

    def whole(self, uid: str) -> tuple[DicomFile, ...]:
        """The files of a series. Raises ImageError when one of them is damaged, or a file that may belong to it."""
        shapes = {_shape(file.path) for file in self.series[uid]}
        for file in self.bad:
            if self._may_belong(file, uid, shapes):
                raise ImageError(
                    f"{file.path.name} in {self.folder} is {file.elements.wrong or 'damaged'} and belongs or may "
                    f"belong to the series {uid}: export the series again, or remove that file if it is no part of it."
                )
        return self.series[uid]

    def describe(self, uid: str) -> str:
        """How a series is called in a sentence: by its folder, and by its UID where there are several."""
        return f"{self.folder} (series {uid})" if len(self.series) > 1 else str(self.folder)

    def _slices(self, uid: str) -> int:
        return sum(file.elements.frames for file in self.series[uid])

    def _nothing(self, uid: str | None) -> ImageError:
        bad = [file for file in self.bad if _was_dicom(file) and uid in (None, file.elements.series)]
        if bad:
            file, wrong = bad[0].path.name, bad[0].elements.wrong
            return ImageError(f"{file} in {self.folder} is {wrong}: export the series again.")
        if not self.series:
            return ImageError(f"{self.folder} holds no DICOM series: choose the folder that the slices lie in.")
        return ImageError(f"{self.folder} holds no series {uid}: choose one of {', '.join(self.series)}.")

    @staticmethod
    def _may_belong(file: DicomFile, uid: str, shapes: set[str]) -> bool:
        if file.elements.series or not file.elements.wrong:
            return file.elements.series == uid
        return _was_dicom(file) or _shape(file.path) in shapes


def open_folder(folder: Path) -> DicomFolder:
    """Sort the files of a folder; the voxels are not read."""
    series: dict[str, list[DicomFile]] = {}
    bad: list[DicomFile] = []
    for file in _files(folder):
        usable = file.elements.is_scan and file.elements.series and not file.elements.wrong
        (series.setdefault(file.elements.series, []) if usable else bad).append(file)
    return DicomFolder(folder, {uid: tuple(files) for uid, files in sorted(series.items())}, tuple(bad))


def series_in(folder: Path) -> list[str]:
    """UIDs of the series of scans in a folder, sorted, those included of which files are damaged."""
    found = open_folder(folder)
    return sorted({*found.series, *(file.elements.series for file in found.bad if _is_broken_scan(file.elements))})


def _was_dicom(file: DicomFile) -> bool:
    """Whether a file that cannot be used is, or by its name should be, DICOM."""
    return bool(file.elements.wrong and (file.elements.values or file.path.suffix.lower() in _SUFFIXES))


def _is_broken_scan(elements: Elements) -> bool:
    return bool(elements.series and elements.wrong and elements.is_scan)


def _files(folder: Path) -> Iterator[DicomFile]:
    """Also files that are no DICOM any more: their names tell whether they were."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith(".") and path.name != "DICOMDIR":
            yield DicomFile(path, _elements(path))


def _elements(path: Path) -> Elements:
    try:
        elements = read_elements(path) or Elements(wrong="not readable as DICOM")
    except OSError as error:
        raise ImageError(f"{path} cannot be opened ({error.strerror}): copy it to a folder of your own.") from error
    if elements.is_scan and not (elements.series or elements.wrong):
        elements.wrong = "without a series instance UID"
    return elements


def _shape(path: Path) -> str:
    return _DIGITS.sub("#", path.name)
