"""Puts the panel together from its parts, in a running Slicer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

from DPLSegmentLib.panel.application import Application
from DPLSegmentLib.panel.cohort_run import CohortPresenter
from DPLSegmentLib.panel.cohort_session import make_cohort
from DPLSegmentLib.panel.cohort_table import CohortBox
from DPLSegmentLib.panel.cohort_view import CohortView
from DPLSegmentLib.panel.dialogs import Dialogs
from DPLSegmentLib.panel.editor_box import EditorBox
from DPLSegmentLib.panel.parameters import PanelParameters
from DPLSegmentLib.panel.session import make_presenter
from DPLSegmentLib.panel.widget import PanelWidget


def make_panel(root: Any, ui: Any, application: Application, parameter_node: Callable[[], Any]) -> PanelWidget:
    """The panel on the loaded .ui file `root` with widgets `ui`; its state lives in the node of `parameter_node`."""
    logic = slicer.vtkSlicerSegmentEditorLogic()
    editor = EditorBox(ui.segmentEditor, application.scene, logic, slicer.vtkMRMLSegmentEditorNode)
    dialogs = Dialogs(application.translate)
    panel = PanelWidget(
        root,
        ui,
        application,
        editor,
        make_state=lambda: PanelParameters(parameter_node()),
        make_presenter=make_presenter,
        dialogs=dialogs,
    )

    def make_cohort_presenter(view: CohortView) -> CohortPresenter:
        return make_cohort(view, panel.presenter, application)

    panel.add_part(CohortBox(ui, panel, dialogs, make_cohort_presenter, application.translate))
    return panel
