"""The result while it grows: a second segmentation that shows what Apply would keep."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import slicer

from DPLSegmentLib.images.segmentation import Segment
from DPLSegmentLib.propagation.types import Propagation, SliceResult
from DPLSegmentLib.scene.carrying import Crop
from DPLSegmentLib.scene.confidence import ConfidenceMap
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.layers import Layers
from DPLSegmentLib.scene.logics import SceneLogics
from DPLSegmentLib.scene.nodes import add_node, checked, present, remove_node, save_with_scene
from DPLSegmentLib.scene.scans import check_scan_node, ijk_to_ras, shape_of
from DPLSegmentLib.scene.segments import BINARY, describe, labelled, structure_names


class Preview:
    """A segmentation node "<scan> DPLSegment preview" on the scan's grid and under its transform, not saved with the
    scene. Slices that arrive after it has gone are dropped; what cannot be done without it raises SceneError.
    """

    def __init__(
        self,
        scene: Any,
        logics: SceneLogics,
        scan_node: Any,
        source_segmentation: Any | None = None,
        structures: Collection[str] | None = None,
    ) -> None:
        """Segments are copied from the source with id, name, colour and terminology: those named, or all of them.

        Raises SceneError when a node cannot be used.
        """
        check_scan_node(scan_node)
        self.scene, self.scan_node, self.logics = scene, scan_node, logics
        self.name = scan_node.GetName()
        self._ijk_to_ras = ijk_to_ras(scan_node)
        self._layers = Layers(shape_of(scan_node), self._ijk_to_ras)
        self._ids: dict[str, str] = {}
        self._count = 0
        self._confidence: ConfidenceMap | None = None
        self._node = self._make_node()
        if source_segmentation is not None:
            self._copy_segments(source_segmentation, structures)

    @property
    def alive(self) -> bool:
        """False once it was removed, released, deleted, or its scene closed."""
        return present(self._node)

    @property
    def node(self) -> Any:
        """The segmentation node. Raises SceneError when it has gone."""
        self._check()
        return self._node

    @property
    def confidence_node(self) -> Any | None:
        """Scalar volume 0..1, made by `finish`; None before, and when it has gone."""
        made = self._confidence.node if self._confidence else None
        return made if present(made) else None

    @property
    def segment_ids(self) -> dict[str, str]:
        """Names of the structures and the ids of their segments, the same as in the source."""
        return dict(self._ids)

    @property
    def ijk_to_ras(self) -> np.ndarray:
        """IJK to the node's own RAS (4x4, mm): the grid of the scan."""
        return self._ijk_to_ras

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x)."""
        return self._layers.shape

    def add_slice(self, result: SliceResult) -> None:
        """Show one finished slice; an earlier version of the same slice and structure is replaced."""
        if self.alive:
            segment = self._segment(self._id_of(result.structure))
            self._layers.put_slice(segment.GetLabelValue(), result.axis, result.index, result.mask)

    def finish(self, propagation: Propagation) -> None:
        """Show the result voxel for voxel, and make the confidence node. Raises SceneError when it does not fit."""
        for _ in self.finishing(propagation):
            pass

    def finishing(self, propagation: Propagation) -> Iterator[None]:
        """`finish` in steps of some ten milliseconds, between which the application can live."""
        self._check()
        segments = propagation.segmentation.segments
        if any(segment.mask.shape != self._layers.shape for segment in segments):
            raise SceneError(
                f"The result does not have the size of {self.name}: the scan was changed, propagate again."
            )
        for segment in segments:
            self._id_of(segment.name, segment)
        self._layers.clear()
        for segment in segments:
            yield
            self._check()
            stored = self._segment(self._id_of(segment.name, segment))
            stored.AddRepresentation(BINARY, self._layers.put(stored.GetLabelValue(), segment.mask))
        yield
        self._check()
        self._layers.modified()
        yield
        self._check()
        self._show_confidence(propagation)

    def crop_of(self, segment_id: str) -> Crop | None:
        """What is shown of a segment; None when nothing is. Raises SceneError when the preview has gone."""
        segment = self.node.GetSegmentation().GetSegment(segment_id)
        return labelled(segment.GetRepresentation(BINARY), segment.GetLabelValue()) if segment else None

    def centre(self, axis: int, index: int) -> tuple[float, float, float]:
        """IJK in the middle of what is shown in a slice of the scan's array, or of that slice when nothing is."""
        plane = np.moveaxis(self._layers.labels, axis, 0)[index]
        shown = np.argwhere(plane)
        middle = shown.mean(axis=0) if len(shown) else (np.array(plane.shape) - 1) / 2
        k, j, i = np.insert(middle, axis, index).tolist()
        return i, j, k

    def set_opacity(self, opacity: float) -> None:
        """How opaque (0..1) the preview is in all views; nothing when it has gone."""
        if self.alive and self._node.GetDisplayNode():
            self._node.GetDisplayNode().SetOpacity(opacity)

    def set_fill(self, on: bool) -> None:
        """Fill the segments in slice views, or show their outlines alone; nothing when it has gone."""
        if self.alive and self._node.GetDisplayNode():
            self._node.GetDisplayNode().SetVisibility2DFill(on)

    def remove(self) -> None:
        """Leave the scene as it was before; nothing when that has happened already."""
        self._remove_confidence()
        remove_node(self._node)

    def release(self) -> Any:
        """The segmentation node as one of its own, saved with the scene; the preview is over.

        Raises SceneError when it has gone.
        """
        node = self.node
        self._remove_confidence()
        save_with_scene(node, True)
        self.set_opacity(1.0)
        self._node = None
        return node

    def _check(self) -> None:
        if not self.alive:
            raise SceneError(f"The preview for {self.name} was deleted: press Propagate to make a new one.")

    def _make_node(self) -> Any:
        node = add_node(self.scene, "vtkMRMLSegmentationNode", f"{self.name} DPLSegment preview")
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().SetSaveWithScene(False)
        node.SetAndObserveTransformNodeID(self.scan_node.GetTransformNodeID())
        node.GetSegmentation().SetSourceRepresentationName(BINARY)
        if self.scan_node.GetScene() == self.scene:
            node.SetReferenceImageGeometryParameterFromVolumeNode(self.scan_node)
        return node

    def _copy_segments(self, source: Any, structures: Collection[str] | None) -> None:
        checked(source, "vtkMRMLSegmentationNode", "segmentation")
        for segment_id, name in structure_names(source).items():
            if structures is None or name in structures:
                segment = slicer.vtkSegment()
                segment.DeepCopyMetadata(source.GetSegmentation().GetSegment(segment_id))
                self._register(segment, segment_id, name)

    def _add(self, name: str, like: Segment | None = None) -> str:
        segment = slicer.vtkSegment()
        segment.SetName(name)
        if like is not None:
            describe(segment, name, like.color, dict(like.tags))
        return self._register(segment, self.node.GetSegmentation().GenerateUniqueSegmentID(name), name)

    def _register(self, segment: Any, segment_id: str, name: str) -> str:
        self._count += 1
        segment.SetLabelValue(self._count)
        segment.AddRepresentation(BINARY, self._layers.image)
        self._node.GetSegmentation().AddSegment(segment, segment_id)
        self._ids[name] = segment_id
        return segment_id

    def _segment(self, segment_id: str) -> Any:
        return self._node.GetSegmentation().GetSegment(segment_id)

    def _id_of(self, name: str, like: Segment | None = None) -> str:
        """The id of a structure's segment, made anew where somebody has deleted it."""
        known = self._ids.get(name)
        return known if known and self._segment(known) else self._add(name, like)

    def _show_confidence(self, propagation: Propagation) -> None:
        self._remove_confidence()
        name, transform = f"{self.name} confidence", self.node.GetTransformNodeID()
        self._confidence = ConfidenceMap(self.scene, name, propagation.confidence, transform)

    def _remove_confidence(self) -> None:
        if self._confidence is not None:
            self._confidence.remove()
            self._confidence = None
