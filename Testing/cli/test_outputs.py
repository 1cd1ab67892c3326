"""Names of results, and that a scan's files appear together or not at all."""

from __future__ import annotations

import json
import math
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from DPLSegmentLib.commands.failure import CommandError
from DPLSegmentLib.commands.outputs import (
    output_names,
    refuse_overwriting,
    require_writable,
    to_json,
    together,
    unique_stems,
)


@pytest.mark.parametrize(
    ("file", "stem"),
    [
        ("scan.nii.gz", "scan"),
        ("scan.seg.nrrd", "scan"),
        ("SCAN.NII.GZ", "SCAN"),
        ("a.b.nrrd", "a.b"),
        ("dicom_folder", "dicom_folder"),
        ("series/IM0001.dcm", "IM0001"),
    ],
)
def test_a_result_is_named_after_its_scan(file: str, stem: str) -> None:
    assert list(output_names([Path(file)], "nii.gz")[0]) == [
        f"{stem}-segmentation.nii.gz",
        f"{stem}-confidence.nii.gz",
        f"{stem}.json",
    ]


def test_scans_of_the_same_name_get_different_results() -> None:
    scans = [Path(name) for name in ("a/ct.nii.gz", "b/ct.nrrd", "c/CT.nii", "d/ct-2.nii.gz")]
    assert unique_stems(scans) == ["ct", "ct-2", "CT-3", "ct-2-2"]


def test_files_appear_together_when_all_were_written(tmp_path: Path) -> None:
    with together(tmp_path, ["a", "b"]) as staging:
        (staging / "a").write_text("1")
        (staging / "b").write_text("2")
        assert not (tmp_path / "a").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()])
def test_no_file_appears_when_one_cannot_be_written(tmp_path: Path, failure: BaseException) -> None:
    (tmp_path / "a").write_text("from before")
    with pytest.raises(type(failure)), together(tmp_path, ["a", "b"]) as staging:
        (staging / "a").write_text("1")
        raise failure
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "from before"


def test_an_interrupt_waits_until_all_files_are_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace

    def interrupted_replace(self: Path, target: Path) -> Path:
        os.kill(os.getpid(), signal.SIGINT)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted_replace)
    with pytest.raises(KeyboardInterrupt), together(tmp_path, ["a", "b"]) as staging:
        (staging / "a").write_text("1")
        (staging / "b").write_text("2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_folder_in_the_place_of_a_result_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with pytest.raises(CommandError, match="choose another output folder"), together(tmp_path, ["a", "b"]):
        pytest.fail("the work was done in vain")


def test_an_input_is_never_overwritten_by_a_result(tmp_path: Path) -> None:
    names = output_names([Path("ct.nii.gz")], "seg.nrrd")
    painted = tmp_path / "ct-segmentation.seg.nrrd"
    with pytest.raises(CommandError, match="would overwrite"):
        refuse_overwriting([painted], tmp_path, names)
    refuse_overwriting([painted], tmp_path / "results", names)


def test_an_output_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    require_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_an_output_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        require_writable(tmp_path / "file" / "below")


def test_json_has_no_numbers_that_json_does_not_know() -> None:
    document = {"nan": math.nan, "list": [np.float32(1.5), math.inf], "count": np.int64(3)}
    assert json.loads(to_json(document)) == {"nan": None, "list": [1.5, None], "count": 3}
