"""What is raised when something in the scene cannot be used."""

from __future__ import annotations


class SceneError(ValueError):
    """A node cannot be used; the message says what happened, to which one, and what to do."""
