"""The recogniser's lesson: it learns what is drawn, and the rest of the network stays as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from DPLSegmentLib.network.checkpoint import load_model, save_model
from DPLSegmentLib.network.config import NetworkConfig
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.network.recogniser import Recogniser
from DPLSegmentLib.resources import resource
from DPLSegmentLib.training.config import TrainingConfig, TrainingError
from DPLSegmentLib.training.distributed import ALONE
from DPLSegmentLib.training.found_regions import prepare_found
from DPLSegmentLib.training.found_scans import found_kinds
from DPLSegmentLib.training.known_scans import KnownScan, known_structures, load_known_scans, prepare_known_scans
from DPLSegmentLib.training.known_views import KnownView
from DPLSegmentLib.training.recognition import RecognitionLesson, recognition_losses
from DPLSegmentLib.training.state import load_magnetic, load_start
from DPLSegmentLib.training.trainer import Trainer, checkpoint_of
from Testing.training.conftest import BOXES
from Testing.training.crops import write_case

SIDE = 24


class EasyViews:
    """Always one view of 12 slices that shows nothing, or one structure, by its first channel."""

    def __init__(self, scan: KnownScan, shown: bool = True) -> None:
        generator = torch.Generator().manual_seed(0)
        labels = torch.zeros(12, 4 * SIDE, 4 * SIDE, dtype=torch.uint8)
        labels[3:9, 24:56, 32:72] = shown
        features = torch.randn(12, 96, SIDE, SIDE, generator=generator)
        features[:, 0] = 6 * labels[:, ::4, ::4]
        slices, places = torch.zeros(labels.shape), torch.zeros(2, SIDE, SIDE)
        self.always = scan, KnownView(features.half(), slices.half(), places, labels)

    def draw(self, generator: np.random.Generator) -> tuple[KnownScan, KnownView]:
        """That one."""
        return self.always


@pytest.fixture
def scan(known_config: TrainingConfig) -> KnownScan:
    """On which one structure may be drawn."""
    return replace(load_known_scans(known_config, torch.device("cpu"))[0], maybe=torch.tensor([False]))


def test_what_can_be_learnt_is_learnt(scan: KnownScan) -> None:
    torch.manual_seed(0)
    recogniser = Recogniser(96, 1)
    lesson, optimiser = RecognitionLesson(recogniser, EasyViews(scan)), torch.optim.AdamW(recogniser.parameters(), 2e-3)
    sums = []
    for step in range(30):
        losses = lesson.losses(np.random.default_rng(step))
        loss = torch.stack(list(losses.values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        sums.append(float(loss.detach()))
    assert sums[-1] < 0.3 * sums[0]


def test_the_same_generator_draws_the_same_lesson(scan: KnownScan) -> None:
    lesson = RecognitionLesson(Recogniser(96, 1), EasyViews(scan))
    first, again, other = (lesson.losses(np.random.default_rng(seed))["cross entropy"] for seed in (1, 1, 2))
    assert first == again != other


def test_a_view_without_anything_known_has_a_loss(scan: KnownScan) -> None:
    losses = RecognitionLesson(Recogniser(96, 1), EasyViews(scan, shown=False)).losses(np.random.default_rng(0))
    assert float(losses["dice"].detach()) == 0 and torch.isfinite(losses["cross entropy"])


def test_what_may_be_there_undrawn_may_be_told() -> None:
    told = torch.zeros(1, 3, 4, 4)
    told[:, 1] = 9
    nothing = torch.zeros(1, 8, 8)
    free, wrong = (
        float(recognition_losses(told, nothing, torch.tensor([it, False]))["cross entropy"]) for it in (True, False)
    )
    assert free < 1 < wrong


def test_what_is_told_right_costs_less_than_what_is_told_wrong() -> None:
    labels = torch.zeros(1, 8, 8)
    labels[:, :4] = 2
    right, wrong = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    right[:, 2, :2], right[:, 0, 2:] = 9, 9
    wrong[:, 1, :2], wrong[:, 0, 2:] = 9, 9
    costs = [recognition_losses(told, labels, torch.tensor([False, False])) for told in (right, wrong)]
    assert all(float(costs[0][name]) < 0.1 < 0.8 < float(costs[1][name]) for name in ("cross entropy", "dice"))


def test_a_run_of_it_leaves_everything_else_as_it_was(known_config: TrainingConfig, tmp_path: Path) -> None:
    torch.manual_seed(5)
    before = SegmentationNetwork()
    save_model(before, tmp_path / "before.pt")
    config = replace(known_config, run=str(tmp_path / "run"), start=str(tmp_path / "before.pt"), steps=2)
    Trainer(config, [], ALONE).train()
    after = load_model(tmp_path / "run" / "dpl-segment.pt").network
    assert after.config.known == known_structures(known_config) and after.recogniser is not None
    weights = after.state_dict()
    assert all(torch.equal(weights[name], value.half().float()) for name, value in before.state_dict().items())


def test_a_run_on_kept_views_that_was_stopped_ends_as_one_that_was_not(
    known_config: TrainingConfig, tmp_path: Path
) -> None:
    names = ("whole", "stopped")
    whole, stopped = (replace(known_config, run=str(tmp_path / name), views=1, steps=4) for name in names)
    Trainer(whole, [], ALONE).train()
    begun = Trainer(stopped, [], ALONE)
    begun.step()
    begun.folder.mkdir()
    begun.state.save(checkpoint_of(stopped))
    Trainer(stopped, [], ALONE).train()
    one, other = (load_model(tmp_path / name / "dpl-segment.pt").network.state_dict() for name in names)
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def magnetic_config(tmp_path: Path) -> TrainingConfig:
    """After a run on two crops of CT and the same as MR: the recogniser of MR, of which the first structures are
    pairs."""
    for group in ("abdomen-ct", "abdomen-mr"):
        for name, box in BOXES.items():
            write_case(tmp_path / "data" / group / "train", name, box)
        (tmp_path / "data" / group / "labels.json").write_text(resource("SampleData/labels.json").read_text())
    for path in (tmp_path / "data" / "abdomen-mr" / "train").glob("*-image.nii.gz"):
        image = sitk.ReadImage(path)
        sitk.WriteImage(sitk.Clamp(image, sitk.sitkInt16, -125, 275) * 3 + 392, path)
    torch.manual_seed(3)
    save_model(SegmentationNetwork(), tmp_path / "start.pt")
    run, start = str(tmp_path / "first"), str(tmp_path / "start.pt")
    config = TrainingConfig(str(tmp_path / "data"), run, start=start, steps=1, warmup=2, known=True, found=True)
    prepare_known_scans(config)
    prepare_found(config)
    Trainer(config, [], ALONE).train()
    kinds, named, first = found_kinds(config), len(known_structures(config)), f"{run}/dpl-segment.pt"
    pair = f"{named + kinds.index('CT')}:{named + kinds.index('MR')}"
    mr = str(tmp_path / "mr")
    return replace(config, run=mr, start=first, magnetic=f"{first} {first}", pairs=pair, steps=2)


def test_a_run_for_mr_changes_nothing_but_its_own_recogniser(magnetic_config: TrainingConfig) -> None:
    Trainer(magnetic_config, [], ALONE).train()
    before = load_model(Path(magnetic_config.start)).network
    after = load_model(Path(magnetic_config.run) / "dpl-segment.pt").network
    weights = after.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in before.state_dict().items())
    assert before.recogniser and after.magnetic
    begun, now = before.recogniser.leave.weight, after.magnetic.leave.weight
    assert begun.shape == now.shape and not torch.equal(begun, now) and (begun - now).abs().max() < 0.1


def test_a_run_for_mr_without_mr_is_refused(found_config: TrainingConfig, tmp_path: Path) -> None:
    names, kinds = known_structures(found_config), found_kinds(found_config)
    save_model(SegmentationNetwork(NetworkConfig(known=names, found=kinds)), tmp_path / "start.pt")
    pack, weights = str(Path(found_config.run).parent / "pack-known2"), str(tmp_path / "start.pt")
    config = replace(found_config, run=str(tmp_path), pack=pack, magnetic=weights, pairs=f"{len(names)}:{len(names)}")
    with pytest.raises(TrainingError, match="Nothing was found on MR"):
        Trainer(config, [], ALONE)


def test_the_recogniser_of_mr_begins_as_a_mean(tmp_path: Path) -> None:
    shape = NetworkConfig(known=("a",), found=("MR",))
    shared, apart = SegmentationNetwork(shape), SegmentationNetwork(replace(shape, magnetic=True))
    save_model(shared, tmp_path / "shared.pt")
    save_model(apart, tmp_path / "apart.pt")
    mean = Recogniser(96, 2)
    load_magnetic(mean, [tmp_path / "shared.pt", tmp_path / "apart.pt"])
    assert shared.recogniser and apart.magnetic
    halves = [each.leave.weight.half().float() for each in (shared.recogniser, apart.magnetic)]
    assert torch.allclose(mean.leave.weight, (halves[0] + halves[1]) / 2)


def test_weights_that_recognise_other_structures_are_no_beginning(tmp_path: Path) -> None:
    save_model(SegmentationNetwork(NetworkConfig(known=("a",))), tmp_path / "one.pt")
    save_model(SegmentationNetwork(), tmp_path / "none.pt")
    for name in ("one.pt", "none.pt"):
        with pytest.raises(TrainingError, match=name):
            load_magnetic(Recogniser(96, 2), [tmp_path / name])


def test_outputs_that_an_earlier_network_did_not_have_begin_as_new_ones_do(tmp_path: Path) -> None:
    earlier, network = (SegmentationNetwork(replace(NetworkConfig(), known=("a", "b", "c")[:n])) for n in (2, 3))
    save_model(earlier, tmp_path / "earlier.pt")
    assert earlier.recogniser and network.recogniser
    fresh = network.recogniser.leave.weight.clone()
    load_start(network, tmp_path / "earlier.pt")
    kept, new = network.recogniser.leave.weight.split([len(earlier.recogniser.leave.weight), 4])
    assert torch.equal(kept, earlier.recogniser.leave.weight.half()) and torch.equal(new, fresh[-4:])
