"""The bundled weights: a file that is checked before it is believed, and never unpickled."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from DPLSegmentLib.network.config import NetworkConfig
from DPLSegmentLib.network.identity import digest_of, model_id_of
from DPLSegmentLib.network.network import SegmentationNetwork

FORMAT = 6


class CheckpointError(ValueError):
    """The weights cannot be used; the message says why and what to do."""


@dataclass(frozen=True, eq=False)
class Model:
    """A network ready for inference and `model_id`, the first characters of its file's SHA-256."""

    network: SegmentationNetwork
    model_id: str


def save_model(network: SegmentationNetwork, path: Path) -> str:
    """Write the weights in half precision and `<path>.sha256` beside them; returns the model's id."""
    weights = {name: value.detach().cpu().half() for name, value in network.state_dict().items()}
    partial = path.with_name(path.name + ".partial")
    torch.save({"format": FORMAT, "config": asdict(network.config), "weights": weights}, partial)
    partial.replace(path)
    digest = digest_of(path)
    _digest_path(path).write_text(f"{digest}  {path.name}\n")
    return model_id_of(digest)


def load_model(path: Path) -> Model:
    """Read weights written by `save_model`.

    Raises CheckpointError when the file is missing, differs from its SHA-256, is of a newer format or no such file.
    """
    digest = _checked_digest(path)
    content = _content(path)
    if content["format"] > FORMAT:
        raise CheckpointError(f"The model {path.name} was made by a newer DPLSegment; update DPLSegment to use it.")
    try:
        network = SegmentationNetwork(NetworkConfig(**content["config"]))
        network.load_state_dict({name: value.float() for name, value in content["weights"].items()})
    except Exception as error:
        raise CheckpointError(
            f"The model {path.name} does not fit this version of DPLSegment; install both anew."
        ) from error
    return Model(network.eval().requires_grad_(False), model_id_of(digest))


def _digest_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _checked_digest(path: Path) -> str:
    if not path.is_file():
        raise CheckpointError(f"The model {path} is missing; install DPLSegment anew.")
    digest = digest_of(path)
    noted = _digest_path(path)
    if noted.is_file() and noted.read_bytes().split()[:1] != [digest.encode()]:
        raise CheckpointError(f"The model {path.name} is damaged or was changed; install DPLSegment anew.")
    return digest


def _content(path: Path) -> dict:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(
            f"{path.name} is not a DPLSegment model, or it is incomplete; install DPLSegment anew."
        ) from error
    if not isinstance(content, dict) or not {"format", "config", "weights"} <= content.keys():
        raise CheckpointError(f"{path.name} is a PyTorch file but not a DPLSegment model; choose another file.")
    if not isinstance(content["format"], int):
        raise CheckpointError(f"{path.name} is not a DPLSegment model of any known format; choose another file.")
    return content
