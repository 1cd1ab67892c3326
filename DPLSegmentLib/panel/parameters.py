"""The state of the panel: saved with the scene, bound to the widgets that are named in the .ui file."""

from typing import Annotated

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLSequenceBrowserNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

LARGEST_MEMORY_MIB = 1048576


@parameterNodeWrapper
class PanelParameters:
    """What the user chose.

    scan, segmentation, sequence: nodes or None; queries: scans to segment; use_range with range_lower and range_upper
    in mm along the slice normal; device: auto, cuda, mps or cpu; model_path and prototypes_path: empty for the bundled
    model and for the painted slices; memory_limit in MiB, 0 for automatic. Many scans from files: folders to search,
    output folder (empty: one in the first of them), on_cluster with the address of its scheduler and a folder with
    certificates; replace_results of other prototypes, too.
    """

    scan: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    sequence: vtkMRMLSequenceBrowserNode
    queries: list[vtkMRMLScalarVolumeNode]
    folders: list[str]
    use_range: bool = False
    range_lower: float = 0.0
    range_upper: float = 0.0
    device: str = "auto"
    model_path: str = ""
    prototypes_path: str = ""
    memory_limit: Annotated[int, WithinRange(0, LARGEST_MEMORY_MIB)] = 0
    output: str = ""
    on_cluster: bool = False
    scheduler: str = ""
    certificates: str = ""
    replace_results: bool = False
