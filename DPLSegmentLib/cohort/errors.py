"""What is raised when a batch cannot go on."""

from __future__ import annotations


class CohortError(ValueError):
    """A batch of scans cannot be done as asked; the message says why and what to do."""
