"""`dpl-segment evaluate` on two real crops."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from DPLSegmentLib.cli import main


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def kidneys_only(patients: Path, tmp_path: Path) -> Path:
    """The patients as if nothing but the right kidney had been drawn."""
    copied = Path(shutil.copytree(patients, tmp_path / "data"))
    (copied / "labels.json").write_text('{"3": "right kidney"}')
    return copied


def test_the_table_the_numbers_and_the_pictures_are_left(
    patients: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "--data", str(patients), "--protocol", "S", "--structures", "benchmark", "--device", "cpu"]
    assert main([*words, "--output", str(output)]) == 0
    told = capsys.readouterr().out
    assert f"Protocol S on {patients.parent.name}/{patients.name}: " in told
    assert "DPLSegment" in told and "right kidney" in told
    (numbers,) = output.glob("*-S.json")
    content = json.loads(numbers.read_text())
    assert content["protocol"] == "S" and content["machine"]["cpu"] and content["model_id"]
    assert {(score["case"], score["structure"]) for score in content["scores"]} == {
        (case, organ) for case in ("case-01", "case-02") for organ in ("liver", "right kidney")
    }
    assert sorted(path.name.rsplit("-", 1)[1] for path in output.glob("*.png")) == [
        "best.png",
        "median.png",
        "scores.png",
        "worst.png",
    ]


def test_the_numbers_go_where_they_are_wanted(patients: Path, output: Path, tmp_path: Path) -> None:
    wanted = tmp_path / "numbers" / "x.json"
    words = ["evaluate", "--data", str(patients), "--protocol", "X", "--cases", "1", "--device", "cpu"]
    assert main([*words, "--output", str(output), "--json", str(wanted)]) == 0
    assert [score["support_case"] for score in json.loads(wanted.read_text())["scores"]] == ["case-02"] * 2
    assert not list(output.glob("*.json"))


def test_all_choices_of_the_next_slice_stand_side_by_side(
    kidneys_only: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "--data", str(kidneys_only), "--protocol", "C", "--choice", "all", "--cases", "1"]
    assert main([*words, "--device", "cpu", "--output", str(output)]) == 0
    summary = capsys.readouterr().out.partition("Dice per click")[2]
    assert [line.split(",")[0] for line in summary.splitlines() if "picks" in line] == ["DPLSegment"] * 3
    (numbers,) = output.glob("*-C.json")
    assert {score["method"].rsplit(", ")[-1] for score in json.loads(numbers.read_text())["scores"]} == {
        "tool picks",
        "middle picks",
        "random picks",
    }


def test_a_missing_folder_fails_with_a_sentence(
    tmp_path: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "--data", str(tmp_path / "nowhere"), "--protocol", "S", "--output", str(output)]
    assert main(words) == 1
    assert "There is no folder" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize("option", [["--protocol", "Z"], ["--seeds", "0"], ["--seeds", "many"], ["--choice", "all"]])
def test_wrong_options_are_wrong_usage(option: list[str], patients: Path, output: Path) -> None:
    words = ["evaluate", "--data", str(patients), "--protocol", "S", "--output", str(output), *option]
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
