"""Slicer's own slice and 3D views, drawn without a window: MRML displayable managers in offscreen render windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from vtkmodules.util.numpy_support import vtk_to_numpy

_SLICE_MANAGERS = ("vtkMRMLModelSliceDisplayableManager", "vtkMRMLSegmentationsDisplayableManager2D")
_3D_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
)
_SAMPLES = 8
_DARK = (0.0, 0.0, 0.0)
_ORIENTATIONS = ("Axial", "Coronal", "Sagittal")


class Workbench:
    """A scene with the logics that views need."""

    def __init__(self) -> None:
        self.scene = slicer.vtkMRMLScene()
        self.application = slicer.vtkMRMLApplicationLogic()
        self.application.SetMRMLScene(self.scene)
        self.colors = slicer.vtkMRMLColorLogic()
        self.colors.SetMRMLScene(self.scene)
        self.colors.AddDefaultColorNodes()
        self.segmentations = slicer.vtkSlicerSegmentationsModuleLogic()
        self.segmentations.SetMRMLApplicationLogic(self.application)
        self.segmentations.SetMRMLScene(self.scene)


class SliceView:
    """A slice view of (width, height) pixels; `orientation` is Axial, Coronal or Sagittal."""

    def __init__(self, bench: Workbench, orientation: str, size: tuple[int, int]) -> None:
        assert orientation in _ORIENTATIONS
        self._size = size
        self._logic = slicer.vtkMRMLSliceLogic()
        self._logic.SetMRMLApplicationLogic(bench.application)
        self._logic.SetMRMLScene(bench.scene)
        self.node = self._logic.AddSliceNode(bench.scene.GenerateUniqueName(orientation))
        self.node.SetDimensions(*size, 1)
        getattr(self.node, f"SetOrientationTo{orientation}")()
        self.composite = self._logic.GetSliceCompositeNode()
        self._window = _Window(size)
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        self._group = _managed(bench, factory, _SLICE_MANAGERS, self._window, self.node)
        self._mapper = self._make_mapper()

    def show(self, scan_node: Any, middle: np.ndarray, zoom: float = 1.0) -> None:
        """Show a scan as large as it fits, times `zoom`, with a position [3] in mm (RAS) in the middle."""
        self.composite.SetBackgroundVolumeID(scan_node.GetID())
        self._logic.FitSliceToVolume(scan_node, *self._size)
        width, height, depth = self.node.GetFieldOfView()
        self.node.SetFieldOfView(width / zoom, height / zoom, depth)
        self.node.JumpSliceByCentering(*middle.tolist())

    def image(self) -> np.ndarray:
        """What the view shows: uint8 [height, width, 3]."""
        self._mapper.SetInputConnection(self._logic.GetImageDataConnection())
        return self._window.image()

    def _make_mapper(self) -> Any:
        mapper = vtk.vtkImageMapper()
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        actor = vtk.vtkActor2D()
        actor.SetMapper(mapper)
        actor.GetProperty().SetDisplayLocationToBackground()
        self._window.renderer.AddViewProp(actor)
        return mapper


class SurfaceView:
    """A 3D view of (width, height) pixels on one dark colour."""

    def __init__(self, bench: Workbench, size: tuple[int, int]) -> None:
        self.node = slicer.vtkMRMLViewNode()
        self.node.SetLayoutName(bench.scene.GenerateUniqueName("3D"))
        bench.scene.AddNode(self.node)
        self.node.SetBackgroundColor(*_DARK)
        self.node.SetBackgroundColor2(*_DARK)
        self.node.SetBoxVisible(False)
        self.node.SetAxisLabelsVisible(False)
        self._window = _Window(size)
        factory = slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance()
        self._group = _managed(bench, factory, _3D_MANAGERS, self._window, self.node)

    def look(self, direction: tuple[float, float, float]) -> None:
        """Look at all there is along a direction (RAS), feet down."""
        renderer = self._window.renderer
        renderer.ResetCamera()
        camera = renderer.GetActiveCamera()
        middle = np.asarray(camera.GetFocalPoint())
        away = np.asarray(direction) / np.linalg.norm(direction)
        camera.SetPosition(*(middle - away * camera.GetDistance()))
        camera.SetViewUp(0, 0, 1)
        renderer.ResetCameraClippingRange()

    def image(self) -> np.ndarray:
        """What the view shows: uint8 [height, width, 3]."""
        return self._window.image()


class _Window:
    """An offscreen window with one renderer. Displayable managers cannot do without an interactor."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.renderer = vtk.vtkRenderer()
        self._window = vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(True)
        self._window.SetMultiSamples(_SAMPLES)
        self._window.SetSize(*size)
        self._window.AddRenderer(self.renderer)
        self._interactor = vtk.vtkGenericRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)

    def image(self) -> np.ndarray:
        self._window.Render()
        grabber = vtk.vtkWindowToImageFilter()
        grabber.SetInput(self._window)
        grabber.ReadFrontBufferOff()
        grabber.Update()
        grabbed = grabber.GetOutput()
        width, height, _ = grabbed.GetDimensions()
        pixels = vtk_to_numpy(grabbed.GetPointData().GetScalars()).reshape(height, width, -1)
        return pixels[::-1, :, :3].copy()


def _managed(bench: Workbench, factory: Any, names: tuple[str, ...], window: _Window, node: Any) -> Any:
    """The managers that draw what a view node shows."""
    factory.SetMRMLApplicationLogic(bench.application)
    for name in names:
        if not factory.IsDisplayableManagerRegistered(name):
            factory.RegisterDisplayableManager(name)
    group = slicer.vtkMRMLDisplayableManagerGroup()
    group.Initialize(factory, window.renderer)
    group.SetMRMLDisplayableNode(node)
    return group
