"""What the presenter is given of the application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from DPLSegmentLib.scene.display import SliceViews
from DPLSegmentLib.scene.editor import EditorSeam
from DPLSegmentLib.scene.logics import SceneLogics


@dataclass(frozen=True, eq=False)
class Stage:
    """`editor` changes segments with undo; `views` are the slice views as they are now, `slice_nodes` their nodes, the
    one that the user looks at first; `sample_folder` holds the bundled CT."""

    scene: Any
    logics: SceneLogics
    editor: EditorSeam
    views: Callable[[], SliceViews]
    slice_nodes: Callable[[], Sequence[Any]]
    sample_folder: Path
    translate: Callable[[str], str] = str
