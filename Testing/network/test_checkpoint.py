"""Weights are believed only after they are checked, and never unpickled."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from DPLSegmentLib.network.checkpoint import FORMAT, CheckpointError, load_model, save_model
from DPLSegmentLib.network.network import SegmentationNetwork


class Malice:
    """Runs a command when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch '{self.trace}'",)


@pytest.fixture
def saved(untrained: SegmentationNetwork, tmp_path: Path) -> Path:
    """Weights as `save_model` writes them."""
    path = tmp_path / "weights.pt"
    save_model(untrained, path)
    return path


@pytest.fixture
def loose(saved: Path) -> Path:
    """The same without a SHA-256 beside them."""
    (saved.parent / "weights.pt.sha256").unlink()
    return saved


def refusal(path: Path) -> str:
    """The sentence with which a file is refused; just one, that names the file and ends."""
    with pytest.raises(CheckpointError) as refused:
        load_model(path)
    sentence = str(refused.value)
    assert path.name in sentence and sentence.endswith(".") and "\n" not in sentence
    return sentence


def rewritten(path: Path, **changes: object) -> Path:
    """The file with other content under some keys."""
    torch.save({**torch.load(path, weights_only=True), **changes}, path)
    return path


def test_weights_come_back_in_half_precision(untrained: SegmentationNetwork, saved: Path) -> None:
    loaded = load_model(saved).network
    assert loaded.config == untrained.config
    for name, value in untrained.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float())


def test_a_loaded_network_is_ready_for_inference(saved: Path) -> None:
    network = load_model(saved).network
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_the_model_id_is_the_beginning_of_the_sha_256(saved: Path, untrained: SegmentationNetwork) -> None:
    digest = hashlib.sha256(saved.read_bytes()).hexdigest()
    assert (saved.parent / "weights.pt.sha256").read_text().split() == [digest, "weights.pt"]
    assert load_model(saved).model_id == digest[:12]
    assert save_model(untrained, saved) == digest[:12]


def test_saving_leaves_nothing_but_the_weights_and_their_digest(saved: Path) -> None:
    assert sorted(path.name for path in saved.parent.iterdir()) == ["weights.pt", "weights.pt.sha256"]


def test_the_bundled_weights_are_those_their_digest_names(weights_file: Path, tmp_path: Path) -> None:
    assert weights_file.with_name("dpl-segment.pt.sha256").is_file()
    copied = Path(shutil.copy(weights_file, tmp_path))
    assert load_model(weights_file).model_id == load_model(copied).model_id


def test_the_bundled_weights_fit_into_twelve_megabytes(weights_file: Path) -> None:
    assert weights_file.stat().st_size < 12e6


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    assert "missing" in refusal(tmp_path / "none.pt")


@pytest.mark.parametrize("noted", [b"", b"0" * 64, b"\xff\xfe\x00"])
def test_a_file_that_is_not_what_its_digest_says_is_refused(saved: Path, noted: bytes) -> None:
    (saved.parent / "weights.pt.sha256").write_bytes(noted)
    assert "damaged or was changed" in refusal(saved)


def test_one_changed_bit_is_noticed(saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    content[len(content) // 2] ^= 1
    saved.write_bytes(content)
    assert "damaged or was changed" in refusal(saved)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_file_is_refused(loose: Path, share: float) -> None:
    content = loose.read_bytes()
    loose.write_bytes(content[: int(share * len(content))])
    assert "incomplete" in refusal(loose)


def pickle_save(content: object, path: Path) -> None:
    """Write a plain pickle, of the protocol that PyTorch uses."""
    path.write_bytes(pickle.dumps(content, protocol=2))


@pytest.mark.parametrize("write", [torch.save, pickle_save])
def test_a_malicious_pickle_is_refused_without_being_run(
    loose: Path, tmp_path: Path, write: Callable[[object, Path], None]
) -> None:
    trace = tmp_path / "trace"
    write({"format": FORMAT, "config": {}, "weights": Malice(trace)}, loose)
    assert "not a DPLSegment model" in refusal(loose)
    assert not trace.exists()


def test_a_newer_format_is_refused(loose: Path) -> None:
    assert "update DPLSegment" in refusal(rewritten(loose, format=FORMAT + 1))


@pytest.mark.parametrize("content", [{"state": torch.zeros(3)}, torch.zeros(3), [1, 2]])
def test_another_torch_file_is_refused(loose: Path, content: object) -> None:
    torch.save(content, loose)
    assert "not a DPLSegment model" in refusal(loose)


def test_a_format_that_is_no_number_is_refused(loose: Path) -> None:
    assert "not a DPLSegment model" in refusal(rewritten(loose, format="one"))


def test_weights_of_another_shape_are_refused(loose: Path, untrained: SegmentationNetwork) -> None:
    wider = {**asdict(untrained.config), "channels": 64}
    assert "does not fit" in refusal(rewritten(loose, config=wider))


@pytest.mark.parametrize("config", [{"encoder": "resnet"}, {"colour": 3}, "none"])
def test_an_unknown_configuration_is_refused(loose: Path, config: object) -> None:
    assert "does not fit" in refusal(rewritten(loose, config=config))
