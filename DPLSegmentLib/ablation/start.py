"""The weights that all trainings begin from."""

from __future__ import annotations

from pathlib import Path

import torch

from DPLSegmentLib.images.atomic import atomic
from DPLSegmentLib.network.checkpoint import load_model

_FRESH = "diffusion."


def write_start(weights: Path, path: Path) -> str:
    """Write the weights without the diffusion module, which each training then draws by its seed.

    Returns the model's id; raises CheckpointError for unusable weights and ImageError where `path` cannot be written.
    """
    model = load_model(weights)
    kept = {name: value for name, value in model.network.state_dict().items() if not name.startswith(_FRESH)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temporary:
        torch.save({"weights": kept}, temporary)
    return model.model_id
