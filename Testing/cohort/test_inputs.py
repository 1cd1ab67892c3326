"""Files, folders and lists become scans with ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from DPLSegmentLib.cohort.errors import CohortError
from DPLSegmentLib.cohort.inputs import Found, find_scans, with_ids
from DPLSegmentLib.cohort.scans import CohortScan
from DPLSegmentLib.commands.outputs import unique_stems


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder as studies have them: a folder for each patient, and what is no scan."""
    for name in ("anna/ct.nii.gz", "bert/ct.nii.gz", "mr.mha", "mr.seg.nrrd", "labels.json", ".cache/old.nii.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def no_series(folder: Path) -> list[str]:
    """There is no DICOM in these folders."""
    return []


def names(found: Sequence[Found]) -> list[str]:
    """What the scans go by."""
    return [scan.name for scan in found]


def test_scans_of_a_folder_carry_the_folders_above_them_in_their_names(study: Path) -> None:
    assert names(find_scans([study], no_series)) == ["mr", "anna_ct", "bert_ct"]


def test_what_is_left_out_is_not_taken_from_a_folder_but_is_when_it_is_named(study: Path) -> None:
    left_out = [study / "anna", study / "mr.mha"]
    assert names(find_scans([study], no_series, left_out)) == ["bert_ct"]
    assert names(find_scans([study / "mr.mha"], no_series, left_out)) == ["mr"]


def test_results_of_an_earlier_batch_are_no_scans_unless_their_folder_is_named(study: Path) -> None:
    (study / "out" / "thumbnails").mkdir(parents=True)
    for name in ("batch.log", "mr-confidence.nii.gz", "thumbnails/mr.nii.gz"):
        (study / "out" / name).touch()
    assert names(find_scans([study], no_series)) == ["mr", "anna_ct", "bert_ct"]
    assert "mr-confidence" in names(find_scans([study / "out"], no_series))


def test_every_series_of_a_folder_is_a_scan_without_the_folders_name(tmp_path: Path) -> None:
    folder = tmp_path / "DOE^JOHN"
    folder.mkdir()
    (folder / "IM0001").touch()
    found = find_scans([tmp_path], lambda _folder: ["1.2.3", "1.2.4"])
    assert [(scan.path, scan.series) for scan in found] == [(folder, "1.2.3"), (folder, "1.2.4")]
    assert len(set(names(found))) == 2 and not any("DOE" in name for name in names(found))


@pytest.mark.parametrize(
    "text", ["path,id\na/ct.nii.gz,P1\n", "\ufeffpath;id\r\na/ct.nii.gz;P1\r\n", "ID,Path\nP1,a/ct.nii.gz"]
)
def test_a_list_names_scans_beside_it(text: str, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    assert find_scans([tmp_path / "list.csv"], no_series) == [Found("P1", tmp_path / "a" / "ct.nii.gz")]


def test_a_list_without_ids_takes_file_names(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path\nct.nii.gz\n")
    assert names(find_scans([tmp_path / "list.csv"], no_series)) == ["ct"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("file,id\nct.nii.gz,P1\n", "path,id"),
        ("path,id\nct.nii.gz,../P1\n", "line 2"),
        ("path,id\na.nii,P1\nb.nii,p1\n", "twice"),
        ("path,id\n", "no scan"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(CohortError, match=reason):
        find_scans([tmp_path / "list.csv"], no_series)


def test_ids_differ_whatever_files_are_called() -> None:
    scans = with_ids([Found("ct", Path("a/ct.nii")), Found("CT", Path("b/CT.nii"))], unique_stems)
    assert [scan.id for scan in scans] == ["ct", "CT-2"]


def test_sentences_carry_the_id_and_not_the_file_name() -> None:
    scan = CohortScan("P1", Path("data/DOE_JOHN.nii.gz"))
    said = scan.anonymous("DOE_JOHN.nii.gz in data/DOE_JOHN.nii.gz: DOE_JOHN is a single slice.")
    assert said == "P1 in P1: P1 is a single slice."
