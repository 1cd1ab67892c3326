"""Keys of the panel: P propagate, A apply, N next slice, Esc cancel. They work while the module is shown.

Text inputs keep their letters by themselves (Qt). The Segment Editor keeps its own: 0-9, Space, Q, W, Z, Y, I and Esc,
and its active effect the letters it listens to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import qt


class KeyOwner(Protocol):
    """The Segment Editor, which goes first."""

    def takes(self, letter: str) -> bool:
        """Whether it wants this letter now."""
        ...

    def lend_escape(self, lent: bool) -> None:
        """Give Esc away, or take it back."""

    def escape(self) -> None:
        """Do what Esc does there."""


class PanelKeys:
    """Letters press buttons (a disabled button does nothing); Esc calls `cancel` while a run goes on."""

    def __init__(self, buttons: Mapping[str, Any], cancel: Callable[[], None], owner: KeyOwner) -> None:
        self._buttons = buttons
        self._cancel = cancel
        self._owner = owner
        self._letters: dict[str, Any] = {}
        self._escape: Any = None
        self._running = False

    def install(self, main_window: Any | None) -> None:
        """Listen; without a main window there is nothing to listen to."""
        self.remove()
        if main_window is None:
            return
        for letter, button in self._buttons.items():
            self._letters[letter] = self._shortcut(letter, main_window, presser(button))
        self._escape = self._shortcut("Esc", main_window, self._escaped)
        self._escape.activatedAmbiguously.connect(self._escaped)
        self.refresh()

    @staticmethod
    def _shortcut(key: str, main_window: Any, action: Callable[[], None]) -> Any:
        shortcut = qt.QShortcut(qt.QKeySequence(key), main_window)
        shortcut.autoRepeat = False
        shortcut.activated.connect(action)
        return shortcut

    def remove(self) -> None:
        """Listen no longer."""
        self._lend(False)
        for shortcut in (*self._letters.values(), *filter(None, [self._escape])):
            shortcut.enabled = False
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._letters, self._escape = {}, None

    def set_running(self, running: bool) -> None:
        """Esc is ours during a run; P does nothing then, so that nobody cancels by pressing it twice."""
        self._running = running
        self.refresh()

    def refresh(self) -> None:
        """Give way to what the Segment Editor is doing now."""
        for letter, shortcut in self._letters.items():
            shortcut.enabled = not self._owner.takes(letter) and not (self._running and letter == "P")
        if self._escape is not None:
            self._escape.enabled = self._running
            self._lend(self._running)

    def _lend(self, lent: bool) -> None:
        if self._escape is not None:
            self._owner.lend_escape(lent)

    def _escaped(self) -> None:
        self._cancel()
        self._owner.escape()


def presser(button: Any) -> Callable[[], None]:
    """Presses a button, if it is enabled."""
    return lambda: button.click()
