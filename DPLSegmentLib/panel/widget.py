"""The panel: Qt widgets that show what the presenter says and tell it what the user does. No decision is made here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import qt
import vtk

from DPLSegmentLib.panel.application import Application
from DPLSegmentLib.panel.dialogs import Dialogs
from DPLSegmentLib.panel.editor_box import EditorBox
from DPLSegmentLib.panel.keys import PanelKeys
from DPLSegmentLib.panel.quietly import quiet
from DPLSegmentLib.panel.view import PaintedRow, PanelEvents, PanelView, QueryRow, ResultRow, SliceRange
from DPLSegmentLib.panel.watching import Observers, PaintingWatch, SceneWatch, StateWatch

_DEVICES = ("auto", "cuda", "mps", "cpu")
_BUSY_MS = 20
_IDLE_MS = 200
_BAR = 1000


class MakePresenter(Protocol):
    """Makes the presenter of a panel."""

    def __call__(self, view: PanelView, application: Application, editor: EditorBox) -> PanelEvents:
        """`editor` is where Apply changes segments."""
        ...


class PanelPart(Protocol):
    """A section that leads a life of its own."""

    def use_state(self, state: Any) -> None:
        """Another parameter node is in use."""

    def scene_closing(self) -> None:
        """The scene is about to be closed."""

    def cleanup(self) -> None:
        """The module is unloaded or reloaded."""


class PanelWidget:
    """`root` is the loaded .ui file, `ui` its widgets by name, `make_state` gives the parameters of the scene."""

    def __init__(
        self,
        root: Any,
        ui: Any,
        application: Application,
        editor: EditorBox,
        make_state: Callable[[], Any],
        make_presenter: MakePresenter,
        dialogs: Dialogs,
    ) -> None:
        self.ui = ui
        self.editor = editor
        self.state: Any = None
        self._ = application.translate
        self._scene = application.scene
        self._dialogs = dialogs
        self._make_state = make_state
        self._entered = False
        self._gui_tag: Any = None
        self._tips: dict[str, str] = {}
        self._parts: list[PanelPart] = []
        self._connections: list[tuple[Any, Callable[..., None]]] = []
        root.setMRMLScene(self._scene)
        self.presenter = make_presenter(self, application, editor)
        self._painting = PaintingWatch(self.presenter.painting_changed)
        self._state_watch: StateWatch | None = None
        self._editor_watch = Observers()
        self._scene_watch = SceneWatch(self._scene, self)
        self._timer = qt.QTimer()
        self._timer.interval = _IDLE_MS
        self._keys = PanelKeys(
            {"P": ui.propagateButton, "A": ui.applyButton, "N": ui.nextSliceButton}, self.presenter.cancel, editor
        )
        self._connect_all()

    def add_part(self, part: PanelPart) -> None:
        """Let a section share the state and the life of the panel."""
        self._parts.append(part)

    # Life

    def enter(self) -> None:
        """The module is shown."""
        self._entered = True
        self.editor.enter(self._dialogs.main_window())
        self._keys.install(self._dialogs.main_window())
        self._watch_editor()
        self._use_state()
        self._timer.start()

    def exit(self) -> None:
        """Another module is shown. Polling goes on, so that a run ends well."""
        self._entered = False
        self._keys.remove()
        self.editor.exit()
        self.presenter.leave()

    def cleanup(self) -> None:
        """The module is unloaded or reloaded."""
        self._timer.stop()
        self._keys.remove()
        self._scene_watch.stop()
        self._drop_state()
        self._editor_watch.clear()
        for signal, slot in self._connections:
            signal.disconnect(slot)
        self._connections = []
        for part in self._parts:
            part.cleanup()
        self.presenter.cleanup()

    # The scene

    def scene_closing(self) -> None:
        """Drop every node before the scene is closed."""
        for part in self._parts:
            part.scene_closing()
        self.presenter.scene_closing()
        self._editor_watch.clear()
        self.editor.drop()
        self._drop_state()

    def scene_renewed(self) -> None:
        """Use the nodes of the scene as it is now."""
        if self._entered:
            self.editor.renew()
            self._watch_editor()
            self._use_state()

    def node_removed(self, node_id: str) -> None:
        """A node is about to leave the scene."""
        self.presenter.node_removed(node_id)

    def _watch_editor(self) -> None:
        self._editor_watch.clear()
        self._editor_watch.add(self.editor.node, vtk.vtkCommand.ModifiedEvent, lambda *_: self._keys.refresh())

    # The state

    def _use_state(self) -> None:
        self._drop_state()
        self.state = self._make_state()
        self._gui_tag = self.state.connectGui(self.ui)
        self._state_watch = StateWatch(self.state, self._state_callbacks())
        self._show_state()
        self._edit()
        self.presenter.use_state(self.state)
        for part in self._parts:
            part.use_state(self.state)

    def _drop_state(self) -> None:
        self._painting.watch(None)
        if self.state is None:
            return
        self._state_watch.stop()
        self.state.disconnectGui(self._gui_tag)
        self.state, self._state_watch = None, None

    def _state_callbacks(self) -> dict[str, Callable[[], None]]:
        events = self.presenter
        return {
            "scan": self._scan_changed,
            "segmentation": self._segmentation_changed,
            "sequence": events.sequence_changed,
            "use_range": events.range_changed,
            "range_lower": events.range_changed,
            "range_upper": events.range_changed,
            "device": self._device_changed,
            "model_path": events.model_changed,
            "memory_limit": events.memory_changed,
        }

    def _show_state(self) -> None:
        with quiet(self.ui.deviceComboBox):
            self.ui.deviceComboBox.currentIndex = _DEVICES.index(self.state.device)
        with quiet(self.ui.modelPathLineEdit):
            self.ui.modelPathLineEdit.currentPath = self.state.model_path

    def _edit(self) -> None:
        self.editor.edit(self.state.scan, self.state.segmentation)
        self._painting.watch(self.state.segmentation)

    def _scan_changed(self) -> None:
        self._edit()
        self.presenter.scan_changed()

    def _segmentation_changed(self) -> None:
        self._edit()
        self.presenter.segmentation_changed()

    def _device_changed(self) -> None:
        self._show_state()
        self.presenter.device_changed(self.state.device)

    # What the user does

    def _connect_all(self) -> None:
        ui, events = self.ui, self.presenter
        self._connect(self._timer.timeout, events.poll)
        self._connect(ui.paintedList.itemChanged, self._painted_toggled)
        self._connect(ui.querySelector.checkedNodesChanged, self._queries_checked)
        self._connect(ui.rangeWidget.valuesChanged, self._range_moved)
        self._connect(ui.deviceComboBox.currentIndexChanged, self._device_chosen)
        self._connect(ui.modelPathLineEdit.currentPathChanged, self._model_chosen)
        self._connect(ui.show3DButton.toggled, events.show_3d)
        self._connect(ui.confidenceCheckBox.toggled, events.confidence_overlay)
        self._connect(ui.logButton.toggled, self._log_toggled)
        for button, slot in self._presses().items():
            self._connect(getattr(ui, button).clicked, slot)

    def _presses(self) -> dict[str, Callable[[], None]]:
        events = self.presenter
        return {
            "useSliceInViewButton": events.use_slice_in_view,
            "tryItButton": events.try_it,
            "addFolderButton": self._add_folder,
            "propagateButton": events.propagate_clicked,
            "applyButton": events.apply,
            "discardButton": events.discard,
            "nextSliceButton": events.next_slice,
            "loadPrototypesButton": self._load_prototypes,
            "savePrototypesButton": self._save_prototypes,
            "clearPrototypesButton": self._clear_prototypes,
            "pytorchButton": events.install_pytorch,
        }

    def _connect(self, signal: Any, slot: Callable[..., None]) -> None:
        signal.connect(slot)
        self._connections.append((signal, slot))

    def _painted_toggled(self, item: Any) -> None:
        self.presenter.toggle_slice(self.ui.paintedList.row(item), item.checkState() == qt.Qt.Checked)

    def _queries_checked(self) -> None:
        self.presenter.set_queries(list(self.ui.querySelector.checkedNodes()))

    def _range_moved(self, lower: float, upper: float) -> None:
        if self.state is not None:
            modifying = self.state.StartModify()
            self.state.range_lower, self.state.range_upper = lower, upper
            self.state.EndModify(modifying)

    def _device_chosen(self) -> None:
        if self.state is not None:
            self.state.device = _DEVICES[self.ui.deviceComboBox.currentIndex]

    def _model_chosen(self, path: str) -> None:
        if self.state is not None:
            self.state.model_path = path

    def _log_toggled(self, shown: bool) -> None:
        if shown:
            self.ui.logText.plainText = self.presenter.log()

    def _add_folder(self) -> None:
        folder = self._dialogs.folder()
        if folder is not None:
            self.presenter.add_folder(folder)

    def _load_prototypes(self) -> None:
        path = self._dialogs.prototypes_to_load()
        if path is not None:
            self.presenter.load_prototypes(path)

    def _save_prototypes(self) -> None:
        path = self._dialogs.prototypes_to_save()
        if path is not None:
            self.presenter.save_prototypes(path)

    def _clear_prototypes(self) -> None:
        self.presenter.load_prototypes(None)

    # What the presenter shows (PanelView)

    def show_painted(self, rows: Sequence[PaintedRow]) -> None:
        """Fill the list of painted slices."""
        painted = self.ui.paintedList
        with quiet(painted):
            painted.clear()
            painted.addItems([row.text for row in rows])
            for index, row in enumerate(rows):
                painted.item(index).setCheckState(qt.Qt.Checked if row.on else qt.Qt.Unchecked)
                painted.item(index).setToolTip(row.hint or row.text)

    def show_queries(self, rows: Sequence[QueryRow]) -> None:
        """Check the scans that will be segmented."""
        selector = self.ui.querySelector
        with quiet(selector):
            for row in rows:
                node = self._scene.GetNodeByID(row.node_id)
                if node is not None:
                    selector.setCheckState(node, qt.Qt.Checked if row.on else qt.Qt.Unchecked)

    def show_range(self, limits: SliceRange | None) -> None:
        """Set ends and handles of the slice range; None: no scan, no range."""
        self.set_enabled("rangeCheckBox", limits is not None, self._("Choose a scan and paint a slice first."))
        if limits is None:
            return
        with quiet(self.ui.rangeWidget):
            self.ui.rangeWidget.singleStep = limits.step
            self.ui.rangeWidget.setRange(limits.minimum, limits.maximum)
            self.ui.rangeWidget.setValues(limits.lower, limits.upper)

    def show_progress(self, fraction: float | None, text: str) -> None:
        """Fill the progress bar to `fraction` (0..1) and write `text` on it; None: hide it."""
        self.ui.progressBar.visible = fraction is not None
        self.ui.progressBar.value = round(_BAR * (fraction or 0.0))
        self.ui.progressBar.format = text.replace("%", "%%")

    def show_status(self, text: str, error: bool) -> None:
        """Write a sentence in the status line; an error is set apart."""
        self.ui.statusLabel.text = f"\N{WARNING SIGN} {text}" if error else text

    def show_results(self, rows: Sequence[ResultRow]) -> None:
        """Fill the table of results."""
        table = self.ui.resultTable
        table.rowCount = len(rows)
        for index, row in enumerate(rows):
            for column, text in enumerate((row.name, row.millilitres, row.confidence)):
                table.setItem(index, column, qt.QTableWidgetItem(text))
            colour = qt.QColor(*(round(255 * part) for part in row.colour))
            table.item(index, 0).setData(qt.Qt.DecorationRole, colour)

    def show_device(self, text: str) -> None:
        """Say which device "Automatic" is; empty: not known yet."""
        automatic = self._("Automatic")
        self.ui.deviceComboBox.setItemText(0, f"{automatic} ({text})" if text else automatic)

    def show_prototypes(self, text: str) -> None:
        """Say where the prototypes come from; empty: the painted slices."""
        self.ui.prototypesText.text = text or self._("from the painted slices")

    def set_enabled(self, control: str, enabled: bool, why: str = "") -> None:
        """Switch a control on or off; `why` is its tooltip while it is off."""
        widget = getattr(self.ui, control)
        usual = self._tips.setdefault(control, widget.toolTip)
        widget.enabled = enabled
        widget.toolTip = usual if enabled or not why else why

    def set_checked(self, control: str, checked: bool) -> None:
        """Set a check box or checkable button."""
        with quiet(getattr(self.ui, control)):
            getattr(self.ui, control).checked = checked

    def set_running(self, running: bool) -> None:
        """Turn Propagate into Cancel and back."""
        self.ui.propagateButton.text = self._("Cancel") if running else self._("Propagate")
        self._keys.set_running(running)

    def set_busy(self, busy: bool) -> None:
        """Poll every 20 ms while something is under way, else every 200 ms."""
        self._timer.interval = _BUSY_MS if busy else _IDLE_MS

    def ask(self, question: str) -> bool:
        """Ask a yes-or-no question."""
        return self._dialogs.ask(question)

    def warn(self, sentence: str) -> None:
        """Say why nothing happened."""
        self._dialogs.warn(sentence)
