"""CT that looks like MR: the same anatomy in other greys, and what it is called there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.disguise import Disguise
from DPLSegmentLib.training.known_scans import GREYS, KnownScan, known_structures, load_known_scans
from DPLSegmentLib.training.known_views import KnownView
from DPLSegmentLib.training.magnetic_views import MagneticViews

CT_LIVER, CT_OTHER, MR_LIVER, MR_OTHER = range(4)
BRIGHT = 70


@pytest.fixture(scope="module")
def named(known_config: TrainingConfig) -> int:
    """How many structures have a name."""
    return len(known_structures(known_config))


@pytest.fixture(scope="module")
def scan(known_config: TrainingConfig, named: int) -> KnownScan:
    """A crop of CT in 1.5 mm slices on which two boxes were found, each where nothing is drawn."""
    drawn = load_known_scans(known_config, torch.device("cpu"))[0]
    labels = drawn.labels.clone()
    for number, part in ((CT_LIVER, slice(4, 24)), (CT_OTHER, slice(40, 60))):
        box = labels[:, part, 8:40]
        box[box == 0] = 1 + named + number
    maybe = torch.cat([drawn.maybe, torch.tensor([False, False, True, True])])
    return replace(drawn, labels=labels, maybe=maybe, spacing=(1.5, *drawn.spacing[1:]))


@pytest.fixture(scope="module")
def magnetic(scan: KnownScan, named: int) -> KnownScan:
    """One of MR, on which the pair of the first box is bright."""
    greys, labels = torch.full_like(scan.greys, 20), torch.zeros_like(scan.labels)
    greys[:, 10:30], labels[:, 10:30] = BRIGHT, 1 + named + MR_LIVER
    maybe = torch.tensor([True] * named + [True, True, False, False])
    return replace(scan, name="mr", kind="MR", greys=greys, labels=labels, maybe=maybe)


@pytest.fixture(scope="module")
def disguise(magnetic: KnownScan, named: int) -> Disguise:
    """Of one pair."""
    return Disguise({named + CT_LIVER: named + MR_LIVER}, named, [magnetic])


@pytest.fixture(scope="module")
def disguised(disguise: Disguise, scan: KnownScan) -> list[KnownScan]:
    """The crop of CT, four times."""
    return [disguise.of(scan, np.random.default_rng(seed)) for seed in range(4)]


def test_it_is_a_scan_of_mr_in_thick_slices(disguised: list[KnownScan], scan: KnownScan) -> None:
    for each in disguised:
        assert each.kind == "MR" and each.wide == 1 and each.spacing[0] + 0.75 >= 5 and each.spacing[0] <= 9.75
        thick = round(each.spacing[0] / scan.spacing[0])
        assert len(scan.greys) / thick - 1 <= len(each.greys) <= len(scan.greys) / thick + 1
        assert each.greys.shape == each.labels.shape and each.greys.shape[1:] == scan.greys.shape[1:]
        assert int(each.greys.max()) <= GREYS["MR"]


def test_greys_are_others_each_time_and_the_same_again(
    disguise: Disguise, disguised: list[KnownScan], scan: KnownScan
) -> None:
    again = disguise.of(scan, np.random.default_rng(2))
    assert torch.equal(again.greys, disguised[2].greys)
    means = [float(each.greys.float().mean()) for each in disguised]
    assert len({round(mean, 1) for mean in means}) == len(means)


def test_what_is_paired_is_called_and_looks_like_its_pair(disguised: list[KnownScan], named: int) -> None:
    for each in disguised:
        pair = each.labels == 1 + named + MR_LIVER
        assert pair.any() and not (each.labels == 1 + named + CT_LIVER).any()
        assert abs(float(each.greys[pair].float().median()) - BRIGHT) < 20


def test_what_is_drawn_stays_and_what_else_was_found_is_not_told(
    disguised: list[KnownScan], scan: KnownScan, named: int
) -> None:
    drawn = set(scan.labels.unique().tolist()) - {0, 1 + named + CT_LIVER, 1 + named + CT_OTHER}
    seen = set().union(*(each.labels.unique().tolist() for each in disguised))
    assert seen == drawn | {0, 1 + named + MR_LIVER}


def test_what_may_be_there_untold_is_known(disguised: list[KnownScan], scan: KnownScan, named: int) -> None:
    for each in disguised:
        assert torch.equal(each.maybe[:named], scan.maybe[:named])
        assert each.maybe[named:].tolist() == [True, True, False, True]


def test_a_pair_that_was_not_found_on_a_scan_may_be_there(disguise: Disguise, scan: KnownScan, named: int) -> None:
    maybe = scan.maybe.clone()
    maybe[named + CT_LIVER] = True
    unfound = disguise.of(replace(scan, maybe=maybe), np.random.default_rng(0))
    assert bool(unfound.maybe[named + MR_LIVER])


class Shows:
    """A viewer that notes what it is shown."""

    def __init__(self) -> None:
        self.kinds: list[str] = []

    def look(self, scan: KnownScan, generator: np.random.Generator, count: int) -> KnownView | None:
        """Nothing of it."""
        self.kinds.append(scan.kind)
        return None


def test_mr_and_disguised_ct_are_shown_about_as_often(scan: KnownScan, magnetic: KnownScan, named: int) -> None:
    other = replace(magnetic, name="brain", labels=torch.zeros_like(magnetic.labels))
    viewer, generator = Shows(), np.random.default_rng(0)
    pairs = {named + CT_LIVER: named + MR_LIVER}
    views = MagneticViews(viewer, [scan, magnetic, other], pairs, named, 16)  # type: ignore[arg-type]
    names = [views.draw(generator)[0].name for _ in range(200)]
    assert set(viewer.kinds) == {"MR"}
    shares = [names.count(each.name) / 200 for each in (scan, magnetic, other)]
    assert shares == pytest.approx([0.42, 0.5, 0.08], abs=0.1)
