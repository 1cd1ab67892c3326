"""DPLSegment: paint one slice, get the whole 3D segmentation. Metadata, widget shell, logic façade and self-test."""

import importlib
import shutil
import sys
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)


def useLibrary() -> None:
    """Find DPLSegmentLib, built (beside this file) or not (one folder up), and drop what an earlier load left of it."""
    here = Path(__file__).resolve().parent
    folder = next(place for place in (here, here.parent) if (place / "DPLSegmentLib" / "__init__.py").is_file())
    if sys.path[0] != str(folder):
        sys.path.insert(0, str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] == "DPLSegmentLib"]:
        del sys.modules[name]
    importlib.invalidate_caches()


useLibrary()

from DPLSegmentLib.panel.selftest import Scenarios  # noqa: E402
from DPLSegmentLib.resources import resource as libraryResource  # noqa: E402


def resource(name: str) -> str:
    """Path of `Resources/<name>`."""
    return str(libraryResource(name))


class DPLSegment(ScriptedLoadableModule):
    """What the application knows of the module."""

    def __init__(self, parent: object) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = "DPL Segment"
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = ["Segmentations", "Sequences"]
        parent.contributors = ["The DPLSegment developers"]
        parent.icon = qt.QIcon(resource("Icons/DPLSegment.png"))
        parent.helpText = _(
            "Paint one slice of any organ or lesion, press Propagate, check the preview, press Apply: the whole 3D "
            "segmentation, in that scan and in every other. Nothing leaves this computer unless you choose a cluster. "
            "Research software, not a medical device: not meant for diagnosis or treatment, check every result. "
            '<a href="https://github.com/DPLSegment/SlicerDPLSegment">Documentation</a>'
        )
        parent.acknowledgementText = _(
            "Built on diffusion prototype learning (DPL, arXiv 2510.12159); this is an independent implementation. "
            "The bundled CT comes from the TotalSegmentator data set (Apache-2.0)."
        )
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData() -> None:
    """Offer the bundled CT in the module Sample Data; nothing is downloaded."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="DPL Segment",
        sampleName="DPLSegmentCT",
        thumbnailFileName=resource("Icons/DPLSegmentCT.png"),
        customDownloader=lambda _source: list(DPLSegmentLogic().loadSample()),
    )


def application() -> object:
    """What the library needs of Slicer."""
    from DPLSegmentLib.panel.application import Application

    return Application(
        scene=slicer.mrmlScene,
        segmentations_logic=slicer.modules.segmentations.logic(),
        python=shutil.which("PythonSlicer") or sys.executable,
        testing=slicer.app.testingEnabled(),
        translate=_,
        sequences_logic=slicer.modules.sequences.logic(),
    )


class DPLSegmentWidget(ScriptedLoadableModuleWidget):
    """Loads the panel. No process is started, nothing asked and no PyTorch imported before the user does something."""

    def setup(self) -> None:
        ScriptedLoadableModuleWidget.setup(self)
        from DPLSegmentLib.panel.compose import make_panel

        root = slicer.util.loadUI(resource("UI/DPLSegment.ui"))
        self.layout.addWidget(root)
        self.logic = DPLSegmentLogic()
        ui = slicer.util.childWidgetVariables(root)
        self.panel = make_panel(root, ui, application(), self.logic.getParameterNode)

    def enter(self) -> None:
        self.panel.enter()

    def exit(self) -> None:
        self.panel.exit()

    def cleanup(self) -> None:
        self.panel.cleanup()


class DPLSegmentLogic(ScriptedLoadableModuleLogic):
    """The module for scripts: `slicer.util.getModuleLogic("DPLSegment").process(scan, segmentation)`."""

    def process(
        self,
        support: object,
        segmentation: object,
        queries: list | None = None,
        sliceRange: tuple | None = None,
        device: str = "auto",
        wait: bool = True,
        onDone: object = None,
    ) -> object:
        """Segment `queries` (volumes, sequence browsers; None: the painted scan) from the slices painted on `support`.

        sliceRange: first and last slice of the painted axis (indices), or None; device: auto, cuda, mps or cpu.
        Returns the segmentation nodes of the results, or, with wait=False, at once a job with `done`, `cancel()` and
        `results`; `onDone(job)` is called at its end. No window is opened. Raises ValueError with a sentence.
        """
        from DPLSegmentLib.panel.polling import keep_polling
        from DPLSegmentLib.panel.session import process

        made = process(application(), support, segmentation, queries, sliceRange, device, wait, onDone)
        return made if wait else keep_polling(made)

    def loadSample(self) -> tuple:
        """Load the bundled CT with one painted slice of each of four organs: the volume and the segmentation node."""
        from DPLSegmentLib.scene.sample import load_sample

        return load_sample(slicer.mrmlScene, slicer.modules.segmentations.logic(), Path(resource("SampleData")))


class DPLSegmentTest(Scenarios, ScriptedLoadableModuleTest):
    """The scenarios of `DPLSegmentLib/panel/selftest.py`, in a real Slicer."""
