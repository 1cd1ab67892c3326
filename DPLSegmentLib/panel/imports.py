"""Scans from a folder, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.reading import read_volume, stem
from DPLSegmentLib.scene.adding import add_scan

_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
_NO_SCANS = ("-segmentation", "-confidence", "-labels", "-label")
_DICOM = 132


def scan_paths(folder: Path) -> list[Path]:
    """Image files in a folder, and the folder itself and its subfolders where they hold DICOM.

    Files that are named like label maps and results of DPLSegment are left out. Raises ImageError when there is none.
    """
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise ImageError(f"The folder {folder} cannot be read: check that it exists and may be opened.") from error
    files = [entry for entry in entries if entry.is_file() and _is_image(entry.name)]
    series = [place for place in [folder, *(entry for entry in entries if entry.is_dir())] if _holds_dicom(place)]
    if not files and not series:
        raise ImageError(f"The folder {folder} holds no scan: choose one with NIfTI, NRRD, MetaImage or DICOM files.")
    return files + series


def _is_image(name: str) -> bool:
    known = name.lower().endswith(_SUFFIXES) and not name.lower().endswith(".seg.nrrd")
    return known and not stem(name).lower().endswith(_NO_SCANS)


def _holds_dicom(folder: Path) -> bool:
    try:
        first = next((entry for entry in sorted(folder.iterdir()) if entry.is_file()), None)
        return first is not None and first.read_bytes()[_DICOM - 4 : _DICOM] == b"DICM"
    except OSError:
        return False


class FolderImport:
    """Loads scans of a folder into the scene; what cannot be read is passed over and named."""

    def __init__(self, scene: Any, folder: Path) -> None:
        """Raises ImageError when there is nothing to load."""
        self.paths = scan_paths(folder)
        self.nodes: list[Any] = []
        self.failures: list[str] = []
        self._scene = scene
        self._rest: Iterator[Path] = iter(self.paths)

    def step(self) -> bool:
        """Load the next scan; False when all are done."""
        path = next(self._rest, None)
        if path is None:
            return False
        try:
            self.nodes.append(add_scan(self._scene, read_volume(path)))
        except ImageError as error:
            self.failures.append(str(error))
        return True

    def summary(self, say: Callable[[str], str]) -> tuple[str, bool]:
        """How many scans were loaded and which could not be, and whether that is an error."""
        told = say("{count} scans were loaded.").format(count=len(self.nodes))
        return " ".join([told, *self.failures]), bool(self.failures)
