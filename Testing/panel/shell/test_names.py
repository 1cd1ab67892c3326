"""Names of Qt, CTK and Slicer that the panel uses exist in Slicer's Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKED = ("DPLSegment", "DPLSegmentLib/panel", "Resources/UI")


@pytest.fixture
def checker(root: Path) -> Path:
    """`check_names.py`: named by SLICER_NAMES_CHECKER, or beside the repository."""
    path = Path(os.environ.get("SLICER_NAMES_CHECKER", root.parent / "shared" / "slicer" / "check_names.py"))
    if not path.is_file():
        pytest.skip("the checker of Slicer's names is not here")
    return path


def test_every_name_exists_in_slicer(checker: Path, root: Path) -> None:
    done = subprocess.run([sys.executable, str(checker), *CHECKED], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_runs_inside_slicer_never_imports_pytorch(root: Path) -> None:
    code = (
        "import sys; import DPLSegmentLib.panel.selftest, DPLSegmentLib.panel.view, DPLSegmentLib.panel.pytorch; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0
