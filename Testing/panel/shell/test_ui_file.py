"""The .ui file, loaded by a real Qt and rendered to a picture to be looked at."""

from __future__ import annotations

import re
import types
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from PySide6 import QtCore, QtWidgets

CONTROLS = {
    "QPushButton", "QToolButton", "QCheckBox", "QComboBox", "QSpinBox", "QListWidget", "QTableWidget", "QProgressBar",
    "qMRMLNodeComboBox", "qMRMLCheckableNodeComboBox", "qMRMLSegmentEditorWidget", "ctkRangeWidget", "ctkPathLineEdit",
    "ctkCollapsibleButton",
}  # fmt: skip
WIDTH = 480


@pytest.fixture(scope="module")
def tree(root: Path) -> ElementTree.Element:
    """The .ui file as XML."""
    return ElementTree.parse(root / "Resources" / "UI" / "DPLSegment.ui").getroot()


def value(widget: ElementTree.Element, name: str) -> str | None:
    """A property of a widget as text."""
    found = next((node for node in widget.findall("property") if node.get("name") == name), None)
    return None if found is None else " ".join("".join(found.itertext()).split())


def test_the_root_is_a_qmrmlwidget_with_the_name_of_the_module(tree: ElementTree.Element) -> None:
    top = tree.find("widget")
    assert (top.get("class"), top.get("name")) == ("qMRMLWidget", "DPLSegment")


def test_every_control_has_a_name_in_camel_case_and_a_tooltip(tree: ElementTree.Element) -> None:
    controls = [widget for widget in tree.iter("widget") if widget.get("class") in CONTROLS]
    names = [widget.get("name") for widget in controls]
    assert len(names) == len(set(names)) > 25
    assert [name for name in names if not re.fullmatch(r"[a-z]+[A-Za-z0-9]*", name)] == []
    assert [widget.get("name") for widget in controls if not value(widget, "toolTip")] == []


def test_every_mrml_widget_is_told_of_the_scene(tree: ElementTree.Element) -> None:
    mrml = {widget.get("name") for widget in tree.iter("widget") if widget.get("class").startswith("qMRML")}
    wired = {
        node.findtext("receiver") for node in tree.iter("connection") if "mrmlSceneChanged" in node.findtext("signal")
    }
    assert mrml - {"DPLSegment"} == wired


def test_scan_selectors_refuse_colour_images_and_label_maps(tree: ElementTree.Element) -> None:
    for name in ("scanSelector", "querySelector"):
        selector = next(widget for widget in tree.iter("widget") if widget.get("name") == name)
        assert value(selector, "nodeTypes") == "vtkMRMLScalarVolumeNode"
        assert value(selector, "showChildNodeTypes") == "false"


def test_nothing_has_a_style_of_its_own(tree: ElementTree.Element) -> None:
    assert [node for node in tree.iter("property") if node.get("name") in ("styleSheet", "palette")] == []


def test_every_control_that_the_code_names_is_there(ui: types.SimpleNamespace, root: Path) -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (root / "DPLSegmentLib" / "panel").glob("*.py"))
    named = set(re.findall(r"\bui\.([a-zA-Z0-9]+)", code)) | set(re.findall(r'"([a-z0-9D]+[A-Za-z0-9]*Button)"', code))
    assert named - set(vars(ui)) == set()


def test_every_bound_parameter_is_in_the_state(tree: ElementTree.Element, root: Path) -> None:
    bound = {
        "".join(node.itertext()).strip() for node in tree.iter("property") if node.get("name") == "SlicerParameterName"
    }
    code = (root / "DPLSegmentLib" / "panel" / "parameters.py").read_text(encoding="utf-8")
    assert bound and bound <= set(re.findall(r"^    (\w+):", code, re.MULTILINE))


def test_the_panel_is_rendered(panel_root: QtWidgets.QWidget, ui: types.SimpleNamespace, root: Path) -> None:
    ui.paintedList.addItems(["Axial · S 23.5 mm · liver, spleen"])
    ui.paintedList.item(0).setCheckState(QtCore.Qt.Checked)
    panel_root.resize(WIDTH, panel_root.sizeHint().height())
    picture = panel_root.grab()
    folder = root / "out" / "panel"
    folder.mkdir(parents=True, exist_ok=True)
    assert picture.width() == WIDTH and picture.save(str(folder / "panel.png"))


def test_the_panel_fits_the_narrow_column_that_slicer_gives_it(panel_root: QtWidgets.QWidget) -> None:
    assert panel_root.minimumSizeHint().width() <= WIDTH
