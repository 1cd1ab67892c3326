"""Does a confidence mean what it says, and does it know where the errors are?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from DPLSegmentLib.evaluation.metrics import error_retention_area, retention_gain
from DPLSegmentLib.evaluation.text_table import text_table
from DPLSegmentLib.evaluation.voxels import Voxels, joined

BINS = 10
ALL = "all voxels"


@dataclass(frozen=True, eq=False)
class Reliability:
    """Of each tenth of the range 0..1, [10] each: mean predicted confidence, observed share that is right (both nan
    where there is no voxel), and the share of all voxels that lie in it."""

    predicted: np.ndarray
    observed: np.ndarray
    share: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error, 0..1, lower is better. Source: Naeini et al., AAAI 2015."""
        return float(np.nansum(self.share * np.abs(self.predicted - self.observed)))


@dataclass(frozen=True)
class Calibration:
    """How good the confidence is beside the plain margin, over `voxels` voxels of which the share `wrong` is wrong.

    `ece_...`: expected calibration error (of the probability, too). `area_...`: under the error-retention curve, both
    0..1 and lower is better. `gain_...`: see `metrics.retention_gain`, higher is better.
    """

    voxels: int
    wrong: float
    ece_confidence: float
    ece_margin: float
    ece_probability: float
    area_confidence: float
    area_margin: float
    gain_confidence: float
    gain_margin: float


def reliability(confidence: np.ndarray, right: np.ndarray) -> Reliability:
    """Sort voxels [n] with a confidence in 0..1 into ten equal bins and compare with how many are right (bool [n])."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore"):
        predicted, observed = (np.bincount(bins, each, BINS) / counts for each in (confidence, right))
    return Reliability(predicted, observed, counts / max(1, len(bins)))


def calibration(voxels: Voxels) -> Calibration:
    """All numbers of one set of voxels."""
    wrong = ~voxels.right
    measures = (voxels.confidence, voxels.margin)
    return Calibration(
        len(wrong),
        float(wrong.mean()) if len(wrong) else 0.0,
        *(reliability(each, voxels.right).error for each in (*measures, voxels.probability)),
        *(error_retention_area(wrong, each) for each in measures),
        *(retention_gain(wrong, each) for each in measures),
    )


def calibrations(voxels: Mapping[str, Voxels]) -> dict[str, Calibration]:
    """One for each structure, and one for all voxels together. At least one structure must be given."""
    return {name: calibration(each) for name, each in {**voxels, ALL: joined(voxels.values())}.items()}


def calibration_table(found: Mapping[str, Calibration], title: str) -> str:
    """For the terminal: shares in per cent, gains as they are."""
    head = ["", "voxels", "wrong %"]
    head += [f"ECE % {name}" for name in ("confidence", "margin", "p")]
    head += [f"{kind} {name}" for kind in ("area %", "gain") for name in ("confidence", "margin")]
    return text_table(title, [head, *([name, *_cells(each)] for name, each in found.items())])


def _cells(found: Calibration) -> list[str]:
    shares = (found.ece_confidence, found.ece_margin, found.ece_probability)
    areas, gains = (found.area_confidence, found.area_margin), (found.gain_confidence, found.gain_margin)
    return [
        str(found.voxels),
        *(f"{100 * share:.1f}" for share in (found.wrong, *shares)),
        *(f"{100 * area:.2f}" for area in areas),
        *(f"{gain:.2f}" for gain in gains),
    ]


def bins_of(voxels: Voxels) -> dict[str, Any]:
    """The points of the three reliability diagrams, for programs."""
    kinds = {"confidence": voxels.confidence, "margin": voxels.margin, "probability": voxels.probability}
    return {name: vars(reliability(each, voxels.right)) for name, each in kinds.items()}
