"""`dpl-segment ablate` on a tiny study."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from DPLSegmentLib.cli import main


@pytest.fixture
def words(recipe: Path, val: Path, tmp_path: Path) -> list[str]:
    """Two trainings of one step."""
    rows = ["--rows", "shipped recipe", "no diffusion", "--seeds", "1", "--steps", "1", "--cases", "1"]
    return ["ablate", "--config", str(recipe), "--data", str(val), *rows, "--output", str(tmp_path / "out")]


def test_the_table_is_printed_and_finished_trainings_are_not_repeated(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    told = capsys.readouterr()
    assert "abdomen-ct/val P  abdomen-ct/val S" in told.out and "Difference from the shipped recipe" in told.out
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*-0.json")}
    assert set(kept) == {"shipped-recipe-0.json", "no-diffusion-0.json"}
    assert list((tmp_path / "out" / "at-work").iterdir()) == []
    scores = json.loads((tmp_path / "out" / "no-diffusion-0.json").read_text())["scores"]
    assert {(score["column"][-1], score["case"], score["structure"]) for score in scores} == {
        ("P", "case-01", "right kidney"),
        ("S", "case-01", "right kidney"),
    }
    assert main(words) == 0
    again = capsys.readouterr()
    assert again.out == told.out and again.err == ""
    assert kept == {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*-0.json")}


def test_other_settings_in_the_same_folder_are_refused(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "no-diffusion-0.json").write_text('{"settings": {}}')
    assert main(words) == 1
    assert "no-diffusion-0.json is no result of an ablation" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", [["--rows", "no luck"], ["--seeds", "0"], ["--steps", "0"], ["--jobs", "0"], ["--cases", "few"]]
)
def test_wrong_options_are_wrong_usage(option: list[str], words: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stop:
        main([*words, *option])
    assert stop.value.code == 2
    assert not (tmp_path / "out").exists()
