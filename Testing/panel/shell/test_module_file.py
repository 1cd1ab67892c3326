"""DPLSegment.py, loaded as Slicer loads it, from the source tree and from an installed folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LONGEST = 150
# Slicer's base classes and application, as little of them as the module file needs.
PRELUDE = """
import json, sys, types
def module(name, **content):
    made = types.ModuleType(name); made.__dict__.update(content); sys.modules[name] = made; return made
class Base:
    def __init__(self, parent=None): self.parent = parent
slicer = module("slicer", app=types.SimpleNamespace(connect=lambda *_: None), __path__=[])
module("slicer.i18n", tr=lambda text: text, translate=lambda _context, text: text)
bases = ["ScriptedLoadableModule" + end for end in ("", "Widget", "Logic", "Test")]
module("slicer.ScriptedLoadableModule", **{name: type(name, (Base,), {}) for name in bases})
module("qt", QIcon=str)
sys.path.append(sys.argv[1])
"""
REPORT = """
import DPLSegment, inspect
parent = types.SimpleNamespace()
DPLSegment.DPLSegment(parent)
stale = sys.modules["DPLSegmentLib.resources"]
import importlib; importlib.reload(DPLSegment)
tests = [name for name in dir(DPLSegment.DPLSegmentTest) if name.startswith("test_")]
print(json.dumps({
    "title": parent.title, "categories": parent.categories, "help": parent.helpText, "icon": parent.icon,
    "process": list(inspect.signature(DPLSegment.DPLSegmentLogic.process).parameters)[1:],
    "library": stale.__file__, "fresh": sys.modules["DPLSegmentLib.resources"] is not stale, "tests": tests,
    "heavy": [name for name in ("torch", "scipy", "SimpleITK", "vtk") if name in sys.modules]}))
"""


def report(folder: Path) -> dict:
    """What the module file says of itself when it is loaded from `folder`."""
    done = subprocess.run([sys.executable, "-c", PRELUDE + REPORT, str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def unbuilt(root: Path) -> Path:
    """The folder that is added to the additional module paths."""
    return root / "DPLSegment"


@pytest.fixture
def installed(root: Path, tmp_path: Path) -> Path:
    """qt-scripted-modules of an installed extension, in a folder with a space and letters that are not ASCII."""
    folder = tmp_path / "Zoë Müller" / "qt-scripted-modules"
    folder.mkdir(parents=True)
    shutil.copy(root / "DPLSegment" / "DPLSegment.py", folder)
    for part in ("DPLSegmentLib", "Resources"):
        shutil.copytree(root / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.nii.gz", "*.pt"))
    return folder


def test_the_module_is_in_the_right_place_and_says_what_it_is(unbuilt: Path) -> None:
    said = report(unbuilt)
    assert said["title"] == "DPL Segment" and said["categories"] == ["Segmentation"]
    assert "not a medical device" in said["help"] and Path(said["icon"]).is_file()


def test_scripts_call_process_by_its_documented_names(unbuilt: Path) -> None:
    said = report(unbuilt)
    assert said["process"][:5] == ["support", "segmentation", "queries", "sliceRange", "device"]


def test_the_library_is_found_without_building(unbuilt: Path, root: Path) -> None:
    assert Path(report(unbuilt)["library"]) == root / "DPLSegmentLib" / "resources.py"


def test_the_library_is_found_when_installed(installed: Path) -> None:
    assert Path(report(installed)["library"]) == installed / "DPLSegmentLib" / "resources.py"


def test_reload_loads_the_library_again(unbuilt: Path) -> None:
    assert report(unbuilt)["fresh"]


def test_loading_the_module_imports_nothing_heavy(unbuilt: Path) -> None:
    assert report(unbuilt)["heavy"] == []


def test_the_self_test_has_its_scenarios(unbuilt: Path) -> None:
    assert len(report(unbuilt)["tests"]) >= 9


def test_the_module_file_is_short_and_alone(root: Path) -> None:
    assert [path.name for path in (root / "DPLSegment").glob("*.py")] == ["DPLSegment.py"]
    assert len((root / "DPLSegment" / "DPLSegment.py").read_text(encoding="utf-8").splitlines()) <= LONGEST
