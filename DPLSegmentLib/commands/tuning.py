"""`dpl-segment tuning`: writes the scans that rules are chosen on; `dpl-segment evaluate` measures on them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from DPLSegmentLib.commands.outputs import together
from DPLSegmentLib.commands.progress import ProgressBar

if TYPE_CHECKING:
    from DPLSegmentLib.training.tuning import TuningScan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--config", type=Path, required=True, metavar="FILE", help="TOML file of a training, for its data and pack"
    )
    parser.add_argument("--output", type=Path, default=Path("runs/tuning"), metavar="DIR", help="(%(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Write a folder for each set, laid out as `evaluate --data` wants it."""
    from DPLSegmentLib.training.config import TrainingError, read_config
    from DPLSegmentLib.training.tuning import count, tuning_scans

    config = read_config(arguments.config)
    whole, most = count(config), dict[str, int]()
    if not whole:
        raise TrainingError(f"{config.data} has no scans in abdomen-mr/train or abdomen-ct/train; nothing was written.")
    with ProgressBar("tuning") as bar:
        for number, scan in enumerate(tuning_scans(config), 1):
            _write(scan, arguments.output / scan.group)
            most[scan.group] = max(most.get(scan.group, 0), int(scan.regions.max()))
            bar.update(number / whole, f"{scan.group} {scan.case}")
    for group, regions in most.items():
        names = {str(value): f"region {value}" for value in range(1, regions + 1)}
        (arguments.output / group / "labels.json").write_text(json.dumps(names), encoding="utf-8")
        print(f"dpl-segment evaluate --data {arguments.output / group} --protocol S --structures all")


def _write(scan: TuningScan, folder: Path) -> None:
    from DPLSegmentLib.images.writing import write_volume

    image, labels = (f"case-{scan.case}-{what}.nii.gz" for what in ("image", "labels"))
    with together(folder, [image, labels]) as staging:
        write_volume(scan.volume, staging / image)
        write_volume(scan.volume.with_array(scan.regions), staging / labels)
