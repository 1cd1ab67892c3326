"""Prototypes in a file, so that one painted slice serves scans that come later. Nothing in it is ever unpickled."""

from __future__ import annotations

import zipfile
from dataclasses import astuple
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from DPLSegmentLib.images.atomic import atomic
from DPLSegmentLib.network.condition import GEOMETRY
from DPLSegmentLib.network.prototypes import Prototypes
from DPLSegmentLib.propagation.body import PRIOR_SIZE
from DPLSegmentLib.propagation.course import GRID, Course
from DPLSegmentLib.propagation.fields import SIDE
from DPLSegmentLib.propagation.known import Recognised
from DPLSegmentLib.propagation.prototype_set import PrototypeSet, Section, StructurePrototypes
from DPLSegmentLib.propagation.surroundings import SLICES, Surroundings
from DPLSegmentLib.propagation.types import PropagationError

FORMAT = 3
_KEYS = {"format", "kind", "model_id", "facing", "axis", "window", "structures"}
_KIND = "DPLSegment prototypes"
_VECTORS = ("foreground", "background", "geometry")
_ANY = None
_SHAPES = {
    "foreground": (_ANY, _ANY),
    "background": (_ANY, _ANY),
    "geometry": (GEOMETRY,),
    "place": (PRIOR_SIZE, PRIOR_SIZE),
    "course": (_ANY, _ANY, GRID, GRID),
    "surroundings": (SLICES, _ANY, SIDE, SIDE),
}


def save_prototypes(found: PrototypeSet, path: Path) -> None:
    """Write a prototype set; raises ImageError when the place cannot be written to."""
    content = {
        "format": FORMAT,
        "kind": _KIND,
        "model_id": found.model_id,
        "facing": found.facing,
        "axis": found.axis,
        "window": list(found.window) if found.window else None,
        "structures": [_packed(structure) for structure in found.structures],
    }
    with atomic(path) as partial:
        torch.save(content, partial)


def load_prototypes(path: Path, model_id: str) -> PrototypeSet:
    """Read a prototype set made with the model `model_id`.

    Raises PropagationError when the file is missing, damaged, of a newer format, or was made with another model.
    """
    content = _content(path)
    if content["format"] > FORMAT:
        raise PropagationError(f"{path} was made by a newer DPLSegment; update DPLSegment to use it.")
    if content["model_id"] != model_id:
        raise PropagationError(
            f"{path} was made with model {content['model_id']}, but this is model {model_id}; "
            "make the prototypes again from the painted scan."
        )
    try:
        window = (float(content["window"][0]), float(content["window"][1])) if content["window"] else None
        structures = tuple(_unpacked(packed) for packed in content["structures"])
        facing, axis = str(content["facing"]), int(content["axis"])
        return PrototypeSet(structures, facing, axis, window, model_id)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise _damaged(path) from error


def _content(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise PropagationError(f"There is no prototype file {path}; make it from a painted scan and save it.")
    try:
        _check_sums(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise _damaged(path) from error
    known = isinstance(content, dict) and content.keys() >= _KEYS and isinstance(content["format"], int)
    if not known or content["kind"] != _KIND:
        raise PropagationError(f"{path} is no file of DPLSegment prototypes; choose another or make one anew.")
    return content


def _check_sums(path: Path) -> None:
    """What PyTorch writes is a zip file; its checksums are not looked at when PyTorch reads it."""
    with zipfile.ZipFile(path) as archive:
        if archive.testzip():
            raise ValueError("A checksum does not match.")


def _damaged(path: Path) -> PropagationError:
    return PropagationError(f"The prototype file {path} is damaged or incomplete; make it again from the painted scan.")


def _packed(structure: StructurePrototypes) -> dict[str, Any]:
    return {
        "name": structure.name,
        **_vectors(structure.prototypes),
        "sections": [
            {
                "place": each.place.cpu(),
                "area_mm2": each.area_mm2,
                "ragged": each.ragged,
                **_vectors(each.prototypes),
            }
            for each in structure.sections
        ],
        "course": structure.course.profile.cpu(),
        "height": structure.course.height,
        "value": structure.value,
        "color": list(structure.color),
        "tags": dict(structure.tags),
        "recognised": astuple(structure.recognised) if structure.recognised else None,
        "surroundings": structure.surroundings.fields.cpu() if structure.surroundings else None,
    }


def _vectors(prototypes: Prototypes) -> dict[str, Tensor]:
    return {part: getattr(prototypes, part).cpu() for part in _VECTORS}


def _unpacked(packed: dict[str, Any]) -> StructurePrototypes:
    red, green, blue = (float(part) for part in packed["color"])
    return StructurePrototypes(
        packed["name"], _prototypes(packed), tuple(_section(each) for each in packed.get("sections", [packed])),
        Course(_tensor(packed, "course"), float(packed["height"])), int(packed["value"]),
        (red, green, blue), dict(packed["tags"]), _recognised(packed.get("recognised")),
        _surroundings(packed),
    )  # fmt: skip


def _recognised(packed: tuple[str, float] | None) -> Recognised | None:
    """Files of before do not say it."""
    return Recognised(str(packed[0]), float(packed[1])) if packed else None


def _surroundings(packed: dict[str, Any]) -> Surroundings | None:
    """Files of before do not say it."""
    return None if packed.get("surroundings") is None else Surroundings(_tensor(packed, "surroundings"))


def _section(packed: dict[str, Any]) -> Section:
    """Format 2 kept all sections as one, beside the other entries of the structure."""
    ragged = packed.get("ragged")
    place = (_tensor(packed, "place"), float(packed["area_mm2"]))
    return Section(*place, _prototypes(packed), None if ragged is None else float(ragged))


def _prototypes(packed: dict[str, Any]) -> Prototypes:
    return Prototypes(*(_tensor(packed, part) for part in _VECTORS))


def _tensor(packed: dict[str, Any], name: str) -> Tensor:
    value = packed[name]
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} should be a tensor.")
    sides = zip(value.shape, _SHAPES[name], strict=True)
    if not all(wanted in (_ANY, side) for side, wanted in sides):
        raise ValueError(f"{name} has another shape.")
    return value
