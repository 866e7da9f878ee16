"""A badge as an SVG: a label, and a message on a colour, in the look of shields.io."""

from __future__ import annotations

import unicodedata
from xml.etree.ElementTree import Element, SubElement, tostring

HEIGHT = 20
PADDING = 6
FONT_SIZE = 11
LABEL_COLOR = "#555"
# Texts are laid out in tenths of a pixel, which renders evenly at every zoom.
SCALE = 10

# The advance widths of Verdana from space to tilde, in units of which there are 2,048 to the font size.
_UNITS = 2048
_FIRST = " "
_WIDTHS = (
    *(720, 806, 940, 1676, 1302, 2204, 1488, 550, 930, 930, 1302, 1676, 745, 930, 745, 930),
    *(1302, 1302, 1302, 1302, 1302, 1302, 1302, 1302, 1302, 1302, 930, 930, 1676, 1676, 1676, 1117),
    *(2048, 1400, 1404, 1430, 1578, 1295, 1177, 1588, 1539, 862, 931, 1419, 1140, 1726, 1532, 1612),
    *(1235, 1612, 1424, 1400, 1262, 1499, 1400, 2025, 1403, 1260, 1403, 930, 930, 930, 1676, 1302),
    *(1302, 1230, 1276, 1067, 1276, 1220, 720, 1276, 1296, 562, 705, 1212, 562, 1992, 1296, 1243),
    *(1276, 1276, 874, 1067, 807, 1296, 1212, 1676, 1212, 1212, 1076, 1300, 930, 1300, 1676),
)
_OTHER, _WIDE = 1300, 2300


def text_width(text: str) -> float:
    """About how wide a text is, in pixels."""
    return sum(map(_units_of, text)) * FONT_SIZE / _UNITS


def draw_badge(label: str, message: str, color: str) -> bytes:
    """The SVG of a badge. Texts are one line each; the colour is "#rrggbb" and has to carry white text."""
    label_width, message_width = (round(text_width(text)) + 2 * PADDING for text in (label, message))
    width = label_width + message_width
    name = f"{label}: {message}"
    svg = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "width": str(width),
            "height": str(HEIGHT),
            "role": "img",
            "aria-label": name,
        },
    )
    SubElement(svg, "title").text = name
    gradient = SubElement(svg, "linearGradient", {"id": "s", "x2": "0", "y2": "100%"})
    SubElement(gradient, "stop", {"offset": "0", "stop-color": "#bbb", "stop-opacity": ".1"})
    SubElement(gradient, "stop", {"offset": "1", "stop-opacity": ".1"})
    clip = SubElement(svg, "clipPath", {"id": "r"})
    SubElement(clip, "rect", {"width": str(width), "height": str(HEIGHT), "rx": "3", "fill": "#fff"})
    plates = SubElement(svg, "g", {"clip-path": "url(#r)"})
    for x, part, fill in ((0, label_width, LABEL_COLOR), (label_width, message_width, color), (0, width, "url(#s)")):
        SubElement(plates, "rect", {"x": str(x), "width": str(part), "height": str(HEIGHT), "fill": fill})
    texts = SubElement(
        svg,
        "g",
        {
            "fill": "#fff",
            "text-anchor": "middle",
            "font-family": "Verdana,Geneva,DejaVu Sans,sans-serif",
            "text-rendering": "geometricPrecision",
            "font-size": str(FONT_SIZE * SCALE),
        },
    )
    _write(texts, label, 0, label_width)
    _write(texts, message, label_width, message_width)
    drawn: bytes = tostring(svg, encoding="utf-8")
    return drawn


def _write(parent: Element, text: str, start: int, width: int) -> None:
    """A text in the middle of its plate, with a shadow below it."""
    place = {
        "x": str((start * 2 + width) * SCALE // 2),
        "textLength": str((width - 2 * PADDING) * SCALE),
        "transform": "scale(.1)",
    }
    shadow = {**place, "y": "150", "fill": "#010101", "fill-opacity": ".3", "aria-hidden": "true"}
    SubElement(parent, "text", shadow).text = text
    SubElement(parent, "text", {**place, "y": "140"}).text = text


def _units_of(character: str) -> int:
    place = ord(character) - ord(_FIRST)
    if 0 <= place < len(_WIDTHS):
        return _WIDTHS[place]
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else _OTHER
