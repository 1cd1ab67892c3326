"""Ctrl-C while a scan is segmented."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SIGNALS = [signal.SIGINT, signal.SIGTERM]

# Background jobs of a shell inherit that Ctrl-C is ignored; the test shall not depend on how it was started.
_HEEDING_CTRL_C = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from DPLSegmentLib.cli import main
sys.exit(main(sys.argv[1:]))
"""


def start(words: list[str]) -> subprocess.Popen[str]:
    """The command line in a process of its own."""
    command = [sys.executable, "-c", _HEEDING_CTRL_C, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupt_leaves_no_file_behind_and_ends_soon(number: signal.Signals, tmp_path: Path) -> None:
    output = tmp_path / "out"
    process = start(["demo", "--output", str(output), "--device", "cpu"])
    assert process.stderr is not None
    process.stderr.read(1)  # the progress bar has begun
    process.send_signal(number)
    sent = time.monotonic()
    _, said = process.communicate(timeout=30)
    assert time.monotonic() - sent < 5.0
    assert process.returncode == 130
    assert said.splitlines()[-1] == "dpl-segment: Interrupted: what was finished is kept, nothing is half-written."
    assert list(output.iterdir()) == []
