"""Places in the subject hierarchy.

In Slicer a plugin gives every node its item; without plugins (slicer-core) nodes have none until somebody makes them,
and where the scan has none there is no place to take over.
"""

from __future__ import annotations

from typing import Any

import slicer


def put_beside(scene: Any, node: Any, scan_node: Any) -> None:
    """Give a node the same parent item as a scan, so that both belong to one study."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    scan_item = hierarchy.GetItemByDataNode(scan_node) if hierarchy else 0
    if not scan_item:
        return
    parent = hierarchy.GetItemParent(scan_item)
    item = hierarchy.GetItemByDataNode(node)
    if not item:
        hierarchy.CreateItem(parent, node)
    else:
        hierarchy.SetItemParent(item, parent)
