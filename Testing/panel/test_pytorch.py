"""PyTorch is looked for without importing it, and installed after one question through the PyTorch extension."""

from __future__ import annotations

from typing import Any

import pytest

from DPLSegmentLib.panel.pytorch import PyTorch, PyTorchError, extension_installer, installed_version, recent


class Machine:
    """A computer with or without PyTorch, network and extension."""

    def __init__(self, version: str | None = None, fails: bool = False, connected: bool = True) -> None:
        self.version = version
        self.fails = fails
        self.connected = connected
        self.extension = True
        self.questions: list[str] = []
        self.said: list[str] = []
        self.answer = True
        self.requests: list[dict[str, Any]] = []

    def installer(self) -> Machine:
        if not self.extension:
            raise ModuleNotFoundError("PyTorchUtils")
        return self

    def installTorch(self, **options: Any) -> None:  # noqa: N802
        self.requests.append(options)
        if self.fails:
            raise RuntimeError("pip ended with 1")
        self.version = "2.6.0+cu124"

    def ask(self, question: str) -> bool:
        self.questions.append(question)
        return self.answer

    def ensure(self, testing: bool = False) -> str:
        torch = PyTorch(lambda: self.version, self.installer, lambda: self.connected, testing)
        return torch.ensure(self.ask, self.said.append)


def test_an_installed_pytorch_is_used_without_a_question() -> None:
    machine = Machine("2.13.0+cpu")
    assert machine.ensure() == "2.13.0+cpu" and machine.questions == machine.said == []


def test_a_missing_pytorch_is_installed_after_one_question() -> None:
    machine = Machine()
    assert machine.ensure() == "2.6.0+cu124"
    assert len(machine.questions) == len(machine.said) == 1
    assert machine.requests == [{"askConfirmation": False, "torchVersionRequirement": ">=2.2"}]


def test_a_no_is_respected() -> None:
    machine = Machine()
    machine.answer = False
    with pytest.raises(PyTorchError, match="was not installed: press Propagate again"):
        machine.ensure()
    assert machine.requests == []


def test_a_missing_extension_is_said_before_anything_is_asked() -> None:
    machine = Machine()
    machine.extension = False
    with pytest.raises(PyTorchError, match="Extensions Manager"):
        machine.ensure()
    assert machine.questions == []


def test_a_download_without_a_network_says_so() -> None:
    with pytest.raises(PyTorchError, match="internet cannot be reached"):
        Machine(fails=True, connected=False).ensure()


def test_a_failed_download_says_where_to_look() -> None:
    with pytest.raises(PyTorchError, match="Python console says why"):
        Machine(fails=True).ensure()


def test_an_old_pytorch_is_refused() -> None:
    with pytest.raises(PyTorchError, match=r"PyTorch 1\.13\.1 is too old, 2\.2 or newer"):
        Machine("1.13.1").ensure()


def test_a_test_run_neither_asks_nor_installs() -> None:
    machine = Machine()
    with pytest.raises(PyTorchError, match="test run"):
        machine.ensure(testing=True)
    assert machine.questions == machine.requests == []


@pytest.mark.parametrize(
    ("version", "enough"), [("2.2", True), ("2.10.1", True), ("2.1.2+cu118", False), ("3.0", True), ("unknown", False)]
)
def test_versions_are_compared_by_number(version: str, enough: bool) -> None:
    assert recent(version) is enough


def test_the_version_is_read_from_the_metadata() -> None:
    import importlib.metadata

    assert installed_version() == importlib.metadata.version("torch")


def test_outside_of_slicer_there_is_no_installer() -> None:
    with pytest.raises(ImportError):
        extension_installer()
