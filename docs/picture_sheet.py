"""Puts views side by side: labelled cards with round corners on a dark ground, written as small PNG files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP = 12
_RADIUS = 10
_COLORS, _GREYS, _GREYISH = 256, 64, 24
_OVERSIZE = 4
_GROUND, _WORDS = (32, 36, 43, 255), (222, 226, 232, 255)
_LABEL, _SHADE = (238, 240, 243, 255), (0, 0, 0, 150)

Color = tuple[int, int, int]


def card(pixels: np.ndarray, label: str = "") -> Image.Image:
    """A view [height, width, 3] with round corners and a label in its lower left."""
    image = Image.fromarray(pixels).convert("RGBA")
    if label:
        _write_label(image, label)
    image.putalpha(_rounded(image.size))
    return image


def in_a_row(images: Sequence[Image.Image], gap: int = GAP) -> Image.Image:
    """Side by side, middles on one line."""
    height = max(image.height for image in images)
    sheet = _sheet(sum(image.width for image in images) + gap * (len(images) - 1), height)
    left = 0
    for image in images:
        sheet.alpha_composite(image, (left, (height - image.height) // 2))
        left += image.width + gap
    return sheet


def in_a_column(images: Sequence[Image.Image], gap: int = GAP) -> Image.Image:
    """One below the other, left edges on one line."""
    sheet = _sheet(
        max(image.width for image in images), sum(image.height for image in images) + gap * (len(images) - 1)
    )
    top = 0
    for image in images:
        sheet.alpha_composite(image, (0, top))
        top += image.height + gap
    return sheet


def titled(image: Image.Image, title: str, size: int = 22) -> Image.Image:
    """With a line of text above."""
    line = _sheet(image.width, round(size * 1.5))
    ImageDraw.Draw(line).text((2, 0), title, font=ImageFont.load_default(size), fill=_WORDS)
    return in_a_column([line, image], gap=2)


def arrow(size: int = 44) -> Image.Image:
    """An arrow to the right."""
    big = size * _OVERSIZE
    image = _sheet(big, big)
    tip, tail, width = (0.92 * big, 0.5 * big), (0.08 * big, 0.5 * big), big // 11
    draw = ImageDraw.Draw(image)
    draw.line([tail, tip], fill=_WORDS, width=width)
    draw.line([(0.62 * big, 0.2 * big), tip, (0.62 * big, 0.8 * big)], fill=_WORDS, width=width, joint="curve")
    return image.resize((size, size), Image.Resampling.LANCZOS)


def scale(color_at: Callable[[float], Color], low: str, high: str, size: tuple[int, int] = (260, 14)) -> Image.Image:
    """A bar of the colours of 0..1 between two words."""
    colors = np.array([color_at(share) for share in np.linspace(0, 1, size[0])], np.uint8)
    bar = Image.fromarray(np.tile(colors, (size[1], 1, 1))).convert("RGBA")
    bar.putalpha(_rounded(bar.size, size[1] // 2))
    return in_a_row([_words(low), bar, _words(high)])


def fitted(pixels: np.ndarray, size: tuple[int, int], margin: int = 24) -> np.ndarray:
    """A picture scaled into the middle of a larger or smaller one, on black."""
    scale_by = min((side - 2 * margin) / length for side, length in zip(size, pixels.shape[1::-1], strict=True))
    inner = (round(pixels.shape[1] * scale_by), round(pixels.shape[0] * scale_by))
    image = Image.new("RGB", size, (0, 0, 0))
    small = Image.fromarray(pixels).resize(inner, Image.Resampling.LANCZOS)
    image.paste(small, ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
    return np.asarray(image)


def trimmed(pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Pictures of one size, all cut to the box that holds what any of them shows on its plain ground."""
    seen = np.any([picture != picture[0, 0] for picture in pictures], axis=(0, 3))
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return list(pictures)
    return [picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] for picture in pictures]


def save(image: Image.Image, path: Path) -> None:
    """Write a PNG of 256 colours on the dark ground."""
    ground = Image.new("RGBA", (image.width + 2 * GAP, image.height + 2 * GAP), _GROUND)
    ground.alpha_composite(image, (GAP, GAP))
    opaque = ground.convert("RGB")
    opaque.quantize(palette=_palette(np.asarray(opaque)), dither=Image.Dither.NONE).save(path, optimize=True)


def _palette(pixels: np.ndarray) -> Image.Image:
    """A quarter greys, for scans; the rest for the colours of what was found."""
    spread = np.ptp(pixels.astype(int), axis=2)
    colored = Image.fromarray(pixels[spread > _GREYISH][None])
    colors = colored.quantize(_COLORS - _GREYS, method=Image.Quantize.MEDIANCUT).getpalette()[: 3 * (_COLORS - _GREYS)]
    greys = np.linspace(0, 255, _GREYS).astype(int).repeat(3).tolist()
    palette = Image.new("P", (1, 1))
    palette.putpalette([*greys, *colors])
    return palette


def _sheet(width: int, height: int) -> Image.Image:
    return Image.new("RGBA", (width, height), (0, 0, 0, 0))


def _words(text: str, size: int = 18) -> Image.Image:
    font = ImageFont.load_default(size)
    image = _sheet(round(font.getlength(text)) + 2, round(size * 1.4))
    ImageDraw.Draw(image).text((1, 0), text, font=font, fill=_WORDS)
    return image


def _write_label(image: Image.Image, label: str, size: int = 16) -> None:
    font = ImageFont.load_default(size)
    left, bottom, width = 10, image.height - 10, round(font.getlength(label))
    over = _sheet(*image.size)
    draw = ImageDraw.Draw(over)
    draw.rounded_rectangle((left - 4, bottom - size - 6, left + width + 6, bottom), 5, fill=_SHADE)
    draw.text((left + 1, bottom - size - 4), label, font=font, fill=_LABEL)
    image.alpha_composite(over)


def _rounded(size: tuple[int, int], radius: int = _RADIUS) -> Image.Image:
    big = Image.new("L", (size[0] * _OVERSIZE, size[1] * _OVERSIZE), 0)
    corner = (big.width - 1, big.height - 1)
    ImageDraw.Draw(big).rounded_rectangle((0, 0, *corner), radius * _OVERSIZE, fill=255)
    return big.resize(size, Image.Resampling.LANCZOS)
