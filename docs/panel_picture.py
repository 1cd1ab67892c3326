"""Draws the panel without Slicer: Qt's own widgets, and plain ones in the place of Slicer's and CTK's."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

from DPLSegmentLib.panel.painted_list import PaintedList
from DPLSegmentLib.propagation.types import Propagation
from DPLSegmentLib.resources import resource
from Testing.panel.shell.conftest import STANDINS

WIDTH = 480


def draw_panel(path: Path, scan: Any, painted: Any, result: Propagation) -> None:
    """Write the panel as it looks when a result waits to be applied."""
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    application.setStyle("Fusion")
    application.setPalette(application.style().standardPalette())
    loader = QtUiTools.QUiLoader()
    for standin in STANDINS:
        loader.registerCustomWidget(standin)
    panel = loader.load(str(resource("UI/DPLSegment.ui")))
    ui = SimpleNamespace(**{child.objectName(): child for child in panel.findChildren(QtWidgets.QWidget)})
    _fill(ui, scan, painted)
    _fill_results(ui, result)
    panel.resize(WIDTH, panel.sizeHint().height())
    panel.grab().save(str(path))


def _fill(ui: SimpleNamespace, scan: Any, painted: Any) -> None:
    ui.scanSelector.addItem(scan.GetName())
    ui.querySelector.addItem(scan.GetName())
    ui.segmentationSelector.addItem(painted.GetName())
    slices = PaintedList()
    slices.refresh(painted, scan)
    for row in slices.rows:
        item = QtWidgets.QListWidgetItem(row.text)
        item.setCheckState(QtCore.Qt.CheckState.Checked if row.on else QtCore.Qt.CheckState.Unchecked)
        ui.paintedList.addItem(item)
    ui.statusLabel.setText("Check the result, then Apply or Discard.")


def _fill_results(ui: SimpleNamespace, result: Propagation) -> None:
    ui.resultTable.setRowCount(len(result.structures))
    for row, report in enumerate(result.structures):
        texts = report.name, f"{report.millilitres:.1f}", f"{100 * report.confidence:.0f} %"
        for column, text in enumerate(texts):
            ui.resultTable.setItem(row, column, QtWidgets.QTableWidgetItem(text))
        color = next(each.color for each in result.segmentation.segments if each.name == report.name)
        ui.resultTable.item(row, 0).setData(QtCore.Qt.ItemDataRole.DecorationRole, QtGui.QColor.fromRgbF(*color))
