"""Which device does the work."""

from __future__ import annotations

import pytest
import torch

from DPLSegmentLib.network.devices import DeviceError, choose_device, device_name, fast_half


@pytest.fixture
def no_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with neither CUDA nor MPS."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_asked_for_and_absent_is_an_error_that_says_what_to_do(name: str, no_cards: None) -> None:
    with pytest.raises(DeviceError, match=f"{name.upper()}.*choose --device cpu or auto"):
        choose_device(name)


def test_the_processor_is_taken_where_there_is_nothing_else(no_cards: None) -> None:
    assert choose_device("auto") == choose_device("cpu") == torch.device("cpu")


def test_cuda_is_taken_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == choose_device("cuda") == torch.device("cuda")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:7", "CPU"])
def test_an_unknown_device_is_an_error_that_lists_the_known_ones(name: str) -> None:
    with pytest.raises(DeviceError, match="choose auto, cuda, mps or cpu"):
        choose_device(name)


def test_the_processor_has_a_name_for_people() -> None:
    assert device_name(torch.device("cpu")) == "CPU"


def test_half_precision_is_not_used_where_it_is_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    assert not fast_half(torch.device("cpu"))
    assert not fast_half(torch.device("mps"))
