"""`dpl-segment demo`: the main job on the bundled CT."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from DPLSegmentLib.commands.model import add_model_arguments, load_model
from DPLSegmentLib.commands.outputs import FORMATS, output_names, require_writable, to_json, write_result
from DPLSegmentLib.commands.progress import ProgressBar
from DPLSegmentLib.evaluation.metrics import dice
from DPLSegmentLib.evaluation.painting import largest_slice
from DPLSegmentLib.images.reading import read_segmentation, read_volume
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.propagation.types import Propagation, Support
from DPLSegmentLib.resources import resource

ORGANS = ("liver", "spleen", "right kidney", "left kidney")
_CAVEAT = "The label map was made by a network: these Dice values show that it works, not how well."
_ROW = "{:<14}{:>8}{:>10}{:>12}{:>15}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    where = "where the results go (%(default)s)"
    parser.add_argument("--output", type=Path, default=Path("out/demo"), metavar="DIR", help=where)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout instead of text")
    add_model_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Paint one slice of each organ, find the rest, compare with the label map, draw it."""
    start = time.perf_counter()
    require_writable(arguments.output)
    scan = resource("SampleData/example_ct.nii.gz")
    volume, truth = (
        read_volume(scan),
        chosen(read_segmentation(resource("SampleData/example_ct-labels.nii.gz")), ORGANS),
    )
    support = Support(volume, one_slice_each(truth))
    result, load_seconds = _propagate(support, arguments)
    names, facts = output_names([scan], FORMATS[0])[0], {"query": str(scan)}
    report = write_result(result, arguments.output, names, facts, {"load": load_seconds})
    report |= {"dice": dice_of(result.segmentation, truth), "seconds_in_all": round(time.perf_counter() - start, 2)}
    picture = _draw(arguments.output / "overview.png", support, result, truth)
    _tell(report, support.painted, arguments, picture)


def chosen(segmentation: Segmentation, names: Iterable[str]) -> Segmentation:
    """Only the segments of these names, in this order."""
    by_name = {segment.name: segment for segment in segmentation.segments}
    return Segmentation(tuple(by_name[name] for name in names), segmentation.ijk_to_ras, segmentation.name)


def one_slice_each(truth: Segmentation) -> Segmentation:
    """Every segment cut down to the axial slice where it is largest: what a user would paint."""
    painted = []
    for segment in truth.segments:
        mask = segment.mask.copy()
        index = largest_slice(mask)
        mask[:index] = mask[index + 1 :] = False
        painted.append(segment.with_mask(mask))
    return Segmentation(tuple(painted), truth.ijk_to_ras, truth.name)


def dice_of(result: Segmentation, truth: Segmentation) -> dict[str, float]:
    """Dice (0..1) of each structure of the truth."""
    found = {segment.name: segment.mask for segment in result.segments}
    return {segment.name: round(dice(found[segment.name], segment.mask), 4) for segment in truth.segments}


def _propagate(support: Support, arguments: argparse.Namespace) -> tuple[Propagation, float]:
    engine, load_seconds = load_model(arguments)
    with ProgressBar("Segmenting") as bar:
        return engine.propagate([support], support.volume, on_progress=bar.on_progress), load_seconds


def _draw(path: Path, support: Support, result: Propagation, truth: Segmentation) -> Path | None:
    """Draw the picture; None where matplotlib or scikit-image is not installed."""
    try:
        from DPLSegmentLib.pictures.overview import write_overview
    except ModuleNotFoundError:
        return None
    title = "One painted slice each: " + ", ".join(ORGANS)
    write_overview(path, support.volume, result, support.painted, truth, title)
    return path


def _tell(report: dict[str, Any], painted: Segmentation, arguments: argparse.Namespace, picture: Path | None) -> None:
    report |= {"picture": str(picture) if picture else None}
    print(to_json(report) if arguments.json else _text(report, painted, arguments.output), end="")


def _text(report: dict[str, Any], painted: Segmentation, folder: Path) -> str:
    slices = {segment.name: largest_slice(segment.mask) for segment in painted.segments}
    lines = [_ROW.format("", "Dice", "mL", "confidence", "painted slice")]
    for structure in report["structures"]:
        name, confidence = structure["name"], f"{100 * structure['confidence']:.0f} %"
        dice_text, millilitres = f"{report['dice'][name]:.3f}", f"{structure['millilitres']:.0f}"
        lines.append(_ROW.format(name, dice_text, millilitres, confidence, slices[name]))
    stages = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in report["seconds"].items())
    lines += ["", f"{report['seconds_in_all']:.1f} s in all ({stages}) on {report['device']}", ""]
    lines.append(f"Segmentation  {folder / report['segmentation']}")
    lines.append(f"Confidence    {folder / report['confidence']}")
    lines.append(f"Picture       {report['picture'] or 'not drawn: install matplotlib and scikit-image'}")
    return "\n".join([*lines, "", _CAVEAT, ""])
