"""Segments scans from one painted slice, without a window.

    Slicer --no-main-window --python-script segment_headless.py scan.nrrd painted.seg.nrrd --output results
    Slicer --no-main-window --python-script segment_headless.py scan.nrrd painted.seg.nrrd --query a.nrrd b.nrrd
    Slicer --no-main-window --python-script segment_headless.py --sample --output results

Writes `<scan>-segmentation.seg.nrrd` for each scan. Exit code: 0 done, 1 failed (a sentence on stderr says what to do),
2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import slicer


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="segment_headless.py")
    parser.add_argument("scan", type=Path, nargs="?", help="scan that was painted on")
    parser.add_argument("painted", type=Path, nargs="?", help="one or more painted slices of it (.seg.nrrd)")
    parser.add_argument("--sample", action="store_true", help="take the bundled CT and its painted slices")
    parser.add_argument("--query", type=Path, nargs="+", default=[], help="scans to segment (the painted one)")
    parser.add_argument("--output", type=Path, default=Path("results"), help="folder for the results (%(default)s)")
    parser.add_argument("--device", default="auto", choices=("auto", "cuda", "mps", "cpu"))
    parsed = parser.parse_args(arguments)
    if not parsed.sample and parsed.painted is None:
        parser.error("give a scan and what is painted on it, or --sample")
    return parsed


def load(arguments: argparse.Namespace, logic: Any) -> tuple[Any, Any, list[Any]]:
    """The painted scan, what is painted on it, and the scans to segment."""
    if arguments.sample:
        scan, painted = logic.loadSample()
    else:
        scan = slicer.util.loadVolume(str(arguments.scan))
        painted = slicer.util.loadSegmentation(str(arguments.painted))
    return scan, painted, [slicer.util.loadVolume(str(path)) for path in arguments.query] or [scan]


def segment(arguments: argparse.Namespace) -> list[Path]:
    """Load, propagate and save; returns the files that were written."""
    logic = slicer.util.getModuleLogic("DPLSegment")
    scan, painted, queries = load(arguments, logic)
    results = logic.process(scan, painted, queries=queries, device=arguments.device)
    arguments.output.mkdir(parents=True, exist_ok=True)
    return [save(node, query, arguments.output) for node, query in zip(results, queries, strict=True)]


def save(node: Any, query: Any, folder: Path) -> Path:
    """Write a segmentation node beside the others."""
    path = folder / f"{query.GetName()}-segmentation.seg.nrrd"
    if not slicer.util.saveNode(node, str(path)):
        raise OSError(f"{path} could not be written: choose another folder with --output.")
    return path


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code; nothing is raised, so that Slicer always ends."""
    try:
        for path in segment(parse(arguments)):
            print(path)
    except SystemExit as usage:
        return int(usage.code or 0)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    slicer.util.exit(main(sys.argv[1:]))
