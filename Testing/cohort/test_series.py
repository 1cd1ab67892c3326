"""DICOM folders in a batch: every series a scan, and no patient's name in what a batch tells."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from DPLSegmentLib.cli import main
from DPLSegmentLib.images.volume import Volume
from Testing.images.dicom_files import PATIENT, Scan, cut

from .conftest import states, words_for


@pytest.fixture
def exported(small_ct: Volume, tmp_path: Path) -> Path:
    """Two series of a patient in a folder with the patient's name, and one with a slice cut off."""
    folder = tmp_path / "export" / PATIENT
    for number in (1, 2):
        scan = Scan(small_ct.array - number, (3.0, 3.0, 3.0), series=f"1.2.826.0.1.{number}")
        scan.write(folder / f"from {number}")
    Scan(small_ct.array, (3.0, 3.0, 3.0), series="1.2.826.0.1.3").write(folder / "broken")
    cut(sorted((folder / "broken").iterdir())[0], 2000)
    return tmp_path / "export"


def test_every_series_becomes_a_dicom_segmentation_without_a_name_in_the_tables(
    exported: Path, cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert main(words_for(cohort, exported, output, "--format", "dcm")) == 1
    assert sorted(states(output).values()) == ["done", "done", "failed"]
    assert all(scan.startswith("series-") for scan in states(output))
    assert len(list(output.glob("series-*-segmentation.dcm"))) == 2
    told = "".join((output / name).read_text() for name in ("summary.csv", "report.html", "batch.log"))
    told = re.sub(r"base64,[\w+/=]+", "", told)
    for name in (PATIENT, "Doe", "Jane", str(exported)):
        assert name not in told + capsys.readouterr().err


def test_a_scan_that_is_no_dicom_is_refused_as_dicom_segmentation_by_name(cohort: Path, tmp_path: Path) -> None:
    assert main(words_for(cohort, cohort / "scans" / "scan0.nii.gz", tmp_path, "--format", "dcm")) == 1
    assert states(tmp_path) == {"scan0": "failed"}
    assert "scan0: failed; " in (tmp_path / "batch.log").read_text()
