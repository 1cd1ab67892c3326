"""Looks for PyTorch and installs it through the PyTorch extension, without ever importing it into Slicer."""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import re
import socket
from collections.abc import Callable
from typing import Any, Protocol

OLDEST = (2, 2)
_INDEX = ("pypi.org", 443)
_SECONDS = 3.0


class PyTorchError(RuntimeError):
    """PyTorch is not there to be used; the message says why and what to do."""


class TorchInstaller(Protocol):
    """`PyTorchUtils.PyTorchUtilsLogic` of the PyTorch extension."""

    def installTorch(self, *, askConfirmation: bool, torchVersionRequirement: str) -> Any:  # noqa: N802, N803
        """Download the build that fits the graphics driver; blocks until it is there."""
        ...


def installed_version() -> str | None:
    """Version of the installed PyTorch, e.g. "2.6.0+cu124", or None."""
    importlib.invalidate_caches()
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return None


def extension_installer() -> TorchInstaller:
    """The installer that the PyTorch extension brings. Raises ImportError where the extension is not installed."""
    return importlib.import_module("PyTorchUtils").PyTorchUtilsLogic()


def online() -> bool:
    """Whether the package index answers."""
    try:
        socket.create_connection(_INDEX, timeout=_SECONDS).close()
    except OSError:
        return False
    return True


def recent(version: str) -> bool:
    """Whether a version such as "2.6.0+cu124" is new enough."""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return bool(numbers) and tuple(int(number) for number in numbers.groups()) >= OLDEST


class PyTorch:
    """The PyTorch of the Python that runs Slicer. In tests (`testing`) nothing is asked and nothing installed."""

    def __init__(
        self,
        find_version: Callable[[], str | None] = installed_version,
        make_installer: Callable[[], TorchInstaller] = extension_installer,
        is_online: Callable[[], bool] = online,
        testing: bool = False,
        translate: Callable[[str], str] = str,
    ) -> None:
        self._find_version = find_version
        self._make_installer = make_installer
        self._is_online = is_online
        self._testing = testing
        self._ = translate

    def version(self) -> str | None:
        """The installed version, or None."""
        return self._find_version()

    def ready(self) -> bool:
        """Whether PyTorch is there and new enough."""
        version = self.version()
        return version is not None and recent(version)

    def ensure(self, ask: Callable[[str], bool], say: Callable[[str], None]) -> str:
        """The version of PyTorch, after installing it if it is missing and one question was answered with yes.

        `say` shows a sentence while the download keeps the window from answering. Raises PyTorchError when PyTorch
        cannot be used, with the reason and the way out.
        """
        version = self.version()
        if version is None:
            version = self._install(ask, say)
        if not recent(version):
            raise PyTorchError(self._old().format(version=version, oldest=".".join(map(str, OLDEST))))
        return version

    def _install(self, ask: Callable[[str], bool], say: Callable[[str], None]) -> str:
        installer = self._installer()
        if self._testing:
            raise PyTorchError(self._("PyTorch is not installed, and a test run installs nothing: install it before."))
        if not ask(self._question()):
            raise PyTorchError(self._declined())
        say(self._("PyTorch is being installed. It takes some minutes, in which this window does not answer."))
        self._download(installer)
        version = self.version()
        if version is None:
            raise PyTorchError(self._failed())
        return version

    def _installer(self) -> TorchInstaller:
        try:
            return self._make_installer()
        except ImportError as error:
            raise PyTorchError(self._no_extension()) from error

    def _download(self, installer: TorchInstaller) -> None:
        oldest = ".".join(map(str, OLDEST))
        try:
            installer.installTorch(askConfirmation=False, torchVersionRequirement=f">={oldest}")
        except Exception as error:
            logging.exception("PyTorch could not be installed")
            if self.version() is None:
                raise PyTorchError(self._failed() if self._is_online() else self._offline()) from error

    def _question(self) -> str:
        return self._(
            "DPLSegment needs PyTorch, which is not installed yet. Download and install it now?\n\n"
            "Up to 3 GB are downloaded, once. It takes some minutes. Your scans never leave this computer."
        )

    def _declined(self) -> str:
        return self._("PyTorch was not installed: press Propagate again, or Advanced > Install or check PyTorch.")

    def _no_extension(self) -> str:
        return self._(
            "The PyTorch extension is not installed: open View > Extensions Manager, install PyTorch, restart Slicer."
        )

    def _offline(self) -> str:
        return self._(
            "PyTorch could not be downloaded because the internet cannot be reached: connect this computer, or set the "
            "proxy, and press Advanced > Install or check PyTorch."
        )

    def _failed(self) -> str:
        return self._(
            "PyTorch could not be installed: the Python console says why. Restart Slicer and try again in the module "
            "PyTorch Utils, where another computation backend can be chosen."
        )

    def _old(self) -> str:
        return self._(
            "PyTorch {version} is too old, {oldest} or newer is needed: uninstall it in the module PyTorch Utils, "
            "restart Slicer and press Propagate again."
        )
