"""Workers of this computer, or a scheduler somewhere: what a batch on Dask is connected to."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import dask
import distributed
from distributed.security import Security

from DPLSegmentLib.cohort.errors import CohortError

_LOCAL = "127.0.0.1"
_DASHBOARD = f"{_LOCAL}:8787"
_FEW_SECONDS = 10.0
# Dask makes its workers give memory back at every turn, which doubles the time that the network takes on a CPU.
_TRIM = "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_"


@dataclass(frozen=True)
class Tls:
    """Certificates for `tls://`: of the authority, of this client, and its key."""

    authority: Path
    certificate: Path
    key: Path

    def security(self) -> Security:
        """For Dask."""
        files = {"tls_ca_file": self.authority, "tls_client_cert": self.certificate, "tls_client_key": self.key}
        return Security(require_encryption=True, **{name: str(path) for name, path in files.items()})


class Connection(Protocol):
    """A client, which is replaced when the scheduler was lost."""

    client: distributed.Client
    gpus: int
    local: bool

    def renew(self, patience: float) -> None:
        """Connect again; raises CohortError when that fails for `patience` seconds."""
        ...


class _Local:
    """Processes of this computer; they end with the batch."""

    local = True

    def __init__(self, cluster: distributed.LocalCluster, gpus: int) -> None:
        self._cluster, self.gpus = cluster, gpus
        self.client = distributed.Client(cluster)

    def renew(self, patience: float) -> None:
        with suppress(Exception):
            self.client.close(timeout=1)
        self.client = distributed.Client(self._cluster, timeout=patience)


class _Remote:
    """A scheduler that others started."""

    local, gpus = False, 0

    def __init__(self, address: str, tls: Tls | None) -> None:
        self._address, self._tls = address, tls
        self.client = self._opened(_FEW_SECONDS)

    def renew(self, patience: float) -> None:
        with suppress(Exception):
            self.client.close(timeout=1)
        deadline = time.monotonic() + patience
        while True:
            try:
                self.client = self._opened(min(_FEW_SECONDS, patience))
                return
            except CohortError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _opened(self, seconds: float) -> distributed.Client:
        try:
            security = self._tls.security() if self._tls else None
            return distributed.Client(self._address, timeout=seconds, security=security, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise CohortError(
                f"No Dask scheduler answers at {self._address}: check the address, that it runs, and its certificates."
            ) from error


@contextmanager
def local_workers(count: int, gpus: int = 0) -> Iterator[Connection]:
    """`count` worker processes with one thread each, reached through this computer alone and with certificates of
    this run, so that no other user of the computer can make them run anything. GPU workers say so as a resource."""
    _quiet()
    resources = {"resources": {"GPU": 1}} if gpus else {}
    with (
        dask.config.set({_TRIM: None}),
        warnings.catch_warnings(action="ignore", category=UserWarning),
        distributed.LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            host=_LOCAL,
            security=Security.temporary(),
            dashboard_address=_DASHBOARD,
            silence_logs=logging.CRITICAL,
            **resources,
        ) as cluster,
    ):
        yield from _closing(_Local(cluster, gpus))


@contextmanager
def remote_workers(address: str, tls: Tls | None = None) -> Iterator[Connection]:
    """Workers behind a scheduler at `tcp://host:port` or `tls://host:port`; raises CohortError when none answers."""
    _quiet()
    yield from _closing(_Remote(address, tls))


def _closing(connection: Connection) -> Iterator[Connection]:
    try:
        yield connection
    finally:
        with suppress(Exception):
            connection.client.close(timeout=2)


def _quiet() -> None:
    """Dask tells of every lost worker; what matters of it is said in the log of the batch."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
