"""Painted on one scan, segmented on another: directly, from prototypes, and from a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from DPLSegmentLib.images.facing import facing, turn_to
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.known import Recognised
from DPLSegmentLib.propagation.prototype_file import FORMAT, load_prototypes, save_prototypes
from DPLSegmentLib.propagation.prototype_set import PrototypeSet
from DPLSegmentLib.propagation.types import Propagation, PropagationError, SliceResult, Support

Paint = Callable[..., Support]


@pytest.fixture(scope="module")
def support(kidney_ct: Volume, kidney_mask: np.ndarray, paint: Paint) -> Support:
    """The kidney, painted once."""
    return paint(kidney_ct, kidney_mask)


@pytest.fixture(scope="module")
def prototypes(engine: Engine, support: Support) -> PrototypeSet:
    """What that paint says of the kidney."""
    return engine.prototypes([support])


@pytest.fixture
def file(prototypes: PrototypeSet, tmp_path: Path) -> Path:
    """The same in a file."""
    path = tmp_path / "kidney.prototypes"
    save_prototypes(prototypes, path)
    return path


@pytest.fixture(scope="module")
def direct(engine: Engine, support: Support, other_ct: Volume) -> Propagation:
    """The kidney on the other scan."""
    return engine.propagate([support], other_ct)


def same(one: Propagation, other: Propagation) -> bool:
    """Whether two results are the same, bit for bit."""
    pairs = zip(one.segmentation.segments, other.segmentation.segments, strict=True)
    masks = all(np.array_equal(a.mask, b.mask) for a, b in pairs)
    return masks and np.array_equal(one.confidence.array, other.confidence.array)


def altered(file: Path, **changes: object) -> Path:
    """The file with other content under some keys."""
    torch.save({**torch.load(file, weights_only=True), **changes}, file)
    return file


def refusal(file: Path, model_id: str) -> str:
    """The sentence with which a file is refused; it names the file and ends."""
    with pytest.raises(PropagationError) as refused:
        load_prototypes(file, model_id)
    assert str(file) in str(refused.value) and str(refused.value).endswith(".")
    return str(refused.value)


def test_the_result_lies_on_the_grid_of_the_other_scan(direct: Propagation, other_ct: Volume) -> None:
    assert direct.segmentation.shape == direct.confidence.shape == other_ct.shape
    assert np.array_equal(direct.segmentation.ijk_to_ras, other_ct.ijk_to_ras)
    assert float(direct.confidence.array.min()) >= 0 and float(direct.confidence.array.max()) <= 1


def test_a_file_of_prototypes_gives_what_the_painted_scan_gives(
    engine: Engine, file: Path, other_ct: Volume, direct: Propagation
) -> None:
    assert same(engine.propagate(load_prototypes(file, engine.model_id), other_ct), direct)


@pytest.mark.parametrize("recognised", [None, Recognised("aorta", 0.25)])
def test_prototypes_come_back_from_their_file_to_the_bit(
    prototypes: PrototypeSet, file: Path, recognised: Recognised | None
) -> None:
    structures = tuple(replace(each, recognised=recognised) for each in prototypes.structures)
    prototypes = replace(prototypes, structures=structures)
    save_prototypes(prototypes, file)
    loaded = load_prototypes(file, prototypes.model_id)
    for name in ("facing", "axis", "window", "model_id"):
        assert getattr(loaded, name) == getattr(prototypes, name)
    for one, other in zip(loaded.structures, prototypes.structures, strict=True):
        for name in ("name", "value", "color", "tags", "recognised"):
            assert getattr(one, name) == getattr(other, name)
        for section, known in zip(one.sections, other.sections, strict=True):
            assert torch.equal(section.place, known.place)
            assert (section.area_mm2, section.ragged) == (known.area_mm2, known.ragged)
            assert torch.equal(section.prototypes.foreground, known.prototypes.foreground)
        assert torch.equal(one.course.profile, other.course.profile) and one.course.height == other.course.height
        assert one.surroundings and other.surroundings
        assert torch.equal(one.surroundings.fields, other.surroundings.fields)
        for part in ("foreground", "background", "geometry"):
            assert torch.equal(getattr(one.prototypes, part), getattr(other.prototypes, part))


@pytest.mark.parametrize("way", ["IPL", "SAL", "SPR", "LSP", "AIR"])
def test_a_scan_stored_another_way_round_gets_the_same_result(
    engine: Engine, support: Support, other_ct: Volume, direct: Propagation, way: str
) -> None:
    turn = turn_to(other_ct.ijk_to_ras, way)
    slices: list[SliceResult] = []
    found = engine.propagate([support], turn.volume(other_ct), on_slice=slices.append)
    (mask,), (wanted,) = ([segment.mask for segment in each.segmentation.segments] for each in (found, direct))
    assert np.array_equal(turn.undone(mask), wanted)
    assert np.array_equal(turn.undone(found.confidence.array), direct.confidence.array)
    assert slices and all(each.mask.shape == mask.take(0, each.axis).shape for each in slices)
    streamed = sum(int((each.mask & mask.take(each.index, each.axis)).sum()) for each in slices)
    assert streamed > 0.7 * mask.sum()


def test_a_range_on_a_scan_stored_upside_down_means_its_own_slices(
    engine: Engine, support: Support, other_ct: Volume
) -> None:
    turn = turn_to(other_ct.ijk_to_ras, "IPL" if facing(other_ct.ijk_to_ras)[0] == "S" else "SPL")
    found = engine.propagate([support], turn.volume(other_ct), slice_range=(3, 9))
    occupied = np.flatnonzero(found.segmentation.segments[0].mask.any((1, 2)))
    assert len(occupied) and occupied.min() >= 3 and occupied.max() <= 9


def test_prototypes_of_another_model_are_refused(
    engine: Engine, prototypes: PrototypeSet, file: Path, other_ct: Volume
) -> None:
    assert "make the prototypes again" in refusal(file, "another")
    with pytest.raises(PropagationError, match="made with model another.*make them again"):
        engine.propagate(replace(prototypes, model_id="another"), other_ct)


def test_a_missing_file_of_prototypes_is_said(tmp_path: Path) -> None:
    assert "There is no prototype file" in refusal(tmp_path / "none.prototypes", "model")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_file_of_prototypes_is_refused(engine: Engine, file: Path, share: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    assert "damaged or incomplete" in refusal(file, engine.model_id)


def test_a_changed_byte_in_the_numbers_is_noticed(engine: Engine, file: Path, prototypes: PrototypeSet) -> None:
    content = file.read_bytes()
    numbers = prototypes.structures[0].prototypes.foreground.numpy().tobytes()
    place = content.index(numbers) + 2
    file.write_bytes(content[:place] + bytes([content[place] ^ 64]) + content[place + 1 :])
    assert "damaged" in refusal(file, engine.model_id)


def test_a_newer_format_of_prototypes_is_refused(engine: Engine, file: Path) -> None:
    assert "update DPLSegment" in refusal(altered(file, format=FORMAT + 1), engine.model_id)


@pytest.mark.parametrize("changes", [{"kind": "other"}, {"format": "one"}])
def test_another_torch_file_is_no_file_of_prototypes(engine: Engine, file: Path, changes: dict[str, object]) -> None:
    assert "no file of DPLSegment prototypes" in refusal(altered(file, **changes), engine.model_id)


@pytest.mark.parametrize(
    "changes", [{"structures": [{"name": "kidney"}]}, {"structures": 3}, {"window": "wide"}, {"axis": None}]
)
def test_prototypes_with_senseless_content_are_refused(engine: Engine, file: Path, changes: dict[str, object]) -> None:
    assert "damaged or incomplete" in refusal(altered(file, **changes), engine.model_id)


def test_prototypes_of_the_format_before_are_still_read(engine: Engine, file: Path, prototypes: PrototypeSet) -> None:
    (structure,) = torch.load(file, weights_only=True)["structures"]
    (section,) = structure.pop("sections")
    old = load_prototypes(altered(file, format=2, slices=1, structures=[{**section, **structure}]), engine.model_id)
    (known,) = prototypes.structures[0].sections
    assert torch.equal(old.structures[0].whole.place, known.place)


def test_prototypes_that_tell_neither_surroundings_nor_outline_still_find_the_structure(
    engine: Engine, file: Path, other_ct: Volume, direct: Propagation
) -> None:
    (structure,) = torch.load(file, weights_only=True)["structures"]
    del structure["surroundings"]
    for section in structure["sections"]:
        del section["ragged"]
    found = engine.propagate(load_prototypes(altered(file, structures=[structure]), engine.model_id), other_ct)
    (mask,), (wanted,) = ([segment.mask for segment in each.segmentation.segments] for each in (found, direct))
    assert 2 * (mask & wanted).sum() > 0.5 * (mask.sum() + wanted.sum())


@pytest.mark.parametrize("name", ["foreground", "geometry", "course", "surroundings"])
def test_prototypes_of_another_shape_are_refused(engine: Engine, file: Path, name: str) -> None:
    (structure,) = torch.load(file, weights_only=True)["structures"]
    changed = {**structure, name: structure[name].flatten()[:3]}
    assert "damaged or incomplete" in refusal(altered(file, structures=[changed]), engine.model_id)


def test_prototypes_without_their_vectors_are_refused(engine: Engine, file: Path) -> None:
    (structure,) = torch.load(file, weights_only=True)["structures"]
    altered(file, structures=[{**structure, "foreground": "none"}])
    assert "damaged or incomplete" in refusal(file, engine.model_id)


def test_structures_of_one_name_on_several_scans_are_joined(
    engine: Engine, support: Support, other_ct: Volume, direct: Propagation, prototypes: PrototypeSet, paint: Paint
) -> None:
    second = paint(other_ct, direct.segmentation.segments[0].mask)
    joined = engine.prototypes([support, second])
    (structure,), (alone,) = joined.structures, prototypes.structures
    count = len(alone.prototypes.foreground)
    assert len(structure.prototypes.foreground) > count
    assert torch.equal(structure.prototypes.foreground[:count], alone.prototypes.foreground)


def test_the_sections_of_two_scans_are_joined_pair_by_pair(
    engine: Engine, kidney_ct: Volume, kidney_mask: np.ndarray, other_ct: Volume, direct: Propagation, paint: Paint
) -> None:
    found = direct.segmentation.segments[0].mask
    low, high = np.flatnonzero(found.any((1, 2)))[[2, -3]]
    twice = [paint(kidney_ct, kidney_mask, slices=[8, 16]), paint(other_ct, found, slices=[low, high])]
    first, second = (engine.prototypes([support]).structures[0].sections for support in twice)
    joined = engine.prototypes(twice).structures[0].sections
    assert len(first) == len(second) == len(joined) == 2
    for one, other, both in zip(first, second, joined, strict=True):
        assert both.area_mm2 == max(one.area_mm2, other.area_mm2)
        assert len(both.prototypes.foreground) == len(one.prototypes.foreground) + len(other.prototypes.foreground)


def test_of_scans_painted_unequally_often_the_sections_of_the_fuller_one_are_kept(
    engine: Engine, kidney_ct: Volume, kidney_mask: np.ndarray, support: Support, paint: Paint
) -> None:
    copy = kidney_ct.with_array(kidney_ct.array + 1)
    joined = engine.prototypes([support, paint(copy, kidney_mask, slices=[8, 12, 16])]).structures[0]
    assert len(joined.sections) == 3


@pytest.mark.parametrize("chosen", [[3, 10, -4], slice(2, -2)], ids=["three", "nearly all"])
def test_in_a_known_range_each_section_is_looked_for_in_its_own_share(
    engine: Engine, kidney_ct: Volume, kidney_mask: np.ndarray, paint: Paint, chosen: list[int] | slice
) -> None:
    slices = np.flatnonzero(kidney_mask.any((1, 2)))
    support = paint(kidney_ct, kidney_mask, slices=slices[chosen])
    noisy = kidney_ct.with_array(kidney_ct.array + np.random.default_rng(0).normal(0, 5, kidney_ct.shape))
    found = engine.propagate([support], noisy, slice_range=(int(slices[0]), int(slices[-1])))
    mask = found.segmentation.segments[0].mask
    overlap = 2 * (mask & kidney_mask).sum() / (mask.sum() + kidney_mask.sum())
    assert overlap > 0.8 and not mask[: slices[0]].any() and not mask[slices[-1] + 1 :].any()


def test_a_range_of_fewer_slices_than_are_looked_for_is_enough(
    engine: Engine, kidney_ct: Volume, kidney_mask: np.ndarray, other_ct: Volume, paint: Paint
) -> None:
    support = paint(kidney_ct, kidney_mask, slices=[8, 12, 16])
    assert engine.propagate([support], other_ct, slice_range=(14, 16)).segmentation.shape == other_ct.shape


def test_a_ct_stored_with_an_offset_is_seen_as_the_same_ct(
    engine: Engine, prototypes: PrototypeSet, other_ct: Volume
) -> None:
    hounsfield = other_ct.with_array(np.clip(other_ct.array, -1024, 2000).astype(np.int16))
    shifted = hounsfield.with_array((hounsfield.array + 1024).astype(np.uint16))
    assert same(engine.propagate(prototypes, hounsfield), engine.propagate(prototypes, shifted))


def test_a_scan_with_inverted_grey_values_does_no_harm(
    engine: Engine, prototypes: PrototypeSet, other_ct: Volume
) -> None:
    inverted = other_ct.with_array((1000 - np.clip(other_ct.array, -200, 300)).astype(np.uint16))
    found = engine.propagate(prototypes, inverted)
    assert found.segmentation.shape == inverted.shape
    assert bool(np.isfinite(found.confidence.array).all())


def test_a_scan_without_the_structure_still_gets_a_result(engine: Engine, prototypes: PrototypeSet, ct: Volume) -> None:
    legs = Volume(ct.array[:6, 20:80, 30:90].copy(), ct.ijk_to_ras)
    assert engine.propagate(prototypes, legs).segmentation.segments[0].mask.shape == legs.shape


def test_a_structure_painted_only_elsewhere_is_looked_for_beside_the_painted_one(
    engine: Engine, support: Support, kidney_support: Support, kidney_ct: Volume, ct: Volume
) -> None:
    copy = Volume(ct.array[74:104, 24:74, 66:117].copy(), kidney_ct.ijk_to_ras)
    liver = kidney_support.painted.segments
    cut = tuple(segment.with_mask(segment.mask[:, :, :51].copy()) for segment in liver if segment.name == "liver")
    elsewhere = Support(copy, Segmentation(cut, copy.ijk_to_ras))
    found = engine.propagate([support, elsewhere], kidney_ct)
    assert [segment.name for segment in found.segmentation.segments] == ["structure", "liver"]
    drawn = support.painted.segments[0].mask
    assert not (drawn & ~found.segmentation.segments[0].mask).any()
