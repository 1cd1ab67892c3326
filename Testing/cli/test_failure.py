"""What is said when something fails."""

from __future__ import annotations

import errno

import pytest

from DPLSegmentLib.commands.failure import CommandError, report, sentence
from DPLSegmentLib.images.errors import ImageError


def test_errors_of_the_library_are_said_as_they_are() -> None:
    assert sentence(ImageError("The scan is\nempty.")) == "The scan is empty."


def test_a_full_disk_is_said_with_the_file() -> None:
    said = sentence(OSError(errno.ENOSPC, "No space left on device", "out/scan.json"))
    assert said.startswith("There is no space left on the disk of out/scan.json")


def test_a_missing_package_is_named() -> None:
    assert "skimage" in sentence(ModuleNotFoundError("No module named 'skimage'", name="skimage"))


def test_an_unknown_error_says_how_to_see_the_traceback() -> None:
    assert "--debug" in sentence(ZeroDivisionError("division by zero"))


@pytest.mark.parametrize(
    ("error", "code"), [(CommandError("No."), 1), (RuntimeError("x"), 1), (KeyboardInterrupt(), 130)]
)
def test_the_exit_code_tells_failure_from_interruption(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error) == code
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    report(CommandError("No."), debug=True)
    assert "CommandError: No." in capsys.readouterr().err
