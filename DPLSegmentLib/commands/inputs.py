"""What the commands read: scans and what was painted on them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from DPLSegmentLib.commands.failure import CommandError
from DPLSegmentLib.images.checks import check_painted
from DPLSegmentLib.images.dicom_folder import series_in
from DPLSegmentLib.images.reading import read_segmentation, read_volume
from DPLSegmentLib.images.resample import resample_segmentation, same_grid
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import Support


def refuse_missing(paths: Iterable[Path]) -> None:
    """Raise CommandError for the first path that is not there."""
    for path in paths:
        if not path.exists():
            raise CommandError(f"There is no file or folder {path}: check the path.")


def series_of(scan: Path, wanted: Sequence[str]) -> str | None:
    """Which of the wanted series instance UIDs a DICOM folder holds; the first when it holds none: reading says so."""
    if not wanted or not scan.is_dir():
        return None
    return next((uid for uid in series_in(scan) if uid in wanted), wanted[0])


def read_support(
    scan: Path, painted: Path, frame: int | None = None, names: Path | None = None, series: str | None = None
) -> Support:
    """A scan and its painted slices on the scan's grid.

    A painted map on another grid of the same space is resampled. `names` is a JSON file that names its values, when
    it is another one than the labels.json beside the map.
    Raises CommandError or ImageError with a sentence for the user.
    """
    volume = read_volume(scan, frame, series)
    segmentation = read_segmentation(painted)
    check_painted(segmentation)
    if names:
        segmentation = renamed(segmentation, read_names(names))
    return Support(volume, _on_grid(segmentation, volume, painted))


def read_names(path: Path) -> Mapping[int, str]:
    """Label value to structure name, from a JSON object such as {"1": "liver"}."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {int(value): str(name) for value, name in document.items()}
    except (ValueError, AttributeError) as error:
        raise CommandError(
            f'{path} does not name labels: it should look like {{"1": "liver", "2": "spleen"}}.'
        ) from error


def renamed(segmentation: Segmentation, names: Mapping[int, str]) -> Segmentation:
    """The segments with the names of their values; a value without one keeps its own."""
    segments = tuple(replace(segment, name=names.get(segment.value, segment.name)) for segment in segmentation.segments)
    return replace(segmentation, segments=segments)


def _on_grid(segmentation: Segmentation, volume: Volume, painted: Path) -> Segmentation:
    """Segments on the scan's grid; says so on stderr when that took a resampling."""
    moved = resample_segmentation(segmentation, volume)
    if not same_grid(segmentation, volume):
        print(f"dpl-segment: {painted.name} is on another grid than {volume.name} and was resampled.", file=sys.stderr)
    return moved
