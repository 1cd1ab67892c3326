"""What an evaluation refuses."""

from __future__ import annotations


class EvaluationError(ValueError):
    """The evaluation cannot be run; the message says why and what to do."""
