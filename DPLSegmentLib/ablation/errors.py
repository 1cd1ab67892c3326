"""What an ablation refuses."""

from __future__ import annotations


class AblationError(ValueError):
    """The ablation cannot start or go on; the message says why and what to do."""
