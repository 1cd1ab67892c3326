"""What is raised when a file cannot be used."""

from __future__ import annotations


class ImageError(ValueError):
    """A file or scan cannot be used; the message says what happened, to which one, and what to do."""
