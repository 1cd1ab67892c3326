"""Colours of the pictures."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

Color = tuple[float, float, float]

BACKGROUND = "#14171c"
PANEL = "#1d2129"
TEXT = "#e8eaee"
FAINT = "#8d95a3"
PAINTED = "#ffd84d"
REFERENCE = "#ffffff"
CONFIDENCE_MAP = "RdYlBu"

_DISTINCT = ("#ff7f6b", "#5cc8ff", "#8be36f", "#c79bff", "#ffb14e", "#4fe0c3", "#ff8fd0", "#b9c4ff")


def colors_for(wanted: Sequence[Color]) -> list[Color]:
    """The segments' own colours where they differ, else a palette's; always bright enough for a dark ground."""
    distinct = len({tuple(round(channel, 2) for channel in color) for color in wanted}) == len(wanted)
    if distinct and len(wanted) > 1:
        return [_bright(color) for color in wanted]
    return [_from_hex(_DISTINCT[index % len(_DISTINCT)]) for index in range(len(wanted))]


def _bright(color: Color) -> Color:
    hue, saturation, value = colorsys.rgb_to_hsv(*color)
    return colorsys.hsv_to_rgb(hue, min(saturation, 0.75), max(value, 0.9))


def _from_hex(text: str) -> Color:
    red, green, blue = (int(text[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue
