"""From what is chosen in the panel to the plan of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from DPLSegmentLib.panel.painted_list import PaintedList
from DPLSegmentLib.panel.range import slices
from DPLSegmentLib.panel.run import RunPlan, Target
from DPLSegmentLib.panel.sequence_target import sequence_targets
from DPLSegmentLib.panel.stage import Stage
from DPLSegmentLib.panel.state import PanelState
from DPLSegmentLib.panel.targets import Scans, ScanTarget
from DPLSegmentLib.scene.nodes import present
from DPLSegmentLib.worker.requests import PaintedScan


def queries(state: PanelState) -> list[Any]:
    """The scan nodes to segment, the painted one first."""
    nodes = [node for node in state.queries or [] if present(node)]
    return sorted(nodes, key=lambda node: node is not state.scan)


def plan_run(stage: Stage, scans: Scans, state: PanelState, painted: PaintedList) -> RunPlan:
    """What the panel asks for; raises SceneError with a sentence when it cannot be done."""
    file = Path(state.prototypes_path) if state.prototypes_path else None
    supports = () if file else (PaintedScan(scans.scan(state.scan), painted.support()),)
    source = None if file else state.segmentation
    names = None if file else tuple(segment.name for support in supports for segment in support.painted.segments)
    targets: list[Target] = [
        ScanTarget(stage.scene, stage.logics, scans, node, source, node is state.scan, names) for node in queries(state)
    ]
    if present(state.sequence):
        targets += sequence_targets(stage.scene, stage.logics, state.sequence, source)
    return RunPlan(supports, tuple(targets), _ranges(targets, state, painted), file)


def _ranges(targets: Sequence[Target], state: PanelState, painted: PaintedList) -> tuple[tuple[int, int] | None, ...]:
    """The range holds for the painted scan, in whose view its handles were set."""
    axis = painted.axis if painted.axis is not None else 0
    own = slices(state.scan, axis, state) if present(state.scan) and axis >= 0 else None
    return tuple(own if target.own else None for target in targets)
