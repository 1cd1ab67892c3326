"""Structures that nobody named: what looks alike and lies alike in most scans is found, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from DPLSegmentLib.training.recurring import Members, Region, recurring

CHANNELS = 96
SCANS = 6


def region(feature: np.ndarray, place: np.ndarray, millilitres: float, first: int) -> Region:
    """A thousand voxels from the `first` one on."""
    form = np.array([*place, np.log(millilitres), -1.5, -1.5, -1.5])
    return Region(np.arange(first, first + 1000), feature / np.linalg.norm(feature), form, millilitres)


@pytest.fixture
def scans() -> list[list[Region]]:
    """Each with two organs, slightly different ones, the second of which the last scan lacks; shifted along the slices;
    and twenty regions that are in no other scan."""
    generator = np.random.default_rng(3)
    organs = [(generator.standard_normal(CHANNELS), generator.uniform(-1, 1, 3)) for _ in range(2)]
    scans = []
    for number in range(SCANS):
        shift = np.array([0, 0, 0.4 * number])
        regions = [
            region(generator.standard_normal(CHANNELS), generator.uniform(-1, 1, 3) + shift, 200.0, 1000 * (2 + each))
            for each in range(20)
        ]
        for organ, (feature, place) in enumerate(organs[: 1 + (number < SCANS - 1)]):
            seen = feature + 0.2 * generator.standard_normal(CHANNELS)
            regions.append(region(seen, place + 0.03 * generator.standard_normal(3) + shift, 150.0, 1000 * organ))
        scans.append(regions)
    return scans


def firsts(members: Members) -> dict[int, int]:
    """Where the voxels of each scan begin."""
    return {number: int(region.voxels[0]) for number, region in members.items()}


def test_what_recurs_is_found_in_every_scan_that_has_it(scans: list[list[Region]]) -> None:
    found = [firsts(members) for members in recurring(scans, 5)]
    assert found == [dict.fromkeys(range(SCANS), 0), dict.fromkeys(range(SCANS - 1), 1000)]


def test_no_more_are_found_than_are_wanted(scans: list[list[Region]]) -> None:
    assert len(recurring(scans, 1)) == 1


def test_a_scan_without_regions_has_no_part(scans: list[list[Region]]) -> None:
    found = recurring([[], *scans], 5)
    assert [sorted(members) for members in found] == [list(range(1, SCANS + 1)), list(range(1, SCANS))]


def test_what_less_than_half_of_the_scans_have_is_not_found(scans: list[list[Region]]) -> None:
    few = [[each for each in regions if each.voxels[0] != 1000 or number < 2] for number, regions in enumerate(scans)]
    assert [firsts(members) for members in recurring(few, 5)] == [dict.fromkeys(range(SCANS), 0)]


def test_what_is_small_is_not_found(scans: list[list[Region]]) -> None:
    small = [[Region(each.voxels, each.feature, each.form, 9.0) for each in regions] for regions in scans]
    assert recurring(small, 5) == []


def test_the_same_at_another_scale_counts_once(scans: list[list[Region]]) -> None:
    doubled = [
        [*regions, *(Region(each.voxels[:900], each.feature, each.form, 140.0) for each in regions)]
        for regions in scans
    ]
    assert len(recurring(doubled, 5)) == 2
