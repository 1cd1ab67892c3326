"""Cases of a data folder, cut out of the bundled CT."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from DPLSegmentLib.resources import resource


def write_case(folder: Path, name: str, box: tuple[slice, slice, slice]) -> None:
    """A crop of the bundled CT and its labels."""
    folder.mkdir(parents=True, exist_ok=True)
    z, y, x = box
    for kind, source in (("image", "example_ct"), ("labels", "example_ct-labels")):
        image = sitk.ReadImage(resource(f"SampleData/{source}.nii.gz"))[x, y, z]
        sitk.WriteImage(image, folder / f"{name}-{kind}.nii.gz")
