"""What lies in the repository."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from DPLSegmentLib.images.reading import read_segmentation, read_volume
from DPLSegmentLib.images.resample import same_grid

LARGEST_MEGABYTES = 13
DATA_SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha", ".dcm", ".pt", ".onnx", ".safetensors")
# Absolute paths below places where machines differ; written so that this file does not match itself.
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:root|home|Users|work|mnt|opt|tmp)/[A-Za-z0-9_.-]+")
UNSEARCHED = {".png", ".gz", ".pt", ".onnx", ".nrrd"}


@pytest.fixture(scope="session")
def package(root: Path) -> dict:
    """pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def test_no_tracked_file_names_a_path_of_a_machine(files: list[Path], root: Path) -> None:
    searched = [path for path in files if path.suffix not in UNSEARCHED]
    found = {str(path.relative_to(root)): MACHINE_PATH.findall(text_of(path)) for path in searched}
    assert {path: paths for path, paths in found.items() if paths} == {}


def text_of(path: Path) -> str:
    """The content of a file, whatever its bytes."""
    return path.read_bytes().decode("utf-8", errors="replace")


def test_data_lies_beside_a_licence_and_a_readme_or_card(files: list[Path], root: Path) -> None:
    folders = {path.parent for path in files if path.name.endswith(DATA_SUFFIXES)}
    alone = [str(folder.relative_to(root)) for folder in folders if not explained(folder)]
    assert alone == []


def explained(folder: Path) -> bool:
    """A text beside data says where it comes from and under which licence."""
    texts = [text_of(path) for path in folder.glob("*.md")]
    return any("licen" in text.lower() for text in texts)


def test_scans_are_tracked_in_the_sample_data_only(files: list[Path], root: Path) -> None:
    scans = {path.parent for path in files if path.name.endswith((".nii.gz", ".nii", ".mha", ".dcm"))}
    assert scans <= {root / "Resources" / "SampleData"}


def test_no_tracked_file_is_large(files: list[Path]) -> None:
    assert [path.name for path in files if path.stat().st_size > LARGEST_MEGABYTES * 1024**2] == []


def test_the_sample_data_is_small_and_fits_together(root: Path) -> None:
    folder = root / "Resources" / "SampleData"
    scan, labels = folder / "example_ct.nii.gz", folder / "example_ct-labels.nii.gz"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 3 * 1024**2
    assert same_grid(read_volume(scan), read_segmentation(labels))


def test_the_sample_ct_is_the_published_file(root: Path) -> None:
    content = (root / "Resources" / "SampleData" / "example_ct.nii.gz").read_bytes()
    assert hashlib.sha256(content).hexdigest() == "dbd3ae6d614d1d7ef3a46925c30c70038ed52da6b37fdd6afdc7b9b71387e3e1"


def test_the_licence_is_apache_2(root: Path) -> None:
    text = text_of(root / "LICENSE")
    assert "Apache License" in text and "END OF TERMS AND CONDITIONS" in text


def test_every_room_is_in_the_installed_package(package: dict, root: Path) -> None:
    rooms = {path.parent for path in (root / "DPLSegmentLib").rglob("__init__.py")}
    expected = {".".join(room.relative_to(root).parts) for room in rooms} | {"DPLSegmentLib.Resources"}
    assert set(package["tool"]["setuptools"]["packages"]) == expected


def test_development_is_pinned_to_what_the_results_were_measured_with(package: dict, root: Path) -> None:
    pins = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert "torch==2.13.0" in pins
    wanted = {re.split(r"[<>=\[]", name)[0].lower() for name in package["project"]["dependencies"]}
    assert wanted <= {pin.split("==")[0].lower() for pin in pins if "==" in pin}
