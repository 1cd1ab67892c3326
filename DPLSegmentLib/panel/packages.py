"""Python packages that Slicer does not bring, installed after a question."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Sequence

from DPLSegmentLib.cohort.errors import CohortError

Ask = Callable[[str], bool]
_CLUSTER = ("dask[distributed]>=2026.1", "cryptography>=42")


def install(requirements: Sequence[str], ask: Ask, question: str) -> None:
    """Install packages into Slicer's Python; Slicer asks by itself where it can (5.12 on)."""
    try:
        from slicer.packaging import pip_ensure
    except ImportError:
        import slicer.util

        if ask(question):
            slicer.util.pip_install(list(requirements))
    else:
        pip_ensure(list(requirements), requester="DPLSegment")


def is_there(module: str) -> bool:
    """Whether a module can be imported."""
    importlib.invalidate_caches()
    return importlib.util.find_spec(module) is not None


class ClusterPackages:
    """Dask, which a batch on a cluster needs. In tests (`testing`) nothing is asked and nothing installed."""

    def __init__(
        self,
        testing: bool = False,
        translate: Callable[[str], str] = str,
        find: Callable[[str], bool] = is_there,
        installer: Callable[[Sequence[str], Ask, str], None] = install,
    ) -> None:
        self._testing = testing
        self._ = translate
        self._find = find
        self._install = installer

    def ensure(self, ask: Ask) -> None:
        """Install Dask if it is missing and the user agrees; raises CohortError when it is not there in the end."""
        if not self._find("distributed") and not self._testing:
            try:
                self._install(_CLUSTER, ask, self._("A cluster needs the Python package Dask. Install it now?"))
            except Exception as error:
                logging.exception("Dask could not be installed")
                raise CohortError(self._("Dask could not be installed: the Python console says why.")) from error
        if not self._find("distributed"):
            raise CohortError(
                self._("Dask is not installed, which a cluster needs: press Start again, or compute on this computer.")
            )
