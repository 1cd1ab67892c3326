"""Structures that the model knows are recognised where they are painted, however the scan lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from DPLSegmentLib.images.facing import facing, turn_to
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.network.config import NetworkConfig
from DPLSegmentLib.network.evidence import shrink
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.known import KnownStructure, Recognised
from DPLSegmentLib.propagation.painted import PaintedSlice, painted_slices
from DPLSegmentLib.propagation.recognition import Recognition, recognition
from DPLSegmentLib.propagation.sweep import SweepRange
from DPLSegmentLib.propagation.types import Cancelled, Support
from Testing.propagation.conftest import CancelSwitch

Paint = Callable[..., Support]
Masks = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def masks(truth: Segmentation) -> Masks:
    """The true structures of the bundled CT by name."""
    return {segment.name: segment.mask for segment in truth.segments}


@pytest.fixture(scope="module")
def embedding(engine: Engine, ct: Volume) -> Embedding:
    """The whole bundled CT."""
    return engine.embed(ct)


@pytest.fixture(scope="module")
def sight(engine: Engine, ct: Volume, embedding: Embedding) -> Recognition:
    """What is known in it."""
    found = recognition(engine.network, embedding, ct)
    assert found
    return found


@pytest.fixture(scope="module")
def traced_aorta(embedding: Embedding, masks: Masks) -> KnownStructure:
    """The true aorta as it would be seen by someone who knows."""
    working = np.stack([embedding.stack.slice_to_working(mask) for mask in masks["aorta"]])
    return KnownStructure(
        "aorta", shrink(torch.from_numpy(working)), embedding.stack, SweepRange(0, embedding.count - 1, certain=True)
    )


def painted_on(embedding: Embedding, support: Support) -> list[PaintedSlice]:
    """Its slices as the engine sees them."""
    return painted_slices(support.painted.segments[0], 0, embedding)


def seeing_everywhere(number: int) -> SegmentationNetwork:
    """Of an aorta, what was found on MR and what was found on CT, it sees the one with this number."""
    network = SegmentationNetwork(replace(NetworkConfig(), known=("aorta",), found=("MR", "CT")))
    assert network.recogniser
    torch.nn.init.zeros_(network.recogniser.leave.weight)
    network.recogniser.leave.bias.data = torch.eye(4)[1 + number].repeat_interleave(4) * 9
    return network.eval().requires_grad_(False)


def dice(one: np.ndarray, other: np.ndarray) -> float:
    """Of two masks."""
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


@pytest.mark.parametrize(("name", "taken_for"), [("stomach", {"stomach"}), ("aorta", {"aorta", "inferior vena cava"})])
def test_a_known_structure_is_recognised_where_it_is_painted(
    sight: Recognition, embedding: Embedding, ct: Volume, masks: Masks, paint: Paint, name: str, taken_for: set[str]
) -> None:
    """Without contrast agent, as in this scan, the model does not tell the two large vessels apart."""
    known = sight.known(painted_on(embedding, paint(ct, masks[name])))
    assert known and known.name in taken_for


@pytest.mark.parametrize("name", ["liver", "spleen", "right kidney", "left kidney", "urinary bladder", "vertebra L1"])
def test_what_nobody_taught_it_is_not_taken_for_something_known(
    sight: Recognition, embedding: Embedding, ct: Volume, masks: Masks, paint: Paint, name: str
) -> None:
    assert sight.known(painted_on(embedding, paint(ct, masks[name]))) is None


def test_looking_for_what_is_known_can_be_cancelled(
    engine: Engine, ct: Volume, embedding: Embedding, masks: Masks, paint: Paint, switch: CancelSwitch
) -> None:
    fresh = recognition(engine.network, embedding, ct)
    assert fresh
    switch.on = True
    with pytest.raises(Cancelled):
        fresh.known(painted_on(embedding, paint(ct, masks["aorta"])), switch)
    with pytest.raises(Cancelled):
        fresh.found(Recognised("aorta", 1.0), 400.0, SweepRange(0, embedding.count - 1), switch)
    assert fresh.known(painted_on(embedding, paint(ct, masks["aorta"])))


@pytest.mark.parametrize(("told", "on_ct", "on_mr"), [(0, "aorta", None), (1, None, "found on MR, 1"), (2, None, None)])
def test_what_is_believed_depends_on_the_kind_of_scan(
    embedding: Embedding, ct: Volume, paint: Paint, told: int, on_ct: str | None, on_mr: str | None
) -> None:
    """A drawn one is believed on CT, one that was found on MR there, and one that was found on CT nowhere."""
    grey = ct.with_array((ct.array.astype(np.int32) - ct.array.min()) * 3 + 17)
    for volume, expected in ((ct, on_ct), (grey, on_mr)):
        found = recognition(seeing_everywhere(told), embedding, volume)
        known = found and found.known(painted_on(embedding, paint(ct, np.ones(ct.shape, bool))))
        assert (known.name if known else None) == expected


@pytest.mark.parametrize(("told", "kind", "guides"), [(0, "CT", True), (1, "MR", False)])
def test_only_what_people_drew_guides_a_sweep(
    embedding: Embedding, ct: Volume, paint: Paint, told: int, kind: str, guides: bool
) -> None:
    grey = ct.with_array((ct.array.astype(np.int32) - ct.array.min()) * 3 + 17)
    found = recognition(seeing_everywhere(told), embedding, ct if kind == "CT" else grey)
    known = found and found.known(painted_on(embedding, paint(ct, np.ones(ct.shape, bool))))
    assert known and known.guides == guides


def test_mr_is_looked_at_by_its_own_recogniser(embedding: Embedding, ct: Volume, paint: Paint) -> None:
    network = SegmentationNetwork(NetworkConfig(known=("aorta",), found=("MR",), magnetic=True)).eval()
    for recogniser, number in ((network.recogniser, 0), (network.magnetic, 1)):
        assert recogniser
        torch.nn.init.zeros_(recogniser.leave.weight)
        recogniser.leave.bias.data = torch.eye(3)[1 + number].repeat_interleave(4) * 9
    grey = ct.with_array((ct.array.astype(np.int32) - ct.array.min()) * 3 + 17)
    painted = painted_on(embedding, paint(ct, np.ones(ct.shape, bool)))
    for volume, name in ((ct, "aorta"), (grey, "found on MR, 1")):
        found = recognition(network.requires_grad_(False), embedding, volume)
        known = found and found.known(painted)
        assert known and known.name == name


def test_something_found_that_is_weakly_alike_hides_nothing_that_was_drawn(
    embedding: Embedding, ct: Volume, paint: Paint
) -> None:
    network = seeing_everywhere(2)
    assert network.recogniser
    painted = painted_on(embedding, paint(ct, np.ones(ct.shape, bool)))
    for drawn, expected in ((8.8, "aorta"), (7.0, None)):
        network.recogniser.leave.bias.data[4:8] = drawn
        found = recognition(network, embedding, ct)
        known = found and found.known(painted)
        assert (known.name if known else None) == expected


def test_a_structure_painted_next_to_where_it_is_seen_to_end_is_recognised(
    embedding: Embedding, ct: Volume, paint: Paint
) -> None:
    fresh = recognition(seeing_everywhere(0), embedding, ct)
    painted = painted_on(embedding, paint(ct, np.ones(ct.shape, bool), slices=[40]))
    assert fresh and fresh.known(painted)
    seen, last = fresh._all(None), 40 // fresh.slices.step
    seen[last:] = 0
    known = fresh.known(painted)
    assert known and known.name == "aorta" and known.trust == 1 and known.reach.known == (0, 40)
    seen[last - 1 :] = 0
    assert fresh.known(painted) is None


def test_a_scan_of_a_kind_of_which_nothing_is_known_is_not_looked_at(
    engine: Engine, embedding: Embedding, ct: Volume
) -> None:
    grey = ct.with_array((ct.array.astype(np.int32) - ct.array.min()) * 3 + 17)
    torch.manual_seed(2)
    network = SegmentationNetwork(replace(NetworkConfig(), known=("aorta",))).eval()
    assert recognition(network, embedding, grey) is None and recognition(network, embedding, ct)


def test_sagittal_slices_are_not_looked_at(engine: Engine, ct: Volume) -> None:
    assert recognition(engine.network, engine.embed(ct, axis=2), ct) is None


def test_a_scan_that_is_stored_from_head_to_foot_is_seen_as_well(
    engine: Engine, sight: Recognition, embedding: Embedding, ct: Volume, masks: Masks, paint: Paint
) -> None:
    turn = turn_to(ct.ijk_to_ras, "I" + facing(ct.ijk_to_ras)[1:])
    turned = turn.volume(ct)
    seen = engine.embed(turned)
    other = recognition(engine.network, seen, turned)
    assert other and other.downwards and not sight.downwards
    usual = sight.known(painted_on(embedding, paint(ct, masks["stomach"])))
    known = other.known(painted_on(seen, paint(turned, turn.array(masks["stomach"]))))
    assert usual and known and known.name == usual.name
    first, last = (ct.shape[0] - 1 - index for index in known.reach.known[::-1])
    assert abs(first - usual.reach.known[0]) <= 6 and abs(last - usual.reach.known[1]) <= 6


@pytest.mark.parametrize(("way", "mirrored"), [("SPL", False), ("SAL", False), ("SPR", True)])
def test_right_is_where_the_header_says(engine: Engine, ct: Volume, way: str, mirrored: bool) -> None:
    turned = turn_to(ct.ijk_to_ras, way).volume(ct)
    found = recognition(engine.network, engine.embed(turned), turned)
    assert found and found.mirrored == mirrored


def test_odds_lie_where_the_structure_is_through_other_working_pixels(
    traced_aorta: KnownStructure, embedding: Embedding, masks: Masks
) -> None:
    index = int(masks["aorta"].sum((1, 2)).argmax())
    rows, columns = (np.flatnonzero(masks["aorta"][index].any(1 - axis)) for axis in range(2))
    box = (int(rows[0]) - 9, int(columns[0]) - 7, int(rows[-1]) + 12, int(columns[-1]) + 10)
    closer = embedding.stack.through(embedding.stack.pixel_mm / 2, box)
    found = traced_aorta.odds(index, closer).numpy() > 0
    assert dice(found, closer.slice_to_working(masks["aorta"][index]) > 0.5) > 0.8


def test_what_is_seen_moves_what_was_swept_as_far_as_it_is_trusted(
    traced_aorta: KnownStructure, embedding: Embedding, masks: Masks
) -> None:
    index = int(masks["aorta"].sum((1, 2)).argmax())
    true = torch.from_numpy(embedding.stack.slice_to_working(masks["aorta"][index]))
    doubtful = torch.full_like(true, 0.5)
    weighed = traced_aorta.weighed(doubtful, index, embedding.stack)
    assert float(weighed[true > 0.9].median()) > 0.5 > float(weighed[true == 0].median())
    untrusted = replace(traced_aorta, trust=0.0).weighed(doubtful, index, embedding.stack)
    assert torch.allclose(untrusted, doubtful)


def test_far_from_the_paint_what_people_drew_counts_more(
    traced_aorta: KnownStructure, embedding: Embedding, masks: Masks
) -> None:
    index = int(masks["aorta"].sum((1, 2)).argmax())
    doubtful = torch.full(embedding.images.shape[1:], 0.51)
    near, far = (
        replace(traced_aorta, trust=0.5, guides=True, painted=(painted,)).weighed(doubtful, index, embedding.stack)
        for painted in (index, index - 20)
    )
    assert float(far.logit().abs().max()) > 1.3 * float(near.logit().abs().max())


@pytest.mark.parametrize(("guides", "trust", "regained"), [(True, 0.5, True), (True, 0.4, False), (False, 0.5, False)])
def test_what_a_sweep_has_lost_is_regained_where_it_is_known_to_be(
    traced_aorta: KnownStructure, embedding: Embedding, masks: Masks, guides: bool, trust: float, regained: bool
) -> None:
    index = int(masks["aorta"].sum((1, 2)).argmax())
    known = replace(traced_aorta, trust=trust, guides=guides, painted=(index,))
    found = known.weighed(torch.zeros(embedding.images.shape[1:]), index, embedding.stack)
    true = embedding.stack.slice_to_working(masks["aorta"][index]) > 0.5
    assert (dice(found.numpy() > 0.5, true) > 0.8) == regained


def test_parts_beyond_a_gap_are_anchored_where_it_is_known_to_be(
    traced_aorta: KnownStructure, embedding: Embedding, masks: Masks
) -> None:
    present = np.flatnonzero(masks["aorta"].any((1, 2)))
    first, last = int(present[5]), int(present[9])
    known = replace(traced_aorta, guides=True, painted=(first,), reach=SweepRange(0, 99, known=(first, last)))
    anchors = known.anchors(masks["aorta"], embedding.stack)
    assert sorted(anchors) == [*range(first, last + 1)]
    assert all(dice(anchor, masks["aorta"][index]) > 0.7 for index, anchor in anchors.items())
    assert not replace(known, guides=False).anchors(masks["aorta"], embedding.stack)


def test_a_known_structure_ends_where_it_is_known_to_end(
    engine: Engine, ct: Volume, masks: Masks, paint: Paint
) -> None:
    support = paint(ct, masks["aorta"])
    without = engine.with_options(replace(engine.options, recognise=False))
    known, swept = (each.propagate([support], ct).segmentation.segments[0].mask for each in (engine, without))
    assert dice(known, masks["aorta"]) > dice(swept, masks["aorta"]) - 0.02
    assert dice(known, masks["aorta"]) > 0.8


def test_the_slice_range_of_the_user_counts_more_than_what_is_known(
    engine: Engine, ct: Volume, masks: Masks, paint: Paint
) -> None:
    index = int(masks["aorta"].sum((1, 2)).argmax())
    result = engine.propagate([paint(ct, masks["aorta"])], ct, slice_range=(index - 3, index + 2))
    found = np.flatnonzero(result.segmentation.segments[0].mask.any((1, 2)))
    assert (found[0], found[-1]) == (index - 3, index + 2)


@pytest.fixture(scope="module")
def everywhere(embedding: Embedding) -> SweepRange:
    """All slices of the bundled CT."""
    return SweepRange(0, embedding.count - 1)


@pytest.fixture(scope="module")
def other_patient(ct: Volume) -> Volume:
    """As it were another patient: the bundled CT without its lowest and highest slices, wider, and noisier."""
    noise = np.random.default_rng(5).normal(0, 8, ct.array.shape)
    moved = ct.ijk_to_ras @ np.diag([1.06, 1.06, 1, 1])
    moved[:3, 3] += 10 * ct.ijk_to_ras[:3, 2]
    return Volume((ct.array + noise).astype(np.int16)[10:-5], moved, "another patient")


@pytest.mark.parametrize("name", ["inferior vena cava", "aorta"])
def test_what_was_recognised_is_found_where_nothing_is_painted(
    sight: Recognition, embedding: Embedding, masks: Masks, everywhere: SweepRange, name: str
) -> None:
    known = sight.found(Recognised(name, 1.0), 400.0, everywhere)
    assert known
    seed = known.seed(embedding.stack)
    assert not seed.painted
    assert dice(embedding.stack.to_native(seed.mask[None].numpy())[0] > 0.5, masks[name][seed.index]) > 0.5


def test_it_is_found_in_the_slices_that_the_user_names(sight: Recognition, everywhere: SweepRange) -> None:
    known = sight.found(Recognised("stomach", 1.0), 400.0, everywhere)
    assert known
    (middle,) = known.painted
    lower = sight.found(Recognised("stomach", 1.0), 400.0, SweepRange(middle - 6, middle - 3))
    assert lower and middle - 6 <= lower.painted[0] <= middle - 3


@pytest.mark.parametrize("name", ["mandible", "found on CT, 26", "found on MR, 20", "of another model"])
def test_what_is_not_there_or_nobody_drew_is_not_found(sight: Recognition, everywhere: SweepRange, name: str) -> None:
    assert sight.found(Recognised(name, 1.0), 400.0, everywhere) is None


def test_what_is_recognised_is_found_in_another_scan(
    engine: Engine, ct: Volume, masks: Masks, paint: Paint, other_patient: Volume
) -> None:
    prototypes = engine.prototypes([paint(ct, masks["aorta"])])
    assert prototypes.structures[0].recognised
    known, searched = (
        each.propagate(prototypes, other_patient).segmentation.segments[0].mask
        for each in (engine, engine.with_options(replace(engine.options, recognise=False)))
    )
    assert dice(known, masks["aorta"][10:-5]) > max(0.8, dice(searched, masks["aorta"][10:-5]) - 0.02)


def test_what_one_of_two_painted_scans_is_recognised_as_is_looked_for(
    engine: Engine, ct: Volume, masks: Masks, paint: Paint, other_patient: Volume
) -> None:
    empty = replace(other_patient, array=np.full_like(other_patient.array, -1000))
    unlike = paint(empty, masks["aorta"][10:-5])
    joined = engine.prototypes([unlike, paint(ct, masks["aorta"])])
    assert engine.prototypes([unlike]).structures[0].recognised is None
    assert joined.structures[0].recognised


def test_the_painted_scan_is_looked_at_once_for_many_others(
    engine: Engine, ct: Volume, masks: Masks, paint: Paint, other_patient: Volume
) -> None:
    support = paint(ct, masks["aorta"])
    engine.prototypes([support])
    sight = engine.sights.of(engine.embed(ct), ct)
    for less in (5, 6):
        another = replace(other_patient, array=other_patient.array[:-less])
        engine.propagate([support], another)
        assert engine.sights.of(engine.embed(ct), ct) is sight
        assert engine.sights.of(engine.embed(another), another) is not sight
