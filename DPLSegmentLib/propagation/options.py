"""The switches of the engine; the defaults are what is shipped."""

from __future__ import annotations

from dataclasses import dataclass, field

from DPLSegmentLib.network.condition import Condition
from DPLSegmentLib.network.fusion import ConservativeFusion, FusionMode
from DPLSegmentLib.network.network import Enhancement
from DPLSegmentLib.propagation.confidence import VoxelConfidence, voxel_confidence
from DPLSegmentLib.propagation.settle import SettleOptions


@dataclass(frozen=True)
class EngineOptions:
    """`use_dpl` off sweeps by affinity alone; `use_propagation` off scores every slice by itself, without a sweep.

    `diffusion`, `statistics`, `geometry`, `fusion`, `fusion_weight`, `variants` and `seed` are the switches of DPL.
    With `crossing` a large cross-section may grow over lines of another grey value; with `close_up` thin structures
    are looked at more closely; with `recognise` a painted structure that the model knows by name ends where it is known
    to end. `settle` is the walk in 3D after the sweep, `confidence` how sure each voxel of the result is said to be.
    """

    use_dpl: bool = True
    use_propagation: bool = True
    diffusion: bool = True
    statistics: bool = True
    geometry: bool = True
    fusion: FusionMode = FusionMode.MEAN
    fusion_weight: float = 0.3
    variants: int = 4
    seed: int = 0
    crossing: bool = False
    close_up: bool = True
    recognise: bool = True
    settle: SettleOptions = field(default_factory=SettleOptions)
    confidence: VoxelConfidence = voxel_confidence

    @property
    def enhancement(self) -> Enhancement:
        """The part of the options that concerns prototypes."""
        condition = Condition(self.statistics, self.geometry)
        fusion = ConservativeFusion(self.fusion, self.fusion_weight)
        return Enhancement(self.diffusion, condition, fusion, self.variants, self.seed)
