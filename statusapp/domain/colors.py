"""Colours that can be read: contrast, and the nearest colour that has enough of it.

Relative luminance and contrast as WCAG 2.2 defines them: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Sequence

# What text of any size needs (WCAG 2.2, 1.4.3).
ENOUGH = 4.5
# What texts stand on: the page and its cards, in style.css.
LIGHT_SURFACES = ("#f6f7f9", "#ffffff")
DARK_SURFACES = ("#0f1419", "#171d24")

_HEX = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
# In steps this small neighbours cannot be told apart by eye.
_STEPS = 256


def normal_color(text: str) -> str | None:
    """A colour as "#rrggbb"; None when the text is no colour. Three digits and a missing # are understood."""
    found = _HEX.fullmatch(text.strip())
    if found is None:
        return None
    digits = found[1].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def contrast(color: str, other: str) -> float:
    """The contrast ratio of two colours "#rrggbb", from 1 to 21."""
    darker, lighter = sorted((_luminance(color), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def least_contrast(color: str, surfaces: Sequence[str]) -> float:
    """The contrast on that of the surfaces on which it is worst."""
    return min(contrast(color, surface) for surface in surfaces)


def nearest_readable(color: str, surfaces: Sequence[str], ratio: float = ENOUGH) -> str:
    """The same hue as little lighter or darker as gives it `ratio` on all of the surfaces; itself when it has that."""
    if least_contrast(color, surfaces) >= ratio:
        return color
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(color))
    others = (_hex(colorsys.hls_to_rgb(hue, step / _STEPS, saturation)) for step in _by_distance(lightness))
    # Black or white has more than enough on any surface that one of them is meant to be read on.
    return next(other for other in others if least_contrast(other, surfaces) >= ratio)


def _by_distance(lightness: float) -> list[int]:
    return sorted(range(_STEPS + 1), key=lambda step: abs(step / _STEPS - lightness))


def _channels(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


def _hex(channels: Sequence[float]) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


def _luminance(color: str) -> float:
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in _channels(color)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
