"""`dpl-segment info`: versions, device and model."""

from __future__ import annotations

import argparse
import platform
from importlib import metadata
from typing import Any

from DPLSegmentLib.commands.model import add_model_arguments, load_model
from DPLSegmentLib.commands.outputs import to_json

PACKAGES = ("dpl-segment", "torch", "numpy", "SimpleITK", "scipy", "onnxruntime", "tqdm", "matplotlib", "scikit-image")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_model_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout instead of text")


def run(arguments: argparse.Namespace) -> None:
    """Print what a bug report needs; loads the model, so that a broken one is noticed."""
    engine, _ = load_model(arguments)
    facts = {"versions": versions(), "device": engine.device_name, "model_id": engine.model_id}
    print(to_json(facts) if arguments.json else _text(facts), end="")


def versions() -> dict[str, str]:
    """Versions of Python, the system and the packages that matter; "not installed" where one is absent."""
    found = {package: _version(package) for package in PACKAGES}
    return {"python": platform.python_version(), "system": platform.platform(), **found}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _text(facts: dict[str, Any]) -> str:
    rows = {**facts["versions"], "device": facts["device"], "model": facts["model_id"]}
    width = max(map(len, rows))
    return "".join(f"{name:<{width}}  {value}\n" for name, value in rows.items())
