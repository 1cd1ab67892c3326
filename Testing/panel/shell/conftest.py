"""The panel under a real Qt (PySide6) without a screen; Slicer's and CTK's own widgets are replaced by plain ones.

PythonQt shows properties as attributes, and so does PySide6 with its feature `true_property`, which is switched on for
the modules of the panel alone.
"""

from __future__ import annotations

import importlib
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import slicer

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets  # noqa: E402

_TRUE_PROPERTY = 0x02
_WITH_QT = ("widget", "keys", "editor_box", "dialogs", "cohort_table")


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository."""
    return Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def application() -> QtWidgets.QApplication:
    """The only one of this process."""
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication([])


@pytest.fixture(scope="session")
def qt(application: QtWidgets.QApplication) -> Iterator[types.ModuleType]:
    """The module `qt` that Slicer has, made of PySide6."""
    import slicer.util  # noqa: F401  before there is a qt

    features = importlib.import_module("shibokensupport.feature")
    module = types.ModuleType("qt")
    for part in (QtCore, QtGui, QtWidgets):
        module.__dict__.update({name: getattr(part, name) for name in dir(part) if name[0] == "Q"})
    sys.modules["qt"] = module
    for name in _WITH_QT:
        features.set_selection(_TRUE_PROPERTY, f"DPLSegmentLib.panel.{name}")
    yield module
    del sys.modules["qt"]


def held(name: str, kind: Any, default: Any) -> QtCore.Property:
    """A Qt property that remembers its value."""
    return QtCore.Property(
        kind,
        lambda self: self.__dict__.get(name, default),
        lambda self, value: self.__dict__.__setitem__(name, value),
    )


class qMRMLWidget(QtWidgets.QWidget):  # noqa: N801
    """Knows a scene."""

    mrmlSceneChanged = QtCore.Signal("vtkMRMLScene*")

    def setMRMLScene(self, scene: Any) -> None:  # noqa: N802
        self.scene = scene


class qMRMLNodeComboBox(QtWidgets.QComboBox):  # noqa: N801
    """Chooses a node."""

    nodeTypes = held("nodeTypes", "QStringList", [])
    showChildNodeTypes = held("showChildNodeTypes", bool, True)
    noneEnabled = held("noneEnabled", bool, False)
    addEnabled = held("addEnabled", bool, True)
    removeEnabled = held("removeEnabled", bool, True)
    renameEnabled = held("renameEnabled", bool, False)


class qMRMLCheckableNodeComboBox(qMRMLNodeComboBox):  # noqa: N801
    """Chooses several nodes."""

    checkedNodesChanged = QtCore.Signal()

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.checked: list[Any] = []

    def checkedNodes(self) -> tuple[Any, ...]:  # noqa: N802
        return tuple(self.checked)

    def setCheckState(self, node: Any, state: QtCore.Qt.CheckState) -> None:  # noqa: N802
        self.checked = [other for other in self.checked if other is not node]
        self.checked += [node] if state == QtCore.Qt.Checked else []
        self.checkedNodesChanged.emit()


class qMRMLSegmentEditorWidget(qMRMLWidget):  # noqa: N801
    """Takes the place of the Segment Editor; `calls` are the names of what was asked of it."""

    unorderedEffectsVisible = True
    segmentationNodeSelectorVisible = held("segmentations", bool, True)
    sourceVolumeNodeSelectorVisible = held("volumes", bool, True)
    switchToSegmentationsButtonVisible = held("switch", bool, True)
    maximumNumberOfUndoStates = held("undo", int, 10)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.calls: list[str] = []
        self.escaped = 0
        self.shortcuts: list[QtGui.QShortcut] = []
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(QtWidgets.QLabel("(Segment Editor)", alignment=QtCore.Qt.AlignCenter))
        self.setMinimumHeight(160)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *_: self.calls.append(name)

    def installKeyboardShortcuts(self, window: QtWidgets.QWidget) -> None:  # noqa: N802
        shortcut = QtGui.QShortcut(QtGui.QKeySequence("Esc"), window)
        shortcut.setProperty("effectIndex", 0)
        shortcut.activated.connect(self._escape)
        self.shortcuts = [shortcut]

    def _escape(self) -> None:
        self.escaped += 1

    def uninstallKeyboardShortcuts(self) -> None:  # noqa: N802
        for shortcut in self.shortcuts:
            shortcut.setParent(None)
        self.shortcuts = []


class ctkCollapsibleButton(QtWidgets.QGroupBox):  # noqa: N801
    """A titled box that can be folded."""

    collapsed = held("collapsed", bool, False)
    text = QtCore.Property(str, QtWidgets.QGroupBox.title, QtWidgets.QGroupBox.setTitle)


class ctkRangeWidget(QtWidgets.QWidget):  # noqa: N801
    """Two handles."""

    valuesChanged = QtCore.Signal(float, float)
    decimals = held("decimals", int, 0)
    suffix = held("suffix", str, "")
    singleStep = held("singleStep", float, 1.0)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.parts = (QtWidgets.QDoubleSpinBox(), QtWidgets.QSlider(QtCore.Qt.Horizontal), QtWidgets.QDoubleSpinBox())
        for part in self.parts:
            layout.addWidget(part)

    def setRange(self, minimum: float, maximum: float) -> None:  # noqa: N802
        self.limits = minimum, maximum

    def setValues(self, lower: float, upper: float) -> None:  # noqa: N802
        self.values = lower, upper
        self.valuesChanged.emit(lower, upper)


class ctkPathLineEdit(QtWidgets.QLineEdit):  # noqa: N801
    """A path."""

    currentPathChanged = QtCore.Signal(str)
    nameFilters = held("nameFilters", "QStringList", [])
    currentPath = QtCore.Property(str, QtWidgets.QLineEdit.text, QtWidgets.QLineEdit.setText)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.textChanged.connect(self.currentPathChanged)


STANDINS = (
    qMRMLWidget,
    qMRMLNodeComboBox,
    qMRMLCheckableNodeComboBox,
    qMRMLSegmentEditorWidget,
    ctkCollapsibleButton,
    ctkRangeWidget,
    ctkPathLineEdit,
)


@pytest.fixture
def panel_root(application: QtWidgets.QApplication, root: Path) -> Iterator[QtWidgets.QWidget]:
    """The loaded .ui file."""
    loader = QtUiTools.QUiLoader()
    for standin in STANDINS:
        loader.registerCustomWidget(standin)
    widget = loader.load(str(root / "Resources" / "UI" / "DPLSegment.ui"))
    yield widget
    widget.deleteLater()


@pytest.fixture
def ui(panel_root: QtWidgets.QWidget) -> types.SimpleNamespace:
    """Its widgets by name, as `slicer.util.childWidgetVariables` gives them."""
    named = {child.objectName(): child for child in panel_root.findChildren(QtWidgets.QWidget) if child.objectName()}
    return types.SimpleNamespace(**named)


@pytest.fixture
def scene() -> Iterator[Any]:
    """An empty MRML scene in which segments can be edited."""
    scene = slicer.vtkMRMLScene()
    logics = slicer.vtkSlicerSegmentationsModuleLogic(), slicer.vtkSlicerSegmentEditorLogic()
    for logic in logics:
        logic.SetMRMLScene(scene)
    yield scene
    for logic in logics:
        logic.SetMRMLScene(None)


class State:
    """Takes the place of the parameter node wrapper: attributes that tell of their change, bound to no widget."""

    def __init__(self) -> None:
        self.__dict__["node"] = slicer.vtkMRMLScriptedModuleNode()
        self.__dict__.update(scan=None, segmentation=None, sequence=None, use_range=False, range_lower=0.0)
        self.__dict__.update(range_upper=0.0, device="auto", model_path="", memory_limit=0, gui=None)

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value
        self.node.Modified()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["node"], name)

    def connectGui(self, ui: Any) -> int:  # noqa: N802
        self.__dict__["gui"] = ui
        return 1

    def disconnectGui(self, _tag: int) -> None:  # noqa: N802
        self.__dict__["gui"] = None


class Events:
    """Writes down what the widget tells the presenter."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def log(self) -> str:
        return "what was written"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.__dict__.setdefault(name, lambda *values: self.told.append((name, *values)))

    def take(self) -> list[tuple[Any, ...]]:
        """What was told since the last call, without the beats of the timer."""
        told, self.told = self.told, []
        return [event for event in told if event != ("poll",)]


class Answers:
    """Dialogs that answer by themselves."""

    def __init__(self, window: Any) -> None:
        self.window = window
        self.path: Path | None = None
        self.said: list[str] = []
        self.opened: list[Path] = []

    def main_window(self) -> Any:
        return self.window

    def ask(self, question: str) -> bool:
        self.said.append(question)
        return True

    def warn(self, sentence: str) -> None:
        self.said.append(sentence)

    def folder(self, title: str = "") -> Path | None:
        return self.path

    def open_file(self, path: Path) -> None:
        self.opened.append(path)

    def chosen(self) -> Path | None:
        return self.path

    prototypes_to_load = prototypes_to_save = chosen


@pytest.fixture
def events() -> Events:
    """The presenter's place."""
    return Events()


@pytest.fixture
def state() -> State:
    """The panel's state."""
    return State()


@pytest.fixture
def window(qt: types.ModuleType, panel_root: QtWidgets.QWidget) -> Iterator[QtWidgets.QWidget]:
    """A main window that is shown, with the panel and a text input in it."""
    window = QtWidgets.QWidget()
    layout = QtWidgets.QVBoxLayout(window)
    layout.addWidget(panel_root)
    window.input = QtWidgets.QLineEdit()
    layout.addWidget(window.input)
    window.show()
    window.activateWindow()
    QtWidgets.QApplication.processEvents()
    yield window
    window.close()


@pytest.fixture
def answers(window: QtWidgets.QWidget) -> Answers:
    """The dialogs."""
    return Answers(window)


@pytest.fixture
def editor(qt: types.ModuleType, ui: types.SimpleNamespace, scene: Any) -> Any:
    """The embedded Segment Editor."""
    from DPLSegmentLib.panel.editor_box import EditorBox

    return EditorBox(ui.segmentEditor, scene, slicer.vtkSlicerSegmentEditorLogic(), slicer.vtkMRMLSegmentEditorNode)


@pytest.fixture
def panel(
    qt: types.ModuleType,
    panel_root: QtWidgets.QWidget,
    ui: types.SimpleNamespace,
    scene: Any,
    editor: Any,
    state: State,
    events: Events,
    answers: Answers,
) -> Iterator[Any]:
    """The panel, shown."""
    from DPLSegmentLib.panel.application import Application
    from DPLSegmentLib.panel.widget import PanelWidget

    application = Application(scene, None, "PythonSlicer", True)
    panel = PanelWidget(panel_root, ui, application, editor, lambda: state, lambda *_: events, answers)
    panel.enter()
    events.take()
    yield panel
    panel.cleanup()
