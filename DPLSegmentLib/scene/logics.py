"""The module logics that this room works with, given by whoever owns the application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class SceneLogics:
    """`segmentations` is a vtkSlicerSegmentationsModuleLogic, `editor` a vtkSlicerSegmentEditorLogic, `sequences` a
    vtkSlicerSequencesLogic, all of the same scene; the last two where they are needed."""

    segmentations: Any
    editor: Any | None = None
    sequences: Any | None = None
