"""Nodes: whether they are still there, and how they leave without a trace."""

from __future__ import annotations

from typing import Any

from DPLSegmentLib.scene.errors import SceneError


def present(node: Any | None) -> bool:
    """True while a node belongs to a scene; deleted nodes and those of a closed scene do not."""
    return node is not None and node.GetScene() is not None


def checked(node: Any | None, class_name: str, what: str) -> Any:
    """The node itself. Raises SceneError when it is None, deleted or of another class; `what` is "scan" or such."""
    if node is None:
        raise SceneError(f"There is no {what}: choose one and try again.")
    if not present(node):
        raise SceneError(f"The {what} {node.GetName()} was deleted: choose another one.")
    if not node.IsA(class_name):
        raise SceneError(f"{node.GetName()} is no {what}: choose another one.")
    return node


def add_node(scene: Any, class_name: str, name: str) -> Any:
    """A new node with a name of its own in the scene, not saved with it until somebody wants to keep it."""
    node = scene.AddNewNodeByClass(class_name, scene.GenerateUniqueName(name))
    node.SetSaveWithScene(False)
    return node


def remove_node(node: Any | None) -> None:
    """Take a displayable node out of its scene, with its display and storage nodes; nothing when it is gone already."""
    if not present(node):
        return
    scene = node.GetScene()
    for owned in [*_display_nodes(node), *_storage_nodes(node), node]:
        if owned.GetScene() == scene:
            scene.RemoveNode(owned)


def save_with_scene(node: Any, wanted: bool) -> None:
    """Whether a displayable node and its display nodes are saved with the scene."""
    for owned in (node, *_display_nodes(node)):
        owned.SetSaveWithScene(wanted)


def _display_nodes(node: Any) -> list[Any]:
    if not node.IsA("vtkMRMLDisplayableNode"):
        return []
    nodes = [node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes())]
    return [display for display in nodes if display is not None]


def _storage_nodes(node: Any) -> list[Any]:
    if not node.IsA("vtkMRMLStorableNode"):
        return []
    nodes = [node.GetNthStorageNode(index) for index in range(node.GetNumberOfStorageNodes())]
    return [storage for storage in nodes if storage is not None]
