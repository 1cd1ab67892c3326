"""How the command line is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from DPLSegmentLib.cli import COMMANDS, main

PAINTED = ["--support", "scan.nii.gz", "--painted", "painted.nii.gz", "--output", "out"]


def wrong_usage(words: list[str]) -> bool:
    """Exit code 2 for these words."""
    with pytest.raises(SystemExit) as stopped:
        main(words)
    return stopped.value.code == 2


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["segment"],
        ["propagate"],
        ["propagate", "--support", "scan.nii.gz", "--output", "out"],
        ["propagate", "--painted", "painted.nii.gz", "--output", "out"],
        ["propagate", "--prototypes", "p.pt", "--output", "out"],
        ["propagate", "--prototypes", "p.pt", "--query", "scan.nii.gz", *PAINTED],
        ["propagate", *PAINTED, "--format", "dicom"],
        ["propagate", *PAINTED, "--device", "abacus"],
        ["propagate", *PAINTED, "--range", "9", "3"],
        ["propagate", *PAINTED, "--range", "-1", "3"],
        ["propagate", *PAINTED, "--range", "3"],
        ["propagate", *PAINTED, "--frame", "-2"],
        ["demo", "--organs", "heart"],
    ],
)
def test_wrong_usage_ends_with_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert wrong_usage(words)
    assert "usage: dpl-segment" in capsys.readouterr().err


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    said = capsys.readouterr().out
    assert stopped.value.code == 0
    assert all(name in said for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert "--debug" in capsys.readouterr().out


def test_help_comes_without_loading_torch() -> None:
    code = "import sys, DPLSegmentLib.cli as cli; cli.build_parser(['propagate']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_package_runs_as_a_module(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "DPLSegmentLib", "propagate", "--support", "no.nii.gz", "--painted", "no.nii.gz"]
    done = subprocess.run([*words, "--output", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "dpl-segment: There is no file or folder no.nii.gz: check the path.\n"


def test_names_that_the_terminal_has_no_letters_for_do_not_stop_it() -> None:
    code = "import DPLSegmentLib.cli as cli; cli._print_whatever_the_locale(); print('\\u0141\\u00f3d\\u017a')"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
    assert done.stdout.strip() == rb"\u0141\xf3d\u017a"
