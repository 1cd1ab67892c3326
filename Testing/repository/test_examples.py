"""The scripts and snippets of the documentation. What the application does is done here by the same MRML classes."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import slicer
import slicer.util

from DPLSegmentLib.images.reading import read_segmentation
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.images.writing import write_segmentation, write_volume
from DPLSegmentLib.panel.application import Application
from DPLSegmentLib.panel.session import Workers, process


class Logic:
    """`DPLSegmentLogic` without the application."""

    def __init__(self, application: Application, workers: Workers) -> None:
        self._application = application
        self._workers = workers

    def process(self, support: Any, segmentation: Any, queries: Any = None, device: str = "auto") -> Any:
        """Segment, as the module does."""
        return process(self._application, support, segmentation, queries, device=device, workers=self._workers)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """The worker process."""
    made = Workers()
    yield made
    made.stop()


@pytest.fixture
def scene() -> Iterator[Any]:
    """An empty MRML scene."""
    made = slicer.vtkMRMLScene()
    yield made
    made.Clear(1)


@pytest.fixture
def script(root: Path, scene: Any, workers: Workers, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """segment_headless.py in an application that has no window."""
    segmentations = slicer.vtkSlicerSegmentationsModuleLogic()
    segmentations.SetMRMLScene(scene)
    logic = Logic(Application(scene, segmentations, sys.executable, True), workers)
    monkeypatch.setattr(slicer.util, "getModuleLogic", {"DPLSegment": logic}.get)
    monkeypatch.setattr(slicer.util, "loadVolume", lambda path: load(scene, path, "Volume"))
    monkeypatch.setattr(slicer.util, "loadSegmentation", lambda path: load(scene, path, "Segmentation"))
    monkeypatch.setattr(slicer.util, "saveNode", save)
    spec = importlib.util.spec_from_file_location("segment_headless", root / "docs/examples/segment_headless.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load(scene: Any, path: str, kind: str) -> Any:
    """A node read from a file, as `slicer.util.load...` gives it."""
    node_class, storage_class = {
        "Volume": ("vtkMRMLScalarVolumeNode", "vtkMRMLVolumeArchetypeStorageNode"),
        "Segmentation": ("vtkMRMLSegmentationNode", "vtkMRMLSegmentationStorageNode"),
    }[kind]
    storage = scene.AddNewNodeByClass(storage_class)
    storage.SetFileName(path)
    node = scene.AddNewNodeByClass(node_class, Path(path).name.split(".")[0])
    if not Path(path).is_file() or not storage.ReadData(node):
        raise RuntimeError(f"Failed to load node from file: {path}")
    return node


def save(node: Any, path: str) -> bool:
    """Write a segmentation node, as `slicer.util.saveNode` does."""
    storage = node.GetScene().AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(path)
    return bool(storage.WriteData(node))


@pytest.fixture
def files(kidney_ct: Volume, painted_kidney: Segmentation, tmp_path: Path) -> tuple[Path, Path]:
    """A scan and what is painted on it."""
    scan, painted = tmp_path / "scan.nrrd", tmp_path / "painted.seg.nrrd"
    write_volume(kidney_ct, scan)
    write_segmentation(painted_kidney, painted)
    return scan, painted


def test_the_script_segments_a_scan_and_ends_with_zero(
    script: ModuleType, files: tuple[Path, Path], painted_kidney: Segmentation, tmp_path: Path
) -> None:
    output = tmp_path / "new" / "results"
    assert script.main([*map(str, files), "--output", str(output), "--device", "cpu"]) == 0
    found = {each.name: each.mask for each in read_segmentation(output / "scan-segmentation.seg.nrrd").segments}
    assert set(found) == {each.name for each in painted_kidney.segments}
    for each in painted_kidney.segments:
        assert np.all(found[each.name][each.mask]) and found[each.name].any(axis=(1, 2)).sum() > 5


def test_the_script_says_what_went_wrong_and_ends_with_one(
    script: ModuleType, files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert script.main([str(tmp_path / "none.nrrd"), str(files[1])]) == 1
    assert "none.nrrd" in capsys.readouterr().err


def test_wrong_usage_ends_with_two(script: ModuleType, capsys: pytest.CaptureFixture) -> None:
    assert script.main([]) == 2 and script.main(["--help"]) == 0
    assert "--sample" in capsys.readouterr().err


def test_the_script_gives_the_module_what_it_takes(root: Path) -> None:
    taken = parameters_of_process(root)
    tree = ast.parse((root / "docs/examples/segment_headless.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    given = [call.keywords for call in calls if getattr(call.func, "attr", "") == "process"]
    assert given and {keyword.arg for keywords in given for keyword in keywords} <= set(taken)


def test_the_documented_signature_is_that_of_the_module(root: Path) -> None:
    text = (root / "docs" / "scripting.md").read_text(encoding="utf-8")
    documented = re.search(r"^`process\((.*)\)`$", text, re.MULTILINE)[1]
    assert [part.split("=")[0] for part in documented.split(", ")] == parameters_of_process(root)
    assert all(f"| `{name}` |" in text for name in parameters_of_process(root))


def parameters_of_process(root: Path) -> list[str]:
    """Names of what `DPLSegmentLogic.process` takes."""
    tree = ast.parse((root / "DPLSegment" / "DPLSegment.py").read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "process"]
    return [argument.arg for argument in functions[0].args.args[1:]]


def test_the_stand_in_takes_what_the_module_takes(root: Path) -> None:
    assert set(inspect.signature(Logic.process).parameters) - {"self"} <= set(parameters_of_process(root))


def test_every_snippet_is_python(root: Path) -> None:
    text = (root / "docs" / "scripting.md").read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(snippets) >= 5
    for snippet in snippets:
        ast.parse(snippet)


@pytest.mark.parametrize("name", ["README.md", "docs/scripting.md"])
def test_every_link_and_picture_is_there(root: Path, name: str) -> None:
    page = root / name
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'src="([^"]+)"', text)
    local = [target for target in targets if "://" not in target]
    assert local and [target for target in local if not (page.parent / target).exists()] == []
