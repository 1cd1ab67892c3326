"""A batch on Dask: every scan is a task; Dask decides who does it and gives a lost worker's scans to others."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager
from dataclasses import dataclass

import distributed

from DPLSegmentLib.cohort.connection import Connection
from DPLSegmentLib.cohort.delivery import Delivery, InPlace, delivery_for
from DPLSegmentLib.cohort.errors import CohortError
from DPLSegmentLib.cohort.flight import Flight
from DPLSegmentLib.cohort.orders import Orders
from DPLSegmentLib.cohort.runner import Listener, Stop
from DPLSegmentLib.cohort.scans import Job
from DPLSegmentLib.cohort.task import EnginePlugin

PATIENCE = 300.0


@dataclass(frozen=True, eq=False)
class OnCluster:
    """`patience` is how many seconds a scheduler or the last worker may be gone before the batch gives up."""

    orders: Orders
    connect: Callable[[], AbstractContextManager[Connection]]
    patience: float = PATIENCE

    def run(self, jobs: Sequence[Job], listener: Listener, stop: Stop) -> None:
        """Do the jobs; each one ends with a record unless `stop` was set."""
        with self.connect() as connection:
            crew = Crew(f"dpl-segment-{uuid.uuid4().hex[:8]}", self.orders, connection, listener, self.patience)
            crew.brief()
            listener.on_note(f"Dask dashboard: {connection.client.dashboard_link}")
            delivery = crew.delivery(jobs)
            listener.on_note(_said(delivery))
            Flight(crew, delivery, listener, stop).fly(jobs)


@dataclass(frozen=True, eq=False)
class Crew:
    """The workers, each with the model loaded."""

    name: str
    orders: Orders
    connection: Connection
    listener: Listener
    patience: float

    @property
    def client(self) -> distributed.Client:
        """The one in use now."""
        return self.connection.client

    @property
    def resources(self) -> dict[str, float] | None:
        """What a task needs: a worker that has a graphics card, when that was asked for."""
        return {"GPU": 1} if self.connection.gpus or self.orders.device == "cuda" else None

    def brief(self) -> None:
        """Load the model on every worker, on those too that come later; raises what that raises, or CohortError."""
        self.client.subscribe_topic(self.name, self._on_event)
        try:
            self.client.wait_for_workers(1, timeout=self.patience)
        except TimeoutError as error:
            raise CohortError("The scheduler has no worker: start some, with `dask worker` for example.") from error
        self.client.register_plugin(EnginePlugin(self.name, self.orders, self.connection.gpus), name=self.name)

    def brief_again(self) -> None:
        """After the scheduler was lost, until one answers and has a worker; raises CohortError when none does."""
        deadline = time.monotonic() + self.patience
        while True:
            try:
                self.connection.renew(self.patience)
                return self.brief()
            except (OSError, TimeoutError, CancelledError) as error:
                if time.monotonic() > deadline:
                    raise CohortError(
                        "The scheduler was lost and does not come back: begin again when it is there."
                    ) from error

    def delivery(self, jobs: Sequence[Job]) -> Delivery:
        """Processes of this computer see what it sees; others are asked."""
        return InPlace() if self.connection.local else delivery_for(self.client, self.orders, jobs)

    def addresses(self) -> list[str]:
        """Of the workers that are there now."""
        return list(self.client.nthreads())

    def _on_event(self, event: tuple[float, dict[str, str]]) -> None:
        self.listener.on_started(event[1]["scan"], event[1]["worker"])


def _said(delivery: Delivery) -> str:
    if isinstance(delivery, InPlace):
        return "The workers read scans and write results themselves."
    return "The workers do not see these folders: scans are sent to them, and results come back."
