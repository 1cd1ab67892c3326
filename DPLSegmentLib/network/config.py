"""The numbers that fix the shape of the network; they travel inside the checkpoint."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkConfig:
    """Encoder name ("lite0" or "lite2"), embedding width, the sizes of the parts of DPL, and the names of what the
    recogniser knows; without any there is no recogniser. `found` tells the kind of scan ("CT" or "MR") of each further
    structure that it knows although nobody named it. With `magnetic` scans of MR have a recogniser of their own.

    `timesteps` is the T of the diffusion; only t <= T/2 is used. `affinity_radius` is in embedding pixels.
    """

    encoder: str = "lite0"
    channels: int = 96
    timesteps: int = 64
    ddim_steps: int = 3
    variants: int = 4
    affinity_channels: int = 32
    affinity_radius: int = 3
    decoder_width: int = 32
    known: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    magnetic: bool = False


STRIDE = 4
"""Working-image pixels per embedding pixel."""

ENCODER_STRIDE = 32
"""Working images must be a multiple of this in height and width."""
