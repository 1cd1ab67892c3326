"""Which controls can be used, and for the others the reason that their tooltip gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Situation:
    """What the controls depend on; `targets` counts the scans to segment, `results` those that can be applied."""

    scan: bool = False
    segmentation: bool = False
    painted: bool = False
    full: tuple[str, ...] = ()
    prototypes: bool = False
    targets: int = 0
    own: bool = False
    running: bool = False
    results: int = 0
    next_slice: bool = False
    only: bool = False


_RUNNING = "Wait until the run is finished, or cancel it."
_NO_RESULT = "There is no result yet: press Propagate."


def reasons(now: Situation) -> Mapping[str, str]:
    """Object name of each control and why it cannot be used; empty when it can."""
    running = _RUNNING if now.running else ""
    result = running or ("" if now.results else _NO_RESULT)
    shown = "" if now.results else _NO_RESULT
    return {
        "scanSelector": running,
        "segmentationSelector": running,
        "tryItButton": running,
        "useSliceInViewButton": running or _why_no_slice(now),
        "querySelector": running,
        "sequenceSelector": running,
        "addFolderButton": running,
        "rangeCheckBox": running or _why_no_range(now),
        "rangeWidget": running or _why_no_range(now),
        "propagateButton": "" if now.running else why_no_run(now),
        "applyButton": result,
        "discardButton": result,
        "show3DButton": shown,
        "confidenceCheckBox": shown,
        "nextSliceButton": running or shown or _why_no_next(now),
        "deviceComboBox": running,
        "modelPathLineEdit": running,
        "memoryLimitSpinBox": running,
        "loadPrototypesButton": running,
        "savePrototypesButton": running or _why_nothing_painted(now),
        "clearPrototypesButton": running or ("" if now.prototypes else "The painted slices are used already."),
        "pytorchButton": running,
    }


def why_no_run(now: Situation) -> str:
    """Why nothing can be propagated, as a sentence that says what to do; empty when it can."""
    why = "" if now.prototypes else _why_nothing_painted(now)
    if not why and not now.targets:
        return "No scan is checked: check this scan or others under Propagate to."
    return why


def _why_nothing_painted(now: Situation) -> str:
    if not now.scan:
        return "There is no scan: load one and choose it, or press Try it."
    if not now.segmentation:
        return "There is no segmentation: choose or create one and paint a structure on one slice."
    if now.painted:
        return ""
    if now.full:
        names = ", ".join(now.full)
        return f"{names}: painted in 3D. Press Use the slice in view only, or paint one slice of a new segment."
    return "Nothing is painted: paint a structure on one slice of the scan."


def _why_no_slice(now: Situation) -> str:
    if now.only or now.full or now.painted:
        return ""
    return "Nothing is painted."


def _why_no_range(now: Situation) -> str:
    return "" if now.own else "The range belongs to this scan: check it under Propagate to."


def _why_no_next(now: Situation) -> str:
    return "" if now.next_slice else "No slice stands out as uncertain."
