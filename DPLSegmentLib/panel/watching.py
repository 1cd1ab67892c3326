"""Tells of what happens in the scene and in the segmentation that is painted on. VTK events, no Qt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import vtk

_PAINTING_EVENTS = (
    "SourceRepresentationModified",
    "SegmentAdded",
    "SegmentRemoved",
    "SegmentModified",
)


class SceneListener(Protocol):
    """Told of the scene."""

    def scene_closing(self) -> None:
        """The scene is about to be closed."""

    def scene_renewed(self) -> None:
        """The scene was closed, or another one was loaded into it."""

    def node_removed(self, node_id: str) -> None:
        """A node is about to leave the scene."""


class Observers:
    """Observers of VTK objects, all taken away at once by `clear`."""

    def __init__(self) -> None:
        self._tags: list[tuple[Any, int]] = []

    def add(self, caller: Any, event: Any, callback: Callable[..., None]) -> None:
        """Observe an event of a VTK object."""
        self._tags.append((caller, caller.AddObserver(event, callback)))

    def clear(self) -> None:
        """Observe nothing any more."""
        for caller, tag in self._tags:
            caller.RemoveObserver(tag)
        self._tags = []


class SceneWatch:
    """Follows closing, loading and removal of nodes in a scene until `stop`."""

    def __init__(self, scene: Any, listener: SceneListener) -> None:
        self._observers = Observers()
        self._listener = listener
        self._observers.add(scene, scene.StartCloseEvent, lambda *_: listener.scene_closing())
        self._observers.add(scene, scene.EndCloseEvent, lambda *_: listener.scene_renewed())
        self._observers.add(scene, scene.EndImportEvent, lambda *_: listener.scene_renewed())
        self._observers.add(scene, scene.NodeAboutToBeRemovedEvent, self._removed)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _removed(self, _scene: Any, _event: Any, node: Any) -> None:
        if node.GetID():
            self._listener.node_removed(node.GetID())

    def stop(self) -> None:
        """Follow no longer."""
        self._observers.clear()


class PaintingWatch:
    """Calls `changed` whenever something is painted, added, removed or renamed in the watched segmentation."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._observers = Observers()

    def watch(self, segmentation_node: Any | None) -> None:
        """Watch this segmentation in place of the one before; None: none."""
        self._observers.clear()
        if segmentation_node is None:
            return
        segmentation = segmentation_node.GetSegmentation()
        for name in _PAINTING_EVENTS:
            self._observers.add(segmentation, getattr(segmentation, name), lambda *_: self._changed())


class StateWatch:
    """Calls the callback of every attribute of `state` that is another than before, once when several share it."""

    def __init__(self, state: Any, callbacks: Mapping[str, Callable[[], None]]) -> None:
        self._state = state
        self._callbacks = callbacks
        self._known = self._values()
        self._observers = Observers()
        self._observers.add(state, vtk.vtkCommand.ModifiedEvent, self._modified)

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self._state, name) for name in self._callbacks}

    def _modified(self, *_: Any) -> None:
        before, self._known = self._known, self._values()
        changed = [name for name, value in self._known.items() if value != before[name]]
        for callback in dict.fromkeys(self._callbacks[name] for name in changed):
            callback()

    def stop(self) -> None:
        """Follow no longer."""
        self._observers.clear()
